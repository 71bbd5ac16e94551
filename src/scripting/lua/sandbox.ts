import { utf8 } from "../../bytes/ascii.ts";
import { bitFunctions } from "./libraries/bit.ts";
import { pushCjson } from "./libraries/cjson.ts";
import { cmsgpackFunctions } from "./libraries/cmsgpack.ts";
import { widenIntegers } from "./libraries/integers.ts";
import { type LuaRandom, randomFunctions } from "./libraries/random.ts";
import { structFunctions } from "./libraries/struct.ts";
import {
  GLOBALS,
  type LuaFunction,
  type LuaState,
  Machine,
  type MachineDeps,
  RAISE,
  TYPE,
} from "./machine.ts";

/**
 * What scripts see of Lua: the globals of Redis's Lua and no others (no files, no system, no `require`), none of which
 * they can change, so that no script leaves anything behind for the next one.
 *
 * Redis has changed Lua so that a table can be made read-only. Here a script is given an empty table in the real one's
 * place, whose metatable reads from the real one and refuses writes:
 *
 *   globals of a script: {}  --__index-->  { KEYS, ARGV, string = {}, redis = {}, ... }  --__index--> error
 *                                                          |            |
 *                                                          v            v
 *                                              { format, ... }   { call, pcall, ... }
 *
 * What would notice the difference or get around it is replaced: pairs, next, rawget, rawset, setmetatable. (table.insert and
 * table.sort are not, they are too often used: one can put numbered values into such an empty table.)
 */

export const READONLY = "Attempt to modify a readonly table";

/** Of Lua's standard globals, those that Redis does not have. */
const REMOVED = ["dofile", "loadfile", "print", "module", "require", "package", "os", "io", "debug"];
const LIBRARIES = ["string", "table", "math", "coroutine", "cjson", "cmsgpack", "bit", "struct", "redis"];
/** More of a chunk's name is never shown. */
const LONGEST_NAME = 200;

/**
 * Written in Lua, since calls from JavaScript back into Lua could not be paused. `pcall` gives the text of an error
 * object, as Redis's does, so that scripts written for versions whose errors were texts go on working. The handler
 * makes an object of what was thrown, and notes where: in the function that threw, or that called what threw. The last is for tostring(cjson.null), which gives the text of C's library.
 */
const PRELUDE = utf8(`
local getinfo, pcall, type, tostring = debug.getinfo, pcall, type, tostring
local function unwrap(ok, ...)
  local thrown = ...
  if ok or type(thrown) ~= "table" then return ok, ... end
  local text = thrown.err
  if type(text) == "string" or type(text) == "number" then return false, text end
  return false, thrown, text
end
local function protected(...)
  return unwrap(pcall(...))
end
local function handler(thrown)
  local place = getinfo(2, "Sl")
  if place and place.what == "C" then place = getinfo(3, "Sl") end
  if type(thrown) ~= "table" then thrown = { err = "ERR " .. tostring(thrown) } end
  if place then
    thrown.source = place.source
    thrown.line = place.currentline
  end
  return thrown
end
return protected, handler, function() return "userdata: (nil)" end, 0/0
`);

export interface SandboxDeps extends MachineDeps {
  readonly random: LuaRandom;
}

export class Sandbox {
  readonly machine: Machine;
  /** Something has gone wrong with the interpreter itself: another one is needed. */
  broken = false;
  /** The error handler. */
  readonly handler: number;
  /** The real globals, and the empty table that scripts are given for them. */
  readonly globals: number;
  private readonly shown: number;
  /** The metatable of the latter. */
  private readonly metatable: number;
  /** References to the real tables by the address of the empty ones. */
  private readonly real = new Map<number, number>();

