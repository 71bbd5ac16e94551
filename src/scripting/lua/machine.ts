import { readFileSync } from "node:fs";
import wasmPath from "wasmoon-lua5.1/dist/liblua5.1.wasm" with { type: "file" };
import { copyBytes, latin1Text } from "../../bytes/ascii.ts";
import { FUNCTION_COUNT, SLOTS, trampolineModule } from "./trampolines.ts";

/**
 * One Lua: the reference implementation of Lua 5.1.5, which Redis's is too, compiled to WebAssembly by the npm package
 * wasmoon-lua5.1. Only its .wasm file is used (it lies in the compiled binary); the package's own bindings turn every
 * value into an object and cannot pause. What is here instead is a thin host: strings are bytes copied in and out of
 * the module's memory, and JavaScript functions are C functions to Lua (trampolines.ts).
 *
 * Measured on Bun 1.4.5 with two other jobs on the machine's two cores: a call of a script that calls one function of
 * JavaScript 0.9 us, one that can be paused 1.2 us, an error caught by pcall 4 us, a loop of 10 million additions
 * 0.2 s. lua-wasm-bindings 0.5.3, Lua 5.1.5 too, exports neither lua_pushcclosure nor lua_sethook nor
 * lua_pushlstring, so it can neither call back, nor stop a script, nor take a string with a NUL; wasmoon is Lua 5.4
 * and fengari 5.3, which differ in what scripts see of numbers.
 *
 * While a script runs, `interrupt` is asked every 100,000 instructions. Where it answers 1, the whole WebAssembly
 * stack is put aside and `call` returns "paused"; `resume` lets it go on.
 */

/** What a function of JavaScript returns that has left an error on the stack, instead of the number of its results. */
export const RAISE = -1;
/** A `lua_State`: the main thread or a coroutine. */
export type LuaState = number;
export type LuaFunction = (L: LuaState) => number;

export const REGISTRY = -10000;
export const GLOBALS = -10002;
export const MULTIPLE_RESULTS = -1;

export const TYPE = {
  none: -1,
  nil: 0,
  boolean: 1,
  lightuserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
} as const;

const HOOK_LINE = 4;
const HOOK_COUNT = 8;
const INSTRUCTIONS_BETWEEN_CHECKS = 100_000;
const PAGE = 65536;
const SMALLEST_SCRATCH = 64 * 1024;
/** A scratch larger than this is given back after use. */
const KEEP_SCRATCH = 1024 * 1024;
const NOT_SUPPORTED = 52;
const BINARY_MARK = 27;

