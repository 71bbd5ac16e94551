import { type LuaFunction, type LuaState, type Machine, TYPE } from "../machine.ts";
import { checkInteger, isNegativeNaN, pushDouble, toInt } from "./integers.ts";
import { Output } from "./output.ts";

/**
 * The library `cmsgpack`: MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) as lua-cmsgpack 0.4.0
 * has it, which knows neither binary nor extension types. A table with the keys 1 to n is an array, an empty one too;
 * what is nested deeper than 16 tables is nil, so that a table in itself comes to an end.
 */
const DEEPEST = 16;
const TWO_32 = 0x1_0000_0000;

export function cmsgpackFunctions(machine: Machine): Record<string, LuaFunction> {
  const packer = new Packer(machine);
  const unpacker = new Unpacker(machine);
  const { api } = machine;
  return {
    pack: (L) => packer.pack(L),
    unpack: (L) => unpacker.unpack(L, 0, 0),
    unpack_one: (L) => {
      const offset = checkInteger(machine, L, 2, 0);
      api.lua_settop(L, 1);
      return unpacker.unpack(L, 1, offset);
    },
    unpack_limit: (L) => {
      const limit = checkInteger(machine, L, 2);
      const offset = checkInteger(machine, L, 3, 0);
      api.lua_settop(L, 1);
      return unpacker.unpack(L, limit, offset);
    },
  };
}

class Packer {
  private readonly out = new Output();
  private readonly scratch = new DataView(new ArrayBuffer(8));
  private readonly scratchBytes = new Uint8Array(this.scratch.buffer);

  constructor(private readonly machine: Machine) {}

  pack(L: LuaState): number {
    const { machine, out } = this;
    const { api } = machine;
    const count = api.lua_gettop(L);
    if (count === 0) return machine.argError(L, 0, "MessagePack pack needs input.");
    out.clear();
    for (let i = 1; i <= count; i++) {
      api.lua_checkstack(L, 1);
      api.lua_pushvalue(L, i);
      this.value(L, 0);
    }
    machine.pushBytes(L, out.buf, 0, out.length);
    return 1;
  }

  /** The value on top of the stack, which is taken off. */
  private value(L: LuaState, level: number): void {
    const { machine, out } = this;
    const { api } = machine;
    const type = api.lua_type(L, -1);
    if (type === TYPE.string) {
      machine.string(L, -1);
      this.header(machine.length, 0xa0, 31, 0xd9, 0xda);
      out.bytes(machine.heap, machine.at, machine.at + machine.length);
    } else if (type === TYPE.number) this.number(L, api.lua_tonumber(L, -1));
    else if (type === TYPE.boolean) out.byte(api.lua_toboolean(L, -1) !== 0 ? 0xc3 : 0xc2);
    else if (type === TYPE.table && level < DEEPEST) this.table(L, level);
    else out.byte(0xc0);
    machine.pop(L, 1);
  }

  private table(L: LuaState, level: number): void {
    const { machine } = this;
    const { api } = machine;
    if (api.lua_checkstack(L, 4) === 0) machine.throw(L, "stack overflow (in function table_is_an_array)");
    let count = 0;
    let most = 0;
    let isArray = true;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      machine.pop(L, 1);
      count++;
      if (!isArray) continue;
      const key = api.lua_type(L, -1) === TYPE.number ? api.lua_tonumber(L, -1) : 0;
      if (key > 0 && key === Math.floor(key)) most = Math.max(most, key);
      else isArray = false;
    }
    if (isArray && most === count) {
      this.header(count, 0x90, 15, 0, 0xdc);
      for (let i = 1; i <= count; i++) {
        api.lua_rawgeti(L, -1, i);
        this.value(L, level + 1);
      }
      return;
    }
    this.header(count, 0x80, 15, 0, 0xde);
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      api.lua_pushvalue(L, -2);
      this.value(L, level + 1);
      this.value(L, level + 1);
    }
  }

  /** A length: in the first byte, or behind one of 8 (if there is such a form), 16 or 32 bits. */
  private header(length: number, fixed: number, most: number, bits8: number, bits16: number): void {
    const { out } = this;
    if (length <= most) out.byte(fixed | length);
    else if (length <= 0xff && bits8 !== 0) {
      out.byte(bits8);
      out.byte(length);
    } else if (length <= 0xffff) this.unsigned(bits16, length, 2);
    else this.unsigned(bits16 + 1, length, 4);
  }

  private unsigned(kind: number, value: number, size: number): void {
    this.scratch.setUint32(0, value);
    this.out.byte(kind);
    this.out.bytes(this.scratchBytes, 4 - size, 4);
  }

  private number(L: LuaState, value: number): void {
    const { out, scratch, scratchBytes } = this;
    if (Math.floor(value) === value && value >= -(2 ** 63) && value < 2 ** 63) return this.integer(value);
    if (Math.fround(value) === value) {
      scratch.setFloat32(0, value);
      out.byte(0xca);
      out.bytes(scratchBytes, 0, 4);
    } else {
      scratch.setFloat64(0, value);
      if (Number.isNaN(value)) scratchBytes[0] = isNegativeNaN(this.machine, L, -1) ? 0xff : 0x7f;
      out.byte(0xcb);
      out.bytes(scratchBytes, 0, 8);
    }
  }

  private integer(value: number): void {
    const { out } = this;
    if (value >= 0) {
      if (value <= 127) out.byte(value);
      else if (value <= 0xff) this.unsigned(0xcc, value, 1);
      else if (value <= 0xffff) this.unsigned(0xcd, value, 2);
      else if (value < TWO_32) this.unsigned(0xce, value, 4);
      else this.big(0xcf, value);
    } else if (value >= -32) out.byte(value & 0xff);
    else if (value >= -128) this.unsigned(0xd0, value, 1);
    else if (value >= -32768) this.unsigned(0xd1, value, 2);
    else if (value >= -0x80000000) this.unsigned(0xd2, value, 4);
    else this.big(0xd3, value);
  }

  private big(kind: number, value: number): void {
    const { out, scratch, scratchBytes } = this;
    scratch.setBigInt64(0, BigInt(value));
    out.byte(kind);
    out.bytes(scratchBytes, 0, 8);
  }
}