  /** `redis`: pushes the table of that name. */
  constructor(deps: SandboxDeps, redis: (machine: Machine, L: LuaState) => void) {
    const machine = (this.machine = new Machine(deps));
    const { api, L } = machine;
    if (!machine.load(L, PRELUDE, 0, PRELUDE.length, "=redis") || api.lua_pcall(L, 0, 4, 0) !== 0)
      throw new Error(`the prelude failed: ${machine.text(L, -1)}`);
    machine.negativeNaN = machine.ref(L);
    this.describeNull();
    this.handler = machine.ref(L);
    machine.setField(L, GLOBALS, "pcall");
    for (const name of REMOVED) {
      api.lua_pushnil(L);
      machine.setField(L, GLOBALS, name);
    }
    this.widenIntegers();
    machine.getField(L, GLOBALS, "math");
    machine.define(L, randomFunctions(machine, deps.random));
    machine.pop(L, 1);
    this.addLibrary("bit", bitFunctions(machine));
    this.addLibrary("struct", structFunctions(machine));
    this.addLibrary("cmsgpack", cmsgpackFunctions(machine), {
      _NAME: "cmsgpack",
      _VERSION: "lua-cmsgpack 0.4.0",
      _COPYRIGHT: "Copyright (C) 2012, Salvatore Sanfilippo",
      _DESCRIPTION: "MessagePack C implementation for Lua",
    });
    pushCjson(machine, L);
    machine.setField(L, GLOBALS, "cjson");
    redis(machine, L);
    machine.setField(L, GLOBALS, "redis");
    api.lua_pushvalue(L, GLOBALS);
    machine.define(L, this.replacements());
    api.lua_pushvalue(L, GLOBALS);
    this.globals = machine.ref(L);
    this.hideStringMetatable();
    for (const name of LIBRARIES) {
      machine.getField(L, GLOBALS, name);
      if (api.lua_type(L, -1) === TYPE.table) this.pushReadOnly(L);
      machine.setField(L, GLOBALS, name);
    }
    this.refuseUnknown(L);
    this.metatable = this.pushReadOnly(L);
    api.lua_pushvalue(L, -1);
    machine.pushRef(L, this.globals);
    api.lua_insert(L, -2);
    machine.setField(L, -2, "_G");
    machine.pop(L, 1);
    this.shown = machine.ref(L);
    this.prepare();
    // What is written in Lua would otherwise have the real globals for its environment, and getfenv tell of it.
    machine.pushRef(L, this.handler);
    this.setEnvironment(L);
    machine.pop(L, 1);
    machine.getField(L, GLOBALS, "pcall");
    this.setEnvironment(L);
    machine.pop(L, 1);
  }

  /** Before a chunk is compiled or run: an earlier one may have replaced the main thread's globals. */
  prepare(): void {
    const { machine } = this;
    machine.pushRef(machine.L, this.shown);
    machine.api.lua_replace(machine.L, GLOBALS);
  }

  /** What globals are read from, by reference; null: the globals. */
  readGlobalsFrom(ref: number | null): void {
    const { machine } = this;
    machine.pushRef(machine.L, this.metatable);
    machine.pushRef(machine.L, ref ?? this.globals);
    machine.setField(machine.L, -2, "__index");
    machine.pop(machine.L, 1);
  }

  /** Pops a value into a global. */
  setGlobal(L: LuaState, name: string): void {
    const { machine } = this;
    machine.pushRef(L, this.globals);
    machine.api.lua_insert(L, -2);
    machine.setField(L, -2, name);
    machine.pop(L, 1);
  }

  private addLibrary(
    name: string,
    functions: Record<string, LuaFunction>,
    texts: Record<string, string> = {},
  ): void {
    const { machine } = this;
    const { api, L } = machine;
    api.lua_createtable(L, 0, 16);
    machine.define(L, functions);
    for (const [field, text] of Object.entries(texts)) {
      machine.pushText(L, text);
      machine.setField(L, -2, field);
    }
    machine.setField(L, GLOBALS, name);
  }

  /** Reading what the table on top does not have is an error. */
  refuseUnknown(L: LuaState): void {
    const { machine } = this;
    const { api } = machine;
    api.lua_createtable(L, 0, 1);
    machine.pushFunction(L, (state) => {
      const name = machine.text(state, 2);
      if (name === null)
        return machine.fail(state, "Second argument to luaProtectedTableError must be a string or number");
      const shown = name.includes("\0") ? name.slice(0, name.indexOf("\0")) : name;
      return machine.fail(state, `Script attempted to access nonexistent global variable '${shown}'`);
    });
    machine.setField(L, -2, "__index");
    api.lua_setmetatable(L, -2);
  }

