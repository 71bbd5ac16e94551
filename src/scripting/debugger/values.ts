import { latin1Text, quoteBytes } from "../../bytes/ascii.ts";
import { type LuaState, type Machine, TYPE } from "../lua/machine.ts";

/** Values of Lua and replies of commands as the debugger shows them, on one line. */

/** Tables in tables that are shown. */
const DEPTH = 10;

/** A number with six significant digits, as C's %g prints it. */
export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", exponent = "0"] = value.toExponential(5).split("e");
  const power = Number(exponent);
  const strip = (digits: string): string => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
  if (power >= -4 && power < 6) return strip(value.toFixed(5 - power));
  return `${strip(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** The value at this index, which stays. */
export function valueText(machine: Machine, L: LuaState, index: number, depth = 0): string {
  const { api } = machine;
  if (depth === DEPTH) return "<max recursion level reached! Nested table?>";
  const type = api.lua_type(L, index);
  switch (type) {
    case TYPE.string: {
      machine.string(L, index);
      return quoteBytes(machine.heap, machine.at, machine.at + machine.length);
    }
    case TYPE.boolean:
      return api.lua_toboolean(L, index) ? "true" : "false";
    case TYPE.number:
      return shortNumber(api.lua_tonumber(L, index));
    case TYPE.nil:
      return "nil";
    case TYPE.table:
      return tableText(machine, L, index, depth + 1);
    default: {
      const name = type === TYPE.lightuserdata ? "light-userdata" : machine.typeName(L, index);
      return `"${name}@0x${api.lua_topointer(L, index).toString(16)}"`;
    }
  }
}

/** {1; 2} where the keys are 1, 2 and so on, else {["a"]=1; [7]=2}. */
function tableText(machine: Machine, L: LuaState, index: number, depth: number): string {
  const { api } = machine;
  if (api.lua_checkstack(L, 4) === 0) return "{...}";
  const at = index < 0 ? api.lua_gettop(L) + index + 1 : index;
  const keys: string[] = [];
  const values: string[] = [];
  let isArray = true;
  api.lua_pushnil(L);
  while (api.lua_next(L, at) !== 0) {
    const key = api.lua_gettop(L) - 1;
    if (api.lua_type(L, key) !== TYPE.number || api.lua_tonumber(L, key) !== values.length + 1)
      isArray = false;
    values.push(valueText(machine, L, key + 1, depth));
    keys.push(valueText(machine, L, key, depth));
    machine.pop(L, 1);
  }
  return `{${values.map((value, i) => (isArray ? value : `[${keys[i]}]=${value}`)).join("; ")}}`;
}

const CR = 13;

/** The reply that begins at the start of `buf`. */
export function replyText(buf: Uint8Array): string {
  return new ReplyText(buf).next();
}

class ReplyText {
  private at = 0;

  constructor(private readonly buf: Uint8Array) {}

  next(): string {
    const { buf, at } = this;
    const kind = String.fromCharCode(buf[at]!);
    const end = buf.indexOf(CR, at);
    const line = latin1Text(buf, at + 1, end);
    this.at = end + 2;
    switch (kind) {
      case "+":
      case "-":
        return quoteBytes(buf, at, end);
      case "$":
      case "=":
        return this.bulk(Number(line));
      case "*":
      case ">":
        return Number(line) < 0 ? "NULL" : `[${this.list(Number(line)).join(",")}]`;
      case "~":
        return `~(${this.list(Number(line)).join(",")})`;
      case "%":
        return `{${this.pairs(Number(line)).join(",")}}`;
      case "_":
        return "(null)";
      case "#":
        return line === "t" ? "#true" : "#false";
      case ",":
        return `(double) ${line}`;
      default:
        return line;
    }
  }

  private bulk(length: number): string {
    if (length < 0) return "NULL";
    const text = quoteBytes(this.buf, this.at, this.at + length);
    this.at += length + 2;
    return text;
  }

  private list(count: number): string[] {
    return Array.from({ length: count }, () => this.next());
  }

  private pairs(count: number): string[] {
    return Array.from({ length: count }, () => `${this.next()} => ${this.next()}`);
  }
}
