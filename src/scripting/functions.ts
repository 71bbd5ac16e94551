import { CommandError } from "../resp/errors.ts";
import { addLogAndVersion, pushRedis } from "./api.ts";
import type { LuaRandom } from "./lua/libraries/random.ts";
import { LuaBroken, type LuaState, type Machine, RAISE, TYPE } from "./lua/machine.ts";
import { Sandbox } from "./lua/sandbox.ts";
import { readError } from "./lua-to-reply.ts";
import { pushError } from "./resp-to-lua.ts";
import type { ScriptRuns } from "./runs.ts";
import { readShebang, SCRIPT_FLAG_NAMES, SCRIPT_FLAGS } from "./shebang.ts";

/**
 * Function libraries (https://redis.io/docs/latest/develop/interact/programmability/functions-intro/): sources that,
 * run once, register functions by redis.register_function. They are data: saved and propagated with the keys.
 *
 * They share an interpreter of their own. While a library is loaded its globals are a `redis` with little more than
 * register_function; its functions, which are closures over the same globals, find the usual ones when they run.
 */
export interface LibraryFunction {
  readonly name: string;
  readonly description: string | null;
  readonly flags: number;
  /** The function, by reference. */
  readonly ref: number;
}

export interface Library {
  readonly name: string;
  readonly source: Uint8Array;
  readonly functions: Map<string, LibraryFunction>;
}

/** Libraries that exist together: no two of their functions have the same name, in any case. */
export class LibrarySet {
  readonly libraries = new Map<string, Library>();
  private readonly functions = new Map<string, LibraryFunction>();

  get functionCount(): number {
    return this.functions.size;
  }

  find(name: string): LibraryFunction | undefined {
    return this.functions.get(name.toLowerCase());
  }

  add(library: Library): void {
    this.libraries.set(library.name, library);
    for (const each of library.functions.values()) this.functions.set(each.name.toLowerCase(), each);
  }

  remove(library: Library): void {
    this.libraries.delete(library.name);
    for (const { name } of library.functions.values()) this.functions.delete(name.toLowerCase());
  }

  /** The first of these functions whose name one of another library has, those in `but` aside. */
  collision(functions: Iterable<LibraryFunction>, but: ReadonlySet<LibraryFunction>): string | null {
    for (const { name } of functions) {
      const known = this.find(name);
      if (known !== undefined && !but.has(known)) return name;
    }
    return null;
  }
}

const NAMING =
  "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
/** A library that takes longer to register its functions is given up, unless it comes from a master or a file. */
const LOAD_TIMEOUT_MS = 500;

function isName(name: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(name);
}

export class Functions {
  current = new LibrarySet();
  private sandboxNow: Sandbox | null = null;
  /** What globals are read from while a library is loaded, by reference. */
  private loadGlobals = 0;
  /** The library being loaded. */
  private loading: Map<string, LibraryFunction> | null = null;

  constructor(
    private readonly runs: ScriptRuns,
    private readonly random: LuaRandom,
    private readonly onBug: (error: unknown) => void,
  ) {}

  get sandbox(): Sandbox {
    if (this.sandboxNow?.broken) this.restart();
    if (this.sandboxNow !== null) return this.sandboxNow;
    const { runs } = this;
    const sandbox = new Sandbox(
      { interrupt: runs.interrupt, paused: runs.paused, onBug: this.onBug, random: this.random },
      (machine, L) => pushRedis(machine, L, runs, false),
    );
    this.sandboxNow = sandbox;
    this.loadGlobals = this.pushLoadGlobals(sandbox);
    return sandbox;
  }

  get luaMemory(): number {
    return this.sandboxNow?.machine.memory ?? 0;
  }

  /** Bytes of sources. */
  get sourceBytes(): number {
    let bytes = 0;
    for (const { source } of this.current.libraries.values()) bytes += source.length;
    return bytes;
  }

  *sources(): Generator<Uint8Array> {
    for (const { source } of this.current.libraries.values()) yield source;
  }