class Unpacker {
  private buf: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.buf.buffer);
  private at = 0;

  constructor(private readonly machine: Machine) {}

  /** `limit` values from `offset` on, preceded by where to go on; with 0 and 0 all of them, and nothing else. */
  unpack(L: LuaState, limit: number, offset: number): number {
    const { machine } = this;
    const { api } = machine;
    const all = limit === 0 && offset === 0;
    machine.checkString(L, 1);
    const { length } = machine;
    if (offset < 0 || limit < 0)
      return machine.fail(
        L,
        `Invalid request to unpack with offset of ${toInt(offset)} and limit of ${length}.`,
      );
    if (offset > length)
      return machine.fail(L, `Start offset ${toInt(offset)} greater than input length ${length}.`);
    const buf = machine.bytes(L, 1)!;
    this.buf = buf;
    this.view = new DataView(buf.buffer);
    this.at = offset;
    let count = 0;
    while (this.at < length && (all || count < limit)) {
      this.value(L);
      count++;
    }
    if (all) return count;
    api.lua_checkstack(L, 1);
    api.lua_pushnumber(L, this.at === length ? -1 : this.at);
    api.lua_insert(L, 2);
    return count + 1;
  }

  private need(L: LuaState, bytes: number): void {
    if (this.buf.length - this.at < bytes) this.machine.throw(L, "Missing bytes in input.");
  }

  private value(L: LuaState): void {
    const { machine, view } = this;
    const { api } = machine;
    this.need(L, 1);
    if (api.lua_checkstack(L, 4) === 0)
      machine.throw(
        L,
        "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)",
      );
    const kind = this.buf[this.at]!;
    const at = this.at + 1;
    if (kind < 0x80) return this.number(L, 0, kind);
    if (kind >= 0xe0) return this.number(L, 0, kind - 0x100);
    if (kind < 0x90) return this.map(L, 1, kind & 15);
    if (kind < 0xa0) return this.array(L, 1, kind & 15);
    if (kind < 0xc0) return this.string(L, 1, kind & 31);
    const size = SIZES[kind - 0xc0]!;
    this.need(L, 1 + size);
    switch (kind) {
      case 0xc0:
        this.at++;
        return api.lua_pushnil(L);
      case 0xc2:
      case 0xc3:
        this.at++;
        return api.lua_pushboolean(L, kind - 0xc2);
      case 0xca:
        this.at += 1 + size;
        return pushDouble(machine, L, view.getFloat32(at), view.getUint8(at));
      case 0xcb:
        this.at += 1 + size;
        return pushDouble(machine, L, view.getFloat64(at), view.getUint8(at));
      case 0xcc:
        return this.number(L, size, view.getUint8(at));
      case 0xcd:
        return this.number(L, size, view.getUint16(at));
      case 0xce:
        return this.number(L, size, view.getUint32(at));
      case 0xcf:
        return this.number(L, size, Number(view.getBigUint64(at)));
      case 0xd0:
        return this.number(L, size, view.getInt8(at));
      case 0xd1:
        return this.number(L, size, view.getInt16(at));
      case 0xd2:
        return this.number(L, size, view.getInt32(at));
      case 0xd3:
        return this.number(L, size, Number(view.getBigInt64(at)));
      case 0xd9:
        return this.string(L, 2, view.getUint8(at));
      case 0xda:
        return this.string(L, 3, view.getUint16(at));
      case 0xdb:
        return this.string(L, 5, view.getUint32(at));
      case 0xdc:
        return this.array(L, 3, view.getUint16(at));
      case 0xdd:
        return this.array(L, 5, view.getUint32(at));
      case 0xde:
        return this.map(L, 3, view.getUint16(at));
      case 0xdf:
        return this.map(L, 5, view.getUint32(at));
      default:
        machine.throw(L, "Bad data format in input.");
    }
  }

  private number(L: LuaState, size: number, value: number): void {
    this.at += 1 + size;
    this.machine.api.lua_pushnumber(L, value);
  }

  private string(L: LuaState, header: number, length: number): void {
    this.need(L, header + length);
    const start = this.at + header;
    this.at = start + length;
    this.machine.pushBytes(L, this.buf, start, this.at);
  }

  private array(L: LuaState, header: number, length: number): void {
    const { api } = this.machine;
    this.at += header;
    api.lua_createtable(L, 0, 0);
    for (let i = 1; i <= length; i++) {
      this.value(L);
      api.lua_rawseti(L, -2, i);
    }
  }

  private map(L: LuaState, header: number, length: number): void {
    const { machine } = this;
    const { api } = machine;
    this.at += header;
    api.lua_createtable(L, 0, 0);
    for (let i = 0; i < length; i++) {
      this.value(L);
      this.value(L);
      const key = api.lua_type(L, -2);
      if (key === TYPE.nil) machine.throw(L, "table index is nil");
      if (key === TYPE.number && Number.isNaN(api.lua_tonumber(L, -2)))
        machine.throw(L, "table index is NaN");
      api.lua_rawset(L, -3);
    }
  }
}

/** Bytes behind the first one, of types 0xc0 to 0xdf: a number, or a length. */
const SIZES = [
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 1, 2, 4, 8],
  ...[1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4],
];
