import { type LuaFunction, type LuaState, type Machine, TYPE } from "../machine.ts";
import { checkInt } from "./integers.ts";
import { JsonParser } from "./json-parser.ts";
import { formatG } from "./numbers.ts";
import { Output } from "./output.ts";

/**
 * The library `cjson` (lua-cjson 2.1.0, https://kyne.com.au/~mark/software/lua-cjson-manual.html), with the same
 * settings, which hold for all scripts, and the same errors.
 */
export interface CjsonSettings {
  sparseConvert: boolean;
  sparseRatio: number;
  sparseSafe: number;
  encodeMaxDepth: number;
  decodeMaxDepth: number;
  /** "null": written as null. */
  encodeInvalidNumbers: "off" | "on" | "null";
  decodeInvalidNumbers: boolean;
  precision: number;
  keepBuffer: boolean;
}

const LARGEST_INT = 0x7fffffff;
/** What a character becomes in a string, where it does not stay as it is. */
const ESCAPES = Array.from({ length: 256 }, (_, code) => {
  const short = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 47: "\\/", 92: "\\\\" }[
    code
  ];
  if (short !== undefined) return short;
  return code < 32 || code === 127 ? `\\u${code.toString(16).padStart(4, "0")}` : "";
});

/** Pushes the library's table. */
export function pushCjson(machine: Machine, L: LuaState): void {
  const { api } = machine;
  const settings: CjsonSettings = {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeMaxDepth: 1000,
    decodeMaxDepth: 1000,
    encodeInvalidNumbers: "off",
    decodeInvalidNumbers: true,
    precision: 14,
    keepBuffer: true,
  };
  const encoder = new JsonEncoder(machine, settings);
  const parser = new JsonParser(machine, settings);
  const functions: Record<string, LuaFunction> = {
    encode: (state) => {
      if (api.lua_gettop(state) !== 1) return machine.argError(state, 1, "expected 1 argument");
      return encoder.encode(state);
    },
    decode: (state) => {
      if (api.lua_gettop(state) !== 1) return machine.argError(state, 1, "expected 1 argument");
      return parser.decode(state);
    },
    ...settingFunctions(machine, settings),
  };
  api.lua_createtable(L, 0, 16);
  machine.define(L, functions);
  const refs = new Map<string, number>();
  for (const name of Object.keys(functions)) {
    machine.getField(L, -1, name);
    refs.set(name, machine.ref(L));
  }
  const addRest = (state: LuaState): void => {
    for (const [name, ref] of refs) {
      machine.pushRef(state, ref);
      machine.setField(state, -2, name);
    }
    api.lua_pushlightuserdata(state, 0);
    machine.setField(state, -2, "null");
    for (const [name, text] of [
      ["_NAME", "cjson"],
      ["_VERSION", "2.1.0"],
    ] as const) {
      machine.pushText(state, text);
      machine.setField(state, -2, name);
    }
  };
  addRest(L);
  // A module of its own, but with the settings of this one.
  machine.define(L, {
    new: (state) => {
      api.lua_createtable(state, 0, 16);
      addRest(state);
      return 1;
    },
  });
}

/** Functions that set something where they are given it, and return what is set. */
function settingFunctions(machine: Machine, settings: CjsonSettings): Record<string, LuaFunction> {
  const { api } = machine;
  const upTo = (L: LuaState, count: number): void => {
    if (api.lua_gettop(L) > count) machine.argError(L, count + 1, "found too many arguments");
    api.lua_settop(L, count);
  };
  const integer = (L: LuaState, index: number, now: number, least: number, most: number): number => {
    let value = now;
    if (api.lua_type(L, index) !== TYPE.nil) {
      value = checkInt(machine, L, index);
      if (value < least || value > most)
        machine.argError(L, 1, `expected integer between ${least} and ${most}`);
    }
    api.lua_pushnumber(L, value);
    return value;
  };
  const option = <Option extends string>(
    L: LuaState,
    index: number,
    now: Option,
    options: readonly Option[],
  ): Option => {
    let value = now;
    if (api.lua_type(L, index) === TYPE.boolean) value = options[api.lua_toboolean(L, index)]!;
    else if (api.lua_type(L, index) !== TYPE.nil) {
      machine.checkString(L, index);
      const text = machine.text(L, index)!;
      const found = options.find((each) => each === text);
      if (found === undefined) machine.argError(L, index, `invalid option '${text.slice(0, 40)}'`);
      else value = found;
    }
    if (value === "off" || value === "on") api.lua_pushboolean(L, value === "on" ? 1 : 0);
    else machine.pushText(L, value);
    return value;
  };
  const OFF_ON = ["off", "on"] as const;
  const asOption = (value: boolean): "off" | "on" => (value ? "on" : "off");
  return {
    encode_sparse_array: (L) => {
      upTo(L, 3);
      settings.sparseConvert = option(L, 1, asOption(settings.sparseConvert), OFF_ON) === "on";
      settings.sparseRatio = integer(L, 2, settings.sparseRatio, 0, LARGEST_INT);
      settings.sparseSafe = integer(L, 3, settings.sparseSafe, 0, LARGEST_INT);
      return 3;
    },
    encode_max_depth: (L) => {
      upTo(L, 1);
      settings.encodeMaxDepth = integer(L, 1, settings.encodeMaxDepth, 1, LARGEST_INT);
      return 1;
    },
    decode_max_depth: (L) => {
      upTo(L, 1);
      settings.decodeMaxDepth = integer(L, 1, settings.decodeMaxDepth, 1, LARGEST_INT);
      return 1;
    },
    encode_number_precision: (L) => {
      upTo(L, 1);
      settings.precision = integer(L, 1, settings.precision, 1, 14);
      return 1;
    },
    encode_keep_buffer: (L) => {
      upTo(L, 1);
      settings.keepBuffer = option(L, 1, asOption(settings.keepBuffer), OFF_ON) === "on";
      return 1;
    },
    encode_invalid_numbers: (L) => {
      upTo(L, 1);
      settings.encodeInvalidNumbers = option(L, 1, settings.encodeInvalidNumbers, ["off", "on", "null"]);
      return 1;
    },
    decode_invalid_numbers: (L) => {
      upTo(L, 1);
      settings.decodeInvalidNumbers = option(L, 1, asOption(settings.decodeInvalidNumbers), OFF_ON) === "on";
      return 1;
    },
  };
}