  private pushLoadGlobals(sandbox: Sandbox): number {
    const { machine } = sandbox;
    const { api, L } = machine;
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, 8);
    addLogAndVersion(machine, L, this.runs);
    machine.define(L, { register_function: (state) => this.register(machine, state) });
    sandbox.refuseUnknown(L);
    sandbox.pushReadOnly(L);
    machine.setField(L, -2, "redis");
    sandbox.refuseUnknown(L);
    return machine.ref(L);
  }

  /** The interpreter broke down: everything is loaded into another one. */
  private restart(): void {
    const sources = [...this.sources()];
    this.sandboxNow = null;
    this.current = new LibrarySet();
    for (const source of sources) this.load(source, { replace: true, patient: true });
  }

  // ------------------------------------------------------------------ loading

  /** Loads a library, and returns its name; throws what FUNCTION LOAD replies with. `patient`: however long it takes. */
  load(
    source: Uint8Array,
    { replace, patient }: { replace: boolean; patient: boolean },
    into: LibrarySet = this.current,
  ): string {
    const { name, length } = metadata(source);
    const old = into.libraries.get(name);
    if (old !== undefined && !replace) throw new CommandError(`ERR Library '${name}' already exists`);
    const functions = this.registerAll(source, length, patient);
    try {
      if (functions.size === 0) throw new CommandError("ERR No functions registered");
      const taken = into.collision(functions.values(), new Set(old?.functions.values()));
      if (taken !== null) throw new CommandError(`ERR Function ${taken} already exists`);
    } catch (error) {
      this.release(functions);
      throw error;
    }
    if (old !== undefined) {
      into.remove(old);
      this.release(old.functions);
    }
    into.add({ name, source, functions });
    return name;
  }

  /** Runs a library's source, which registers its functions. */
  private registerAll(source: Uint8Array, from: number, patient: boolean): Map<string, LibraryFunction> {
    const { sandbox, runs } = this;
    const { machine } = sandbox;
    const { L, api } = machine;
    const functions = new Map<string, LibraryFunction>();
    const until = performance.now() + LOAD_TIMEOUT_MS;
    sandbox.prepare();
    if (machine.isBinary(source, from, source.length))
      throw new CommandError("ERR Error compiling function: user_function: bad header in precompiled chunk");
    if (!machine.load(L, source, from, source.length, "@user_function")) {
      const wrong = machine.text(L, -1);
      machine.pop(L, 1);
      throw new CommandError(`ERR Error compiling function: ${wrong}`);
    }
    let status = -1;
    this.loading = functions;
    sandbox.readGlobalsFrom(this.loadGlobals);
    runs.loadInterrupt = (state) => {
      if (patient || performance.now() < until) return 0;
      machine.watch(state, "each-line");
      pushError(machine, state, "ERR FUNCTION LOAD timeout", false);
      return 2;
    };
    machine.watch(L, "often");
    try {
      status = Number(machine.call(0, 0, 0, null));
    } catch (error) {
      if (!(error instanceof LuaBroken)) throw error;
    } finally {
      this.loading = runs.loadInterrupt = null;
    }
    if (status < 0) {
      sandbox.broken = true;
      throw new CommandError("ERR Error registering functions: the interpreter broke down");
    }
    sandbox.readGlobalsFrom(null);
    machine.watch(L, "off");
    if (status !== 0) {
      const { message } = readError(machine, L);
      api.lua_settop(L, 0);
      this.release(functions);
      throw new CommandError(`ERR Error registering functions: ${message}`);
    }
    return functions;
  }

  private release(functions: Map<string, LibraryFunction>): void {
    for (const { ref } of functions.values()) this.sandboxNow?.machine.unref(ref);
  }

  /** redis.register_function */
  private register(machine: Machine, L: LuaState): number {
    const { loading } = this;
    const wrong =
      loading === null
        ? "redis.register_function can only be called on FUNCTION LOAD command"
        : this.readFunction(machine, L, loading);
    if (wrong === null) return 0;
    pushError(machine, L, `ERR ${wrong}`, false);
    return RAISE;
  }

  /** Takes a function from the arguments; returns what is wrong with them, or null. */
  private readFunction(machine: Machine, L: LuaState, into: Map<string, LibraryFunction>): string | null {
    const { api } = machine;
    const count = api.lua_gettop(L);
    if (count < 1 || count > 2) return "wrong number of arguments to redis.register_function";
    let named: NamedArguments | string = { name: null, description: null, flags: 0, callback: false };
    if (count === 1) named = readNamedArguments(machine, L);
    else {
      if (api.lua_isstring(L, 1) === 0) return "first argument to redis.register_function must be a string";
      if (api.lua_type(L, 2) !== TYPE.function)
        return "second argument to redis.register_function must be a function";
      named.name = machine.text(L, 1);
    }
    if (typeof named === "string") return named;
    const { name, description, flags } = named;
    if (name === null) return "redis.register_function must get a function name argument";
    if (count === 1) {
      if (!named.callback) return "redis.register_function must get a callback argument";
      api.lua_settop(L, 2);
    }
    if (!isName(name)) return NAMING.slice("ERR ".length);
    if (into.has(name)) return "Function already exists in the library";
    into.set(name, { name, description, flags, ref: machine.ref(L) });
    return null;
  }

  // ------------------------------------------------------------------ what commands ask for

  delete(name: string): void {
    const library = this.current.libraries.get(name);
    if (library === undefined) throw new CommandError("ERR Library not found");
    this.current.remove(library);
    this.release(library.functions);
  }

  flush(): void {
    this.adopt(new LibrarySet());
  }

  /** Takes these in place of all there are. */
  adopt(set: LibrarySet): void {
    const old = this.current;
    this.current = set;
    if (set.libraries.size === 0) this.sandboxNow = null;
    else for (const { functions } of old.libraries.values()) this.release(functions);
  }

  /** FUNCTION RESTORE: all of these libraries, or, where that is not possible, none. */
  restore(sources: readonly Uint8Array[], policy: "append" | "replace" | "flush"): void {
    const added = new LibrarySet();
    const { current } = this;
    try {
      for (const source of sources) this.load(source, { replace: false, patient: true }, added);
      if (policy !== "flush") checkCollisions(current, added, policy === "replace");
    } catch (error) {
      for (const { functions } of added.libraries.values()) this.release(functions);
      throw error;
    }
    if (policy === "flush") return this.adopt(added);
    for (const library of added.libraries.values()) {
      const old = current.libraries.get(library.name);
      if (old === undefined) continue;
      current.remove(old);
      this.release(old.functions);
    }
    for (const library of added.libraries.values()) current.add(library);
  }
}