/** Lua's C API (https://www.lua.org/manual/5.1/manual.html#3); strings and buffers are addresses. */
interface LuaApi {
  lua_gettop(L: LuaState): number;
  lua_settop(L: LuaState, index: number): void;
  lua_pushvalue(L: LuaState, index: number): void;
  lua_remove(L: LuaState, index: number): void;
  lua_insert(L: LuaState, index: number): void;
  lua_replace(L: LuaState, index: number): void;
  lua_checkstack(L: LuaState, extra: number): number;
  lua_type(L: LuaState, index: number): number;
  lua_isnumber(L: LuaState, index: number): number;
  lua_isstring(L: LuaState, index: number): number;
  lua_tonumber(L: LuaState, index: number): number;
  lua_toboolean(L: LuaState, index: number): number;
  lua_tolstring(L: LuaState, index: number, length: number): number;
  lua_tocfunction(L: LuaState, index: number): number;
  lua_touserdata(L: LuaState, index: number): number;
  lua_topointer(L: LuaState, index: number): number;
  lua_objlen(L: LuaState, index: number): number;
  lua_typename(L: LuaState, type: number): number;
  lua_pushnil(L: LuaState): void;
  lua_pushnumber(L: LuaState, value: number): void;
  lua_pushboolean(L: LuaState, value: number): void;
  lua_pushlstring(L: LuaState, at: number, length: number): void;
  lua_pushlightuserdata(L: LuaState, value: number): void;
  lua_pushcclosure(L: LuaState, tableIndex: number, upvalues: number): void;
  lua_createtable(L: LuaState, items: number, fields: number): void;
  lua_getfield(L: LuaState, index: number, name: number): void;
  lua_setfield(L: LuaState, index: number, name: number): void;
  lua_rawget(L: LuaState, index: number): void;
  lua_rawset(L: LuaState, index: number): void;
  lua_rawgeti(L: LuaState, index: number, item: number): void;
  lua_rawseti(L: LuaState, index: number, item: number): void;
  lua_next(L: LuaState, index: number): number;
  lua_getmetatable(L: LuaState, index: number): number;
  lua_setmetatable(L: LuaState, index: number): number;
  lua_call(L: LuaState, args: number, results: number): void;
  lua_pcall(L: LuaState, args: number, results: number, handler: number): number;
  lua_concat(L: LuaState, count: number): void;
  lua_gc(L: LuaState, what: number, data: number): number;
  lua_sethook(L: LuaState, hook: number, mask: number, count: number): number;
  lua_getstack(L: LuaState, level: number, activation: number): number;
  lua_getinfo(L: LuaState, what: number, activation: number): number;
  lua_getlocal(L: LuaState, activation: number, index: number): number;
  lua_error(L: LuaState): number;
  luaL_newstate(): LuaState;
  luaL_openlibs(L: LuaState): void;
  luaL_loadbuffer(L: LuaState, at: number, length: number, name: number): number;
  luaL_where(L: LuaState, level: number): void;
  luaL_ref(L: LuaState, index: number): number;
  luaL_unref(L: LuaState, index: number, ref: number): void;
  luaL_checktype(L: LuaState, argument: number, type: number): void;
  luaL_checkany(L: LuaState, argument: number): void;
  luaL_checknumber(L: LuaState, argument: number): number;
  luaL_checkinteger(L: LuaState, argument: number): number;
  luaL_optinteger(L: LuaState, argument: number, otherwise: number): number;
  luaL_checklstring(L: LuaState, argument: number, length: number): number;
  luaL_argerror(L: LuaState, argument: number, message: number): number;
  luaL_getmetafield(L: LuaState, index: number, name: number): number;
  malloc(bytes: number): number;
  free(at: number): void;
  stackSave(): number;
  stackRestore(at: number): void;
  setThrew(threw: number, value: number): void;
  __wasm_call_ctors(): void;
  emscripten_stack_init(): void;
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: FunctionTable;
}

interface FunctionTable {
  readonly length: number;
  get(index: number): unknown;
  set(index: number, value: unknown): void;
  grow(by: number): number;
}

interface Trampolines {
  readonly table: FunctionTable;
  hook(): void;
  invoke(): void;
  throw(): void;
  run(L: LuaState, args: number, results: number, handler: number): void;
}

/** JavaScript Promise Integration (https://github.com/WebAssembly/js-promise-integration), not in the types yet. */
interface PromiseIntegration {
  Suspending: new (callback: () => Promise<void>) => Bun.WebAssembly.ExportValue;
  promising(callback: Trampolines["run"]): (...args: Parameters<Trampolines["run"]>) => Promise<void>;
  Exception: new () => Error;
}
const jspi: PromiseIntegration = Object(WebAssembly);

/** Lua has come to an end that it cannot go on from: an error that nothing caught, a trap. */
export class LuaBroken extends Error {}

export interface MachineDeps {
  /** A script runs: go on (0), pause (1), or raise the error left on the stack (2). */
  interrupt(L: LuaState): 0 | 1 | 2;
  /** The script has been put aside. */
  paused(): void;
  /** A function has thrown what is no error of Lua: a bug. */
  onBug(error: unknown): void;
}

let compiled: { lua: WebAssembly.Module; trampolines: WebAssembly.Module } | null = null;

export class Machine {
  readonly api: LuaApi;
  /** The main thread. */
  readonly L: LuaState;
  /** The module's memory. Another array after anything that may have allocated in it. */
  heap!: Uint8Array;
  /** Where the string lies that `string` has found, and how long it is. */
  at = 0;
  length = 0;
  /** Something of JavaScript stands in the midst of the stack, which can then not be put aside. */
  pinned = 0;
  /** A reference to 0/0, whose sign JavaScript does not keep. */
  negativeNaN = 0;
  private heap32!: Uint32Array;
  private readonly lengthAt: number;
  private scratchAt = 0;
  private scratchSize = 0;
  private readonly functions: LuaFunction[] = [];
  private readonly functionBase: number;
  private readonly names = new Map<string, number>();
  private readonly trampolines: Trampolines;
  private readonly runPausable: (...args: Parameters<Trampolines["run"]>) => Promise<void>;
  private status = -1;
  private wake: (() => void) | null = null;

