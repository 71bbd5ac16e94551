import { type LuaFunction, type LuaState, type Machine, TYPE } from "../machine.ts";

/**
 * Redis's Lua is compiled for 64 bits, the one in WebAssembly for 32: there a number beyond 2^31 is another one where
 * a function wants an integer. The functions in which scripts meet that (times in milliseconds, identifiers, masks)
 * are led past the original where a number is that large, and are the original where none is.
 */
const INT32 = 2 ** 31;
const INT64 = 2 ** 63;
const INT64_MIN = -(2n ** 63n);
const LARGEST_UNSIGNED = 2n ** 64n - 1n;

/** As C makes a 64-bit integer of a double on x86-64. */
export function toInt64(value: number): bigint {
  return Math.abs(value) < INT64 ? BigInt(Math.trunc(value)) : INT64_MIN;
}

/** As C makes an int of a double at once. */
export function truncateToInt(value: number): number {
  return Math.abs(value) < INT32 ? Math.trunc(value) : -INT32;
}

/** As C makes an int of the 64-bit integer. */
export function toInt(value: number): number {
  return Math.abs(value) < INT32 ? Math.trunc(value) : Number(BigInt.asIntN(32, toInt64(value)));
}

/** An argument that C takes for an int; `otherwise` stands for none. */
export function checkInt(machine: Machine, L: LuaState, argument: number, otherwise?: number): number {
  const { api } = machine;
  if (otherwise !== undefined && api.lua_type(L, argument) <= TYPE.nil) return otherwise;
  return toInt(api.luaL_checknumber(L, argument));
}

/** An argument that C takes for 64 bits; what lies beyond 2^53 is as near as a number can be. */
export function checkInteger(machine: Machine, L: LuaState, argument: number, otherwise?: number): number {
  const { api } = machine;
  if (otherwise !== undefined && api.lua_type(L, argument) <= TYPE.nil) return otherwise;
  return Number(toInt64(api.luaL_checknumber(L, argument)));
}

/** The sign of a number that is none, of which JavaScript keeps none: 0/0 has one. */
export function isNegativeNaN(machine: Machine, L: LuaState, index: number): boolean {
  machine.api.lua_pushvalue(L, index);
  const text = machine.text(L, -1);
  machine.pop(L, 1);
  return text === "-nan";
}

/** Pushes a number read from bytes, the first of which (of the highest order) has its sign. */
export function pushDouble(machine: Machine, L: LuaState, value: number, first: number): void {
  if (Number.isNaN(value) && first >= 0x80) machine.pushRef(L, machine.negativeNaN);
  else machine.api.lua_pushnumber(L, value);
}

export function toUint64(value: number): bigint {
  return BigInt.asUintN(64, value >= INT64 ? toInt64(value - INT64) ^ INT64_MIN : toInt64(value));
}

/** Puts what stands in the globals and libraries in its place. */
export function widenIntegers(
  machine: Machine,
  original: (library: string | null, name: string) => LuaFunction,
): { globals: Record<string, LuaFunction>; string: Record<string, LuaFunction> } {
  const { api } = machine;
  const format = original("string", "format");
  const tonumber = original(null, "tonumber");
  return {
    globals: {
      tonumber: (L) => {
        if (api.lua_gettop(L) < 2 || api.lua_isnumber(L, 2) === 0) return tonumber(L);
        const base = toInt(api.lua_tonumber(L, 2));
        if (base !== api.lua_tonumber(L, 2)) {
          api.lua_pushnumber(L, base);
          api.lua_replace(L, 2);
        }
        if (base < 2 || base > 36 || base === 10 || api.lua_isstring(L, 1) === 0) return tonumber(L);
        const value = parseUnsigned(machine.text(L, 1)!, base);
        if (value === null) api.lua_pushnil(L);
        else api.lua_pushnumber(L, value);
        return 1;
      },
    },
    string: {
      format: (L) => {
        for (let i = api.lua_gettop(L); i > 1; i--) {
          // 0 of what is no number.
          const value = api.lua_tonumber(L, i);
          if (value >= 0 && value < INT32) continue;
          writeIntegers(machine, L);
          break;
        }
        return format(L);
      },
    },
  };
}

const SPACES = /^[ \t-\r]*/;

/** What strtoul makes of a text that is all number; null: it is none. */
function parseUnsigned(text: string, base: number): number | null {
  const end = text.indexOf("\0");
  let rest = (end < 0 ? text : text.slice(0, end)).replace(SPACES, "");
  const negative = rest.startsWith("-");
  if (/^[+-]/.test(rest)) rest = rest.slice(1);
  if (base === 16 && /^0x[0-9a-f]/i.test(rest)) rest = rest.slice(2);
  let value = 0n;
  let length = 0;
  for (; length < rest.length; length++) {
    const code = rest.charCodeAt(length) | 32;
    const digit = code >= 97 && code <= 122 ? code - 87 : Number.parseInt(rest[length]!, 10);
    if (!(digit < base)) break;
    value = value > LARGEST_UNSIGNED ? value : value * BigInt(base) + BigInt(digit);
  }
  if (length === 0 || rest.slice(length).replace(SPACES, "") !== "") return null;
  if (value > LARGEST_UNSIGNED) return Number(LARGEST_UNSIGNED);
  return Number(negative ? BigInt.asUintN(64, -value) : value);
}

const SPECIFICATION = /%(?:%|([-+ #0]{0,5})(\d{0,2})(?:(\.)(\d{0,2}))?([a-zA-Z]?))/g;

/** Replaces the integers of string.format by their text, and says so in the format. */
function writeIntegers(machine: Machine, L: LuaState): void {
  const { api } = machine;
  if (api.lua_type(L, 1) !== TYPE.string) return;
  const text = machine.text(L, 1)!;
  let argument = 1;
  const rewritten = text.replace(
    SPECIFICATION,
    (whole, flags = "", width = "", point = "", digits = "", letter) => {
      if (whole === "%%") return whole;
      argument++;
      if (!/^[dioxXu]$/.test(letter ?? "") || argument > api.lua_gettop(L)) return whole;
      if (api.lua_isnumber(L, argument) === 0) return whole;
      const precision = point === "" ? null : Number(digits);
      const value = api.lua_tonumber(L, argument);
      machine.pushText(L, writeInteger(value, letter, flags, Number(width), precision));
      api.lua_replace(L, argument);
      return "%s";
    },
  );
  machine.pushText(L, rewritten);
  api.lua_replace(L, 1);
}

/** As C's printf. */
function writeInteger(
  value: number,
  letter: string,
  flags: string,
  width: number,
  precision: number | null,
): string {
  const signed = letter === "d" || letter === "i";
  const whole = signed ? toInt64(value) : toUint64(value);
  const base = letter === "o" ? 8 : letter === "x" || letter === "X" ? 16 : 10;
  let digits = (whole < 0n ? -whole : whole).toString(base);
  if (whole === 0n && precision === 0) digits = "";
  digits = digits.padStart(precision ?? 0, "0");
  let prefix =
    whole < 0n ? "-" : signed && flags.includes("+") ? "+" : signed && flags.includes(" ") ? " " : "";
  if (flags.includes("#") && base === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  if (flags.includes("#") && base === 16 && whole !== 0n) prefix = "0x";
  if (flags.includes("0") && !flags.includes("-") && precision === null)
    digits = digits.padStart(width - prefix.length, "0");
  const text = prefix + digits;
  const padded = flags.includes("-") ? text.padEnd(width) : text.padStart(width);
  return letter === "X" ? padded.toUpperCase() : padded;
}