function checkCollisions(current: LibrarySet, added: LibrarySet, replace: boolean): void {
  const going = new Set<LibraryFunction>();
  for (const { name } of added.libraries.values()) {
    const old = current.libraries.get(name);
    if (old === undefined) continue;
    if (!replace) throw new CommandError(`ERR Library ${name} already exists`);
    for (const each of old.functions.values()) going.add(each);
  }
  for (const { functions } of added.libraries.values()) {
    const taken = current.collision(functions.values(), going);
    if (taken !== null) throw new CommandError(`ERR Function ${taken} already exists`);
  }
}

/** The name that a library's first line gives it, and how long that is. */
function metadata(source: Uint8Array): { name: string; length: number } {
  const shebang = readShebang(source, 0, source.length);
  if (shebang === null) throw new CommandError("ERR Missing library metadata");
  if (typeof shebang === "string") throw new CommandError("ERR Invalid library metadata");
  let name: string | null = null;
  for (const option of shebang.options) {
    if (!option.toLowerCase().startsWith("name="))
      throw new CommandError(`ERR Invalid metadata value given: ${option}`);
    if (name !== null)
      throw new CommandError("ERR Invalid metadata value, name argument was given multiple times");
    name = option.slice("name=".length);
  }
  if (name === null) throw new CommandError("ERR Library name was not given");
  if (!isName(name)) throw new CommandError(NAMING);
  const engine = shebang.engine.slice("#!".length);
  if (engine.toLowerCase() !== "lua") throw new CommandError(`ERR Engine '${engine}' not found`);
  return { name, length: shebang.length };
}

interface NamedArguments {
  name: string | null;
  description: string | null;
  flags: number;
  callback: boolean;
}

/** Reads a table of named arguments, and leaves the callback behind it; a text is what is wrong. */
function readNamedArguments(machine: Machine, L: LuaState): NamedArguments | string {
  const { api } = machine;
  const read: NamedArguments = { name: null, description: null, flags: 0, callback: false };
  if (api.lua_type(L, 1) !== TYPE.table)
    return "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).";
  api.lua_pushnil(L);
  api.lua_pushnil(L);
  while (api.lua_next(L, 1) !== 0) {
    const keyType = api.lua_type(L, -2);
    // As text it would no longer be the key to go on from.
    if (keyType === TYPE.number) return "unknown argument given to redis.register_function";
    if (keyType !== TYPE.string) return "named argument key given to redis.register_function is not a string";
    const key = machine.text(L, -2)!.toLowerCase();
    const type = api.lua_type(L, -1);
    const isText = type === TYPE.string || type === TYPE.number;
    if (key === "function_name") {
      if (!isText) return "function_name argument given to redis.register_function must be a string";
      read.name = machine.text(L, -1);
    } else if (key === "description") {
      if (!isText) return "description argument given to redis.register_function must be a string";
      read.description = machine.text(L, -1);
    } else if (key === "callback") {
      if (type !== TYPE.function)
        return "callback argument given to redis.register_function must be a function";
      read.callback = true;
      api.lua_pushvalue(L, -1);
      api.lua_replace(L, 2);
    } else if (key === "flags") {
      if (type !== TYPE.table)
        return "flags argument to redis.register_function must be a table representing function flags";
      const flags = readFlags(machine, L);
      if (flags === null) return "unknown flag given";
      read.flags = flags;
    } else return "unknown argument given to redis.register_function";
    machine.pop(L, 1);
  }
  return read;
}

/** The flags that the table on top names, or null. */
function readFlags(machine: Machine, L: LuaState): number | null {
  const { api } = machine;
  let flags = 0;
  for (let i = 1; ; i++) {
    api.lua_rawgeti(L, -1, i);
    if (api.lua_type(L, -1) === TYPE.nil) {
      machine.pop(L, 1);
      return flags;
    }
    const name = api.lua_type(L, -1) === TYPE.string ? machine.text(L, -1)!.toLowerCase() : null;
    const flag = SCRIPT_FLAG_NAMES.find((each) => each === name);
    machine.pop(L, 1);
    if (flag === undefined) return null;
    flags |= SCRIPT_FLAGS[flag];
  }
}