  constructor(private readonly deps: MachineDeps) {
    compiled ??= {
      lua: new WebAssembly.Module(readFileSync(wasmPath)),
      trampolines: new WebAssembly.Module(trampolineModule()),
    };
    const helper = new WebAssembly.Instance(compiled.trampolines, { host: this.hostImports() });
    this.trampolines = Object(helper.exports);
    this.runPausable = jspi.promising(this.trampolines.run);
    const instance = new WebAssembly.Instance(compiled.lua, this.systemImports(compiled.lua));
    this.api = Object(instance.exports);
    this.refreshHeap();
    this.api.__wasm_call_ctors();
    this.functionBase = this.connectTables();
    this.lengthAt = this.api.malloc(8);
    this.L = this.api.luaL_newstate();
    this.api.luaL_openlibs(this.L);
  }

  private hostImports(): Bun.WebAssembly.ModuleImports {
    return {
      dispatch: (id: number, L: LuaState) => this.dispatch(id, L),
      check: (L: LuaState) => {
        const answer = this.deps.interrupt(L);
        return answer === 1 && this.pinned > 0 ? 0 : answer;
      },
      pause: new jspi.Suspending(
        () =>
          new Promise((resolve) => {
            this.wake = resolve;
            this.deps.paused();
          }),
      ),
      done: (status: number) => {
        this.status = status;
      },
    };
  }