class JsonEncoder {
  private readonly out = new Output();

  constructor(
    private readonly machine: Machine,
    private readonly settings: CjsonSettings,
  ) {}

  encode(L: LuaState): number {
    this.out.clear();
    this.value(L, 0);
    this.machine.pushBytes(L, this.out.buf, 0, this.out.length);
    return 1;
  }

  private fail(L: LuaState, index: number, reason: string): never {
    return this.machine.throw(L, `Cannot serialise ${this.machine.typeName(L, index)}: ${reason}`);
  }

  /** The value on top of the stack, which stays there. */
  private value(L: LuaState, depth: number): void {
    const { api } = this.machine;
    switch (api.lua_type(L, -1)) {
      case TYPE.string:
        return this.string(L, -1);
      case TYPE.number:
        return this.number(L, -1);
      case TYPE.boolean:
        return this.out.text(api.lua_toboolean(L, -1) !== 0 ? "true" : "false");
      case TYPE.table:
        return this.table(L, depth + 1);
      case TYPE.nil:
        return this.out.text("null");
      case TYPE.lightuserdata:
        if (api.lua_touserdata(L, -1) === 0) return this.out.text("null");
    }
    this.fail(L, -1, "type not supported");
  }

  private table(L: LuaState, depth: number): void {
    if (depth > this.settings.encodeMaxDepth || this.machine.api.lua_checkstack(L, 3) === 0)
      this.machine.throw(L, `Cannot serialise, excessive nesting (${depth})`);
    const length = this.arrayLength(L);
    if (length > 0) this.array(L, depth, length);
    else this.object(L, depth);
  }

  /** Elements of the array on top of the stack; -1: it is an object. */
  private arrayLength(L: LuaState): number {
    const { machine, settings } = this;
    const { api } = machine;
    let most = 0;
    let count = 0;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      const key = api.lua_type(L, -2) === TYPE.number ? api.lua_tonumber(L, -2) : 0;
      if (!(key >= 1 && Math.floor(key) === key)) {
        machine.pop(L, 2);
        return -1;
      }
      most = Math.max(most, key);
      count++;
      machine.pop(L, 1);
    }
    const { sparseRatio, sparseSafe } = settings;
    if (sparseRatio > 0 && most > count * sparseRatio && most > sparseSafe) {
      if (!settings.sparseConvert) this.fail(L, -1, "excessively sparse array");
      return -1;
    }
    return most;
  }

  private array(L: LuaState, depth: number, length: number): void {
    const { machine, out } = this;
    out.text("[");
    for (let i = 1; i <= length; i++) {
      if (i > 1) out.text(",");
      machine.api.lua_rawgeti(L, -1, i);
      this.value(L, depth);
      machine.pop(L, 1);
    }
    out.text("]");
  }

  private object(L: LuaState, depth: number): void {
    const { machine, out } = this;
    const { api } = machine;
    out.text("{");
    let first = true;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      if (!first) out.text(",");
      first = false;
      const type = api.lua_type(L, -2);
      if (type === TYPE.number) {
        out.text('"');
        this.number(L, -2);
        out.text('":');
      } else if (type === TYPE.string) {
        this.string(L, -2);
        out.text(":");
      } else this.fail(L, -2, "table key must be a number or string");
      this.value(L, depth);
      machine.pop(L, 1);
    }
    out.text("}");
  }

  private number(L: LuaState, index: number): void {
    const { settings, out } = this;
    const value = this.machine.api.lua_tonumber(L, index);
    if (!Number.isFinite(value)) {
      if (settings.encodeInvalidNumbers === "off") this.fail(L, index, "must not be NaN or Inf");
      return out.text(settings.encodeInvalidNumbers === "null" ? "null" : formatG(value, 14));
    }
    // Of at most nine digits, it is the same in any of the precisions from nine on.
    if (settings.precision > 9 && value === (value | 0) && !Object.is(value, -0)) out.text(String(value));
    else out.text(formatG(value, settings.precision));
  }

  private string(L: LuaState, index: number): void {
    const { machine, out } = this;
    machine.string(L, index);
    const { heap, at, length } = machine;
    out.reserve(length * 6 + 2);
    const { buf } = out;
    let to = out.length;
    buf[to++] = 34;
    for (let i = at; i < at + length; i++) {
      const code = heap[i]!;
      const escaped = ESCAPES[code]!;
      if (escaped === "") buf[to++] = code;
      else for (let j = 0; j < escaped.length; j++) buf[to++] = escaped.charCodeAt(j);
    }
    buf[to++] = 34;
    out.length = to;
  }
}
