import type { LuaFunction, LuaState, Machine } from "../machine.ts";
import { checkInteger, isNegativeNaN, pushDouble, toInt64, toUint64 } from "./integers.ts";
import { Output } from "./output.ts";

/**
 * The library `struct` (http://www.inf.puc-rio.br/~roberto/struct/): values as the bytes of a C structure.
 *
 *   > < = !n   big endian, little endian; align to at most n bytes
 *   x          a byte of padding
 *   b h l i[n] signed integers of 1, 2, 8, 4 (or n) bytes; B H L T I[n] unsigned
 *   f d        a float, a double
 *   s c[n]     a string up to a NUL; n bytes, or with n = 0 as many as the last number said
 *
 * Sizes are those of a 64-bit system, as where Redis runs.
 */
const LARGEST_INTEGER = 32;
const LARGEST_ALIGNMENT = 8;
const INT_MAX = 0x7fffffff;

/** A format string being read, with what its options have set. */
class Format {
  at = 0;
  little = true;
  align = 1;
  option = "";
  size = 0;

  constructor(
    private readonly machine: Machine,
    private readonly L: LuaState,
    private readonly text: string,
  ) {}

  /** The next option and the bytes it takes. */
  next(): boolean {
    const option = this.text[this.at];
    if (option === undefined || option === "\0") return false;
    this.at++;
    this.option = option;
    this.size = this.sizeOf(option);
    return true;
  }

  private sizeOf(option: string): number {
    switch (option) {
      case "B":
      case "b":
      case "x":
        return 1;
      case "H":
      case "h":
        return 2;
      case "f":
        return 4;
      case "L":
      case "l":
      case "T":
      case "d":
        return 8;
      case "c":
        return this.number(1);
      case "i":
      case "I": {
        const size = this.number(4);
        if (size > LARGEST_INTEGER)
          this.machine.throw(this.L, `integral size ${size} is larger than limit of ${LARGEST_INTEGER}`);
        return size;
      }
      default:
        return 0;
    }
  }

  private number(otherwise: number): number {
    const digits = /^\d+/.exec(this.text.slice(this.at))?.[0];
    if (digits === undefined) return otherwise;
    this.at += digits.length;
    const value = Number(digits);
    if (value > INT_MAX) this.machine.throw(this.L, "integral size overflow");
    return value;
  }

  /** Bytes to leave out in front of the option, at so many bytes from the beginning. */
  padding(position: number): number {
    if (this.size === 0 || this.option === "c") return 0;
    const size = Math.min(this.size, this.align);
    return (size - (position & (size - 1))) & (size - 1);
  }

  /** An option that stands for no value. */
  control(): void {
    const { machine, L, option } = this;
    if (option === " ") return;
    if (option === ">") this.little = false;
    else if (option === "<") this.little = true;
    else if (option === "!") {
      const align = this.number(LARGEST_ALIGNMENT);
      if (align <= 0 || (align & (align - 1)) !== 0)
        machine.throw(L, `alignment ${align} is not a power of 2`);
      this.align = align;
    } else machine.argError(L, 1, `invalid format option '${option}'`);
  }
}

function tooShort(machine: Machine, L: LuaState): void {
  machine.argError(L, 2, "data string too short");
}