  /** What the module wants of a system: memory, the time, and files, which there are none of. */
  private systemImports(module: WebAssembly.Module): Bun.WebAssembly.Imports {
    const imports: Record<string, Bun.WebAssembly.ModuleImports> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = () => NOT_SUPPORTED;
    }
    const env = imports.env!;
    env.invoke_vii = this.trampolines.invoke;
    env._emscripten_throw_longjmp = this.trampolines.throw;
    env.emscripten_date_now = () => Date.now();
    env.emscripten_memcpy_js = (to: number, from: number, count: number) => {
      this.heap.copyWithin(to, from, from + count);
    };
    env.emscripten_resize_heap = (size: number) => (this.growHeap(size >>> 0) ? 1 : 0);
    env.exit = () => {
      throw new LuaBroken("Lua gave up");
    };
    const wasi = imports.wasi_snapshot_preview1!;
    wasi.environ_sizes_get = (count: number, size: number) => {
      this.heap32[count >> 2] = this.heap32[size >> 2] = 0;
      return 0;
    };
    wasi.environ_get = () => 0;
    return imports;
  }

  /** Makes each table know the other's functions; returns where in Lua's the C functions begin. */
  private connectTables(): number {
    const { api, trampolines } = this;
    const table = api.__indirect_function_table;
    for (let i = 0; i < table.length; i++) trampolines.table.set(i, table.get(i));
    for (const [name, slot] of Object.entries(SLOTS)) trampolines.table.set(slot, Object(api)[name]);
    const base = table.grow(FUNCTION_COUNT + 1);
    for (let i = 0; i < FUNCTION_COUNT; i++) table.set(base + i, Object(trampolines)[`f${i}`]);
    table.set(base + FUNCTION_COUNT, trampolines.hook);
    return base;
  }

  private growHeap(size: number): boolean {
    const { memory } = this.api;
    const have = memory.buffer.byteLength;
    try {
      // A little more than asked for, so that not every allocation of a growing script gets here.
      memory.grow(Math.ceil((Math.max(size, have * 1.2) - have) / PAGE));
    } catch {
      try {
        memory.grow(Math.ceil((size - have) / PAGE));
      } catch {
        return false;
      }
    }
    this.refreshHeap();
    return true;
  }

  private refreshHeap(): void {
    this.heap = new Uint8Array(this.api.memory.buffer);
    this.heap32 = new Uint32Array(this.api.memory.buffer);
  }

  // ------------------------------------------------------------------ functions of JavaScript

  private dispatch(id: number, L: LuaState): number {
    try {
      return this.functions[id]!(L);
    } catch (error) {
      // An error of Lua's on its way to who catches it.
      if (error instanceof jspi.Exception || error instanceof LuaBroken) throw error;
      this.deps.onBug(error);
      return this.fail(L, "internal error; the server's log has the details");
    }
  }

  /** Pushes a function. */
  pushFunction(L: LuaState, run: LuaFunction): void {
    if (this.functions.length === FUNCTION_COUNT) throw new Error("too many functions");
    this.functions.push(run);
    this.api.lua_pushcclosure(L, this.functionBase + this.functions.length - 1, 0);
  }

  /** The C function at `index`, to be called in the place of one that Lua has called. It must not call Lua. */
  cFunction(L: LuaState, index: number): LuaFunction {
    return Object(this.api.__indirect_function_table.get(this.api.lua_tocfunction(L, index)));
  }

  /** Sets functions as fields of the table on top of the stack. */
  define(L: LuaState, functions: Record<string, LuaFunction>): void {
    for (const [name, run] of Object.entries(functions)) {
      this.pushFunction(L, run);
      this.setField(L, -2, name);
    }
  }

  /** Leaves a text as an error, with the script's line in front, as luaL_error does. */
  fail(L: LuaState, message: string): number {
    this.api.luaL_where(L, 1);
    this.pushText(L, message);
    this.api.lua_concat(L, 2);
    return RAISE;
  }

  /** As `fail`, and does not return: for where no result can be handed up. Only inside a function called by Lua. */
  throw(L: LuaState, message: string): never {
    this.fail(L, message);
    this.api.lua_error(L);
    throw new LuaBroken();
  }

  // ------------------------------------------------------------------ running

  /**
   * As lua_pcall. Where it may pause and does, "paused" comes back at once, and `ended` is told the status later, or
   * -1 where Lua broke down.
   */
  call(
    args: number,
    results: number,
    handler: number,
    ended: ((status: number) => void) | null,
  ): number | "paused" {
    this.status = -1;
    if (ended === null) {
      this.pinned++;
      try {
        this.trampolines.run(this.L, args, results, handler);
      } finally {
        this.pinned--;
      }
      return this.status;
    }
    const promise = this.runPausable(this.L, args, results, handler);
    if (this.wake !== null) {
      promise.then(
        () => ended(this.status),
        () => ended(-1),
      );
      return "paused";
    }
    promise.catch(() => {});
    if (this.status < 0) throw new LuaBroken("Lua broke down");
    return this.status;
  }

  /** Lets what has paused go on, when the present turn is over. */
  resume(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }

  /** From now on `interrupt` is asked: now and then, on each line, both, or no more. */
  watch(L: LuaState, how: "often" | "each-line" | "always" | "off"): void {
    const hook = this.functionBase + FUNCTION_COUNT;
    if (how === "off") this.api.lua_sethook(L, 0, 0, 0);
    else if (how === "often") this.api.lua_sethook(L, hook, HOOK_COUNT, INSTRUCTIONS_BETWEEN_CHECKS);
    else if (how === "each-line") this.api.lua_sethook(L, hook, HOOK_LINE, 0);
    else this.api.lua_sethook(L, hook, HOOK_LINE | HOOK_COUNT, INSTRUCTIONS_BETWEEN_CHECKS);
  }

  /** Bytes that Lua's values take. */
  get memory(): number {
    const COUNT = 3;
    const COUNT_REST = 4;
    return this.api.lua_gc(this.L, COUNT, 0) * 1024 + this.api.lua_gc(this.L, COUNT_REST, 0);
  }

  /** Bytes that the module has of the system. */
  get reserved(): number {
    return this.heap.length;
  }

  // ------------------------------------------------------------------ values

  /** Finds the bytes of a string or number (which becomes a string): `at`, `length`. False for anything else. */
  string(L: LuaState, index: number): boolean {
    this.at = this.api.lua_tolstring(L, index, this.lengthAt);
    if (this.at === 0) return false;
    this.length = this.heap32[this.lengthAt >> 2]!;
    return true;
  }

  /** As `string`; another type raises Lua's error for such an argument. */
  checkString(L: LuaState, argument: number): void {
    this.at = this.api.luaL_checklstring(L, argument, this.lengthAt);
    this.length = this.heap32[this.lengthAt >> 2]!;
  }

  /** A copy of the bytes of a string or number. */
  bytes(L: LuaState, index: number): Uint8Array | null {
    return this.string(L, index) ? this.heap.slice(this.at, this.at + this.length) : null;
  }

  /** A string or number as text, one character a byte. */
  text(L: LuaState, index: number): string | null {
    return this.string(L, index) ? latin1Text(this.heap, this.at, this.at + this.length) : null;
  }

  pushBytes(L: LuaState, buf: Uint8Array, start = 0, end = buf.length): void {
    const length = end - start;
    const at = this.scratch(length);
    copyBytes(this.heap, at, buf, start, end);
    this.api.lua_pushlstring(L, at, length);
    if (this.scratchSize > KEEP_SCRATCH) this.freeScratch();
  }

  /** Pushes a text of characters up to 255. */
  pushText(L: LuaState, text: string): void {
    const { length } = text;
    const at = this.scratch(length);
    for (let i = 0; i < length; i++) this.heap[at + i] = text.charCodeAt(i);
    this.api.lua_pushlstring(L, at, length);
    if (this.scratchSize > KEEP_SCRATCH) this.freeScratch();
  }

  setField(L: LuaState, index: number, name: string): void {
    this.api.lua_setfield(L, index, this.name(name));
  }

  getField(L: LuaState, index: number, name: string): void {
    this.api.lua_getfield(L, index, this.name(name));
  }

  /** Pushes the field of a table, whatever its metatable says. The index must not count from the top. */
  rawGetField(L: LuaState, index: number, name: string): void {
    this.pushText(L, name);
    this.api.lua_rawget(L, index);
  }

  /** Pops the value on top into a reference, for `pushRef`. */
  ref(L: LuaState): number {
    return this.api.luaL_ref(L, REGISTRY);
  }

  pushRef(L: LuaState, ref: number): void {
    this.api.lua_rawgeti(L, REGISTRY, ref);
  }

  unref(ref: number): void {
    this.api.luaL_unref(this.L, REGISTRY, ref);
  }

  /** Whether this is a chunk that has been compiled: its instructions are not checked, so none is ever loaded. */
  isBinary(source: Uint8Array, start: number, end: number): boolean {
    return start < end && source[start] === BINARY_MARK;
  }

  /** Compiles a chunk and pushes it; where that fails, false, and the error is on the stack. */
  load(L: LuaState, source: Uint8Array, start: number, end: number, name: string): boolean {
    const { api } = this;
    const length = end - start;
    const at = api.malloc(length + name.length + 2);
    if (at === 0) {
      this.pushText(L, "not enough memory");
      return false;
    }
    this.heap.set(source.subarray(start, end), at);
    const nameAt = at + length + 1;
    for (let i = 0; i < name.length; i++) this.heap[nameAt + i] = name.charCodeAt(i);
    this.heap[nameAt + name.length] = 0;
    const status = api.luaL_loadbuffer(L, at, length, nameAt);
    api.free(at);
    return status === 0;
  }

  /** As luaL_argerror: raises an error that tells which argument of which function is wrong. */
  argError(L: LuaState, argument: number, message: string): number {
    const at = this.scratch(message.length + 1);
    for (let i = 0; i < message.length; i++) this.heap[at + i] = message.charCodeAt(i);
    this.heap[at + message.length] = 0;
    return this.api.luaL_argerror(L, argument, at);
  }

  pop(L: LuaState, count: number): void {
    this.api.lua_settop(L, -count - 1);
  }

  typeName(L: LuaState, index: number): string {
    const at = this.api.lua_typename(L, this.api.lua_type(L, index));
    return latin1Text(this.heap, at, this.heap.indexOf(0, at));
  }

  /** The address of a constant, NUL-terminated text. */
  name(text: string): number {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    const at = this.api.malloc(text.length + 1);
    for (let i = 0; i < text.length; i++) this.heap[at + i] = text.charCodeAt(i);
    this.heap[at + text.length] = 0;
    this.names.set(text, at);
    return at;
  }

  private scratch(length: number): number {
    if (length <= this.scratchSize) return this.scratchAt;
    this.freeScratch();
    const size = Math.max(length, SMALLEST_SCRATCH);
    this.scratchAt = this.api.malloc(size);
    if (this.scratchAt === 0) throw new LuaBroken("not enough memory");
    this.scratchSize = size;
    return this.scratchAt;
  }

  private freeScratch(): void {
    if (this.scratchSize > 0) this.api.free(this.scratchAt);
    this.scratchAt = this.scratchSize = 0;
  }
}