  /** Replaces the table on top by an empty one that reads from it; returns a reference to the latter's metatable. */
  pushReadOnly(L: LuaState): number {
    const { machine } = this;
    const { api } = machine;
    api.lua_createtable(L, 0, 0);
    api.lua_createtable(L, 0, 3);
    api.lua_pushvalue(L, -3);
    machine.setField(L, -2, "__index");
    this.refuseWrites(L);
    api.lua_pushvalue(L, -1);
    const metatable = machine.ref(L);
    api.lua_setmetatable(L, -2);
    api.lua_pushvalue(L, -2);
    this.real.set(api.lua_topointer(L, -2), machine.ref(L));
    api.lua_remove(L, -2);
    return metatable;
  }

  /** Completes the metatable on top: writing is refused, and it is not shown itself. */
  private refuseWrites(L: LuaState): void {
    const { machine } = this;
    const { api } = machine;
    machine.pushFunction(L, this.refuseWrite);
    machine.setField(L, -2, "__newindex");
    // Shown in its place: an empty table that is its own metatable.
    this.pushSealed(L);
    machine.setField(L, -2, "__metatable");
    api.lua_checkstack(L, 4);
  }

  private pushSealed(L: LuaState): void {
    const { machine } = this;
    const { api } = machine;
    api.lua_createtable(L, 0, 0);
    api.lua_createtable(L, 0, 2);
    machine.pushFunction(L, this.refuseWrite);
    machine.setField(L, -2, "__newindex");
    api.lua_pushvalue(L, -2);
    machine.setField(L, -2, "__metatable");
    api.lua_setmetatable(L, -2);
    api.lua_pushvalue(L, -1);
    this.real.set(api.lua_topointer(L, -1), machine.ref(L));
  }

  private readonly refuseWrite = (L: LuaState): number => this.machine.fail(L, READONLY);

  private hideStringMetatable(): void {
    const { machine } = this;
    const { api, L } = machine;
    machine.pushText(L, "");
    api.lua_getmetatable(L, -1);
    this.pushSealed(L);
    machine.setField(L, -2, "__metatable");
    machine.pop(L, 2);
  }

  /** Takes the function on top for what tostring calls for cjson.null, the only light userdata. */
  private describeNull(): void {
    const { machine } = this;
    const { api, L } = machine;
    api.lua_pushlightuserdata(L, 0);
    api.lua_createtable(L, 0, 2);
    api.lua_pushvalue(L, -3);
    machine.setField(L, -2, "__tostring");
    api.lua_pushboolean(L, 0);
    machine.setField(L, -2, "__metatable");
    api.lua_setmetatable(L, -2);
    machine.pop(L, 2);
  }

  private widenIntegers(): void {
    const { machine } = this;
    const { L } = machine;
    const { globals, string } = widenIntegers(machine, (library, name) => {
      if (library !== null) machine.getField(L, GLOBALS, library);
      machine.getField(L, library === null ? GLOBALS : -1, name);
      const found = machine.cFunction(L, -1);
      machine.pop(L, library === null ? 1 : 2);
      return found;
    });
    machine.api.lua_pushvalue(L, GLOBALS);
    machine.define(L, globals);
    machine.getField(L, -1, "string");
    machine.define(L, string);
    machine.pop(L, 2);
  }

  private setEnvironment(L: LuaState): void {
    const { machine } = this;
    machine.getField(L, GLOBALS, "setfenv");
    machine.api.lua_pushvalue(L, -2);
    machine.pushRef(L, this.shown);
    if (machine.api.lua_pcall(L, 2, 0, 0) !== 0) throw new Error("setfenv failed");
  }

  private refuse(L: LuaState): number {
    this.machine.pushText(L, READONLY);
    return RAISE;
  }