export function structFunctions(machine: Machine): Record<string, LuaFunction> {
  const { api } = machine;
  const out = new Output();
  const scratch = new DataView(new ArrayBuffer(8));
  const scratchBytes = new Uint8Array(scratch.buffer);
  const format = (L: LuaState): Format => {
    machine.checkString(L, 1);
    return new Format(machine, L, machine.text(L, 1)!);
  };

  function packInteger(L: LuaState, argument: number, { size, little }: Format): void {
    const value = api.luaL_checknumber(L, argument);
    let bits = value < 0 ? BigInt.asUintN(64, toInt64(value)) : toUint64(value);
    const start = out.length;
    out.reserve(size);
    for (let i = 0; i < size; i++) {
      out.buf[little ? start + i : start + size - 1 - i] = Number(bits & 0xffn);
      bits >>= 8n;
    }
    out.length += size;
  }

  function unpackInteger(buf: Uint8Array, at: number, { size, little, option }: Format): number {
    let bits = 0n;
    for (let i = 0; i < size; i++) {
      const byte = buf[little ? at + size - 1 - i : at + i]!;
      bits = BigInt.asUintN(64, (bits << 8n) | BigInt(byte));
    }
    if (option === option.toUpperCase()) return Number(bits);
    return Number(BigInt.asIntN(Math.min(size * 8, 64), bits));
  }

  function pack(L: LuaState): number {
    const fmt = format(L);
    out.clear();
    let argument = 2;
    // What is missing is nil, as in the original, whose errors say so.
    api.lua_pushnil(L);
    while (fmt.next()) {
      for (let i = fmt.padding(out.length); i > 0; i--) out.byte(0);
      const { option, little } = fmt;
      if (/[bBhHlLTiI]/.test(option)) packInteger(L, argument++, fmt);
      else if (option === "x") out.byte(0);
      else if (option === "f") {
        scratch.setFloat32(0, api.luaL_checknumber(L, argument), little);
        if (isNegativeNaN(machine, L, argument++)) scratchBytes[little ? 3 : 0] = 0xff;
        out.bytes(scratchBytes, 0, 4);
      } else if (option === "d") {
        scratch.setFloat64(0, api.luaL_checknumber(L, argument), little);
        if (isNegativeNaN(machine, L, argument++)) scratchBytes[little ? 7 : 0] = 0xff;
        out.bytes(scratchBytes, 0, 8);
      } else if (option === "c" || option === "s") {
        machine.checkString(L, argument++);
        const size = fmt.size === 0 ? machine.length : fmt.size;
        if (machine.length < size) machine.argError(L, argument, "string too short");
        out.bytes(machine.heap, machine.at, machine.at + size);
        if (option === "s") out.byte(0);
      } else fmt.control();
    }
    machine.pushBytes(L, out.buf, 0, out.length);
    return 1;
  }

  function unpack(L: LuaState): number {
    const fmt = format(L);
    machine.checkString(L, 2);
    const data = machine.bytes(L, 2)!;
    const first = checkInteger(machine, L, 3, 1);
    if (first <= 0) machine.argError(L, 3, "offset must be 1 or greater");
    let at = first - 1;
    let count = 0;
    const view = new DataView(data.buffer);
    while (fmt.next()) {
      at += fmt.padding(at);
      if (fmt.size > data.length - at) tooShort(machine, L);
      if (api.lua_checkstack(L, 3) === 0) machine.throw(L, "stack overflow (too many results)");
      const { option, little } = fmt;
      let { size } = fmt;
      if (/[bBhHlLTiI]/.test(option)) api.lua_pushnumber(L, unpackInteger(data, at, fmt));
      else if (option === "f")
        pushDouble(machine, L, view.getFloat32(at, little), data[little ? at + 3 : at]!);
      else if (option === "d")
        pushDouble(machine, L, view.getFloat64(at, little), data[little ? at + 7 : at]!);
      else if (option === "c") {
        if (size === 0) {
          if (count === 0 || api.lua_isnumber(L, -1) === 0)
            machine.throw(L, "format 'c0' needs a previous size");
          size = Number(toUint64(api.lua_tonumber(L, -1)));
          machine.pop(L, 1);
          count--;
          if (size > data.length - at) tooShort(machine, L);
        }
        machine.pushBytes(L, data, at, at + size);
      } else if (option === "s") {
        const end = data.indexOf(0, at);
        if (end < 0) machine.throw(L, "unfinished string in data");
        machine.pushBytes(L, data, at, end);
        size = end - at + 1;
      } else if (option !== "x") fmt.control();
      if (/[a-zA-Z]/.test(option) && option !== "x") count++;
      at += size;
    }
    api.lua_pushnumber(L, at + 1);
    return count + 1;
  }

  function size(L: LuaState): number {
    const fmt = format(L);
    let total = 0;
    while (fmt.next()) {
      total += fmt.padding(total);
      if (fmt.option === "s") machine.argError(L, 1, "option 's' has no fixed size");
      if (fmt.option === "c" && fmt.size === 0) machine.argError(L, 1, "option 'c0' has no fixed size");
      if (!/[a-zA-Z0-9]/.test(fmt.option)) fmt.control();
      total += fmt.size;
    }
    api.lua_pushnumber(L, total);
    return 1;
  }

  return { pack, unpack, size };
}