  private replacements(): Record<string, LuaFunction> {
    const { machine, real } = this;
    const { api } = machine;
    const isReadOnly = (L: LuaState, index: number): boolean => real.has(api.lua_topointer(L, index));
    machine.getField(machine.L, GLOBALS, "next");
    const plainNext = machine.ref(machine.L);
    return {
      pairs: (L) => {
        api.luaL_checktype(L, 1, TYPE.table);
        const ref = real.get(api.lua_topointer(L, 1));
        machine.pushRef(L, plainNext);
        if (ref === undefined) api.lua_pushvalue(L, 1);
        else machine.pushRef(L, ref);
        api.lua_pushnil(L);
        return 3;
      },
      next: (L) => {
        api.luaL_checktype(L, 1, TYPE.table);
        api.lua_settop(L, 2);
        const ref = real.get(api.lua_topointer(L, 1));
        if (ref !== undefined) {
          machine.pushRef(L, ref);
          api.lua_replace(L, 1);
        }
        if (api.lua_next(L, 1) !== 0) return 2;
        api.lua_pushnil(L);
        return 1;
      },
      rawset: (L) => {
        api.luaL_checktype(L, 1, TYPE.table);
        api.luaL_checkany(L, 2);
        api.luaL_checkany(L, 3);
        api.lua_settop(L, 3);
        if (isReadOnly(L, 1)) return this.refuse(L);
        api.lua_rawset(L, 1);
        return 1;
      },
      rawget: (L) => {
        api.luaL_checktype(L, 1, TYPE.table);
        api.luaL_checkany(L, 2);
        api.lua_settop(L, 2);
        const ref = real.get(api.lua_topointer(L, 1));
        if (ref !== undefined) {
          machine.pushRef(L, ref);
          api.lua_replace(L, 1);
        }
        api.lua_rawget(L, 1);
        return 1;
      },
      setmetatable: (L) => {
        const type = api.lua_type(L, 2);
        api.luaL_checktype(L, 1, TYPE.table);
        if (type !== TYPE.nil && type !== TYPE.table) return machine.argError(L, 2, "nil or table expected");
        if (isReadOnly(L, 1)) return this.refuse(L);
        if (api.luaL_getmetafield(L, 1, machine.name("__metatable")) !== 0)
          return machine.fail(L, "cannot change a protected metatable");
        api.lua_settop(L, 2);
        api.lua_setmetatable(L, 1);
        return 1;
      },
      loadstring: (L) => {
        machine.checkString(L, 1);
        const source = machine.bytes(L, 1)!;
        const name = api.lua_type(L, 2) > TYPE.nil ? this.checkText(L, 2) : machine.text(L, 1)!;
        return this.loaded(L, source, name);
      },
      load: (L) => {
        api.luaL_checktype(L, 1, TYPE.function);
        const name = api.lua_type(L, 2) > TYPE.nil ? this.checkText(L, 2) : "=(load)";
        return this.loaded(L, this.readAll(L), name);
      },
    };
  }

  private checkText(L: LuaState, argument: number): string {
    this.machine.checkString(L, argument);
    return this.machine.text(L, argument)!;
  }

  /** All that the reader function, argument 1, has to give. */
  private readAll(L: LuaState): Uint8Array {
    const { machine } = this;
    const { api } = machine;
    const pieces: Uint8Array[] = [];
    machine.pinned++;
    try {
      for (;;) {
        api.lua_pushvalue(L, 1);
        api.lua_call(L, 0, 1);
        const piece = api.lua_type(L, -1) === TYPE.nil ? null : machine.bytes(L, -1);
        if (piece === null && api.lua_type(L, -1) !== TYPE.nil)
          return machine.throw(L, "reader function must return a string");
        machine.pop(L, 1);
        if (piece === null || piece.length === 0) return Buffer.concat(pieces);
        pieces.push(piece);
      }
    } finally {
      machine.pinned--;
    }
  }

  private loaded(L: LuaState, source: Uint8Array, name: string): number {
    const { machine } = this;
    const { api } = machine;
    if (machine.isBinary(source, 0, source.length)) {
      api.lua_pushnil(L);
      machine.pushText(L, "attempt to load chunk with wrong mode");
      return 2;
    }
    if (machine.load(L, source, 0, source.length, name.slice(0, LONGEST_NAME))) return 1;
    api.lua_pushnil(L);
    api.lua_insert(L, -2);
    return 2;
  }
}
