import { latin1Text } from "../bytes/ascii.ts";
import { parseDoubleLenient } from "../bytes/double.ts";
import { parseInt64Rounded } from "../bytes/int64.ts";
import type { LuaState, Machine } from "./lua/machine.ts";

/**
 * A reply of the protocol as a value of Lua (https://redis.io/docs/latest/develop/interact/programmability/lua-api/,
 * "Data type conversion"):
 *
 *   :1  number      $.. string    *.. table        $-1 *-1  false
 *   +OK {ok=}       -ERR {err=}
 *   RESP3:  _ nil   # boolean     , {double=}      ( {big_number=}   = {verbatim_string={string=, format=}}
 *           % {map={}}            ~ {set={x=true}}  | is left out
 */
const CR = 13;

export class ReplyToLua {
  private buf: Uint8Array = new Uint8Array(0);
  private at = 0;

  constructor(private readonly machine: Machine) {}

  /** Pushes the reply that stands at the beginning of `buf`. */
  push(L: LuaState, buf: Uint8Array): void {
    this.buf = buf;
    this.at = 0;
    this.value(L);
  }

  /** The position of the end of the line; the next one begins two behind it. */
  private lineEnd(): number {
    const { buf } = this;
    let end = this.at;
    while (buf[end] !== CR) end++;
    return end;
  }

  private length(): number {
    const { buf } = this;
    let value = 0;
    if (buf[this.at] === 45) {
      this.at = this.lineEnd() + 2;
      return -1;
    }
    while (buf[this.at] !== CR) value = value * 10 + buf[this.at++]! - 48;
    this.at += 2;
    return value;
  }

  private value(L: LuaState): void {
    const { machine, buf } = this;
    const { api } = machine;
    if (api.lua_checkstack(L, 6) === 0) throw new Error("no room on Lua's stack for the reply");
    const type = String.fromCharCode(buf[this.at++]!);
    switch (type) {
      case "$": {
        const length = this.length();
        if (length < 0) return api.lua_pushboolean(L, 0);
        machine.pushBytes(L, buf, this.at, this.at + length);
        this.at += length + 2;
        return;
      }
      case ":": {
        const end = this.lineEnd();
        api.lua_pushnumber(L, parseInt64Rounded(buf, this.at, end));
        this.at = end + 2;
        return;
      }
      case "*":
      case ">":
        return this.array(L, this.length());
      case "+":
        return this.field(L, "ok");
      case "-":
        return this.error(L);
      case "%":
        return this.keyed(L, this.length(), "map");
      case "~":
        return this.keyed(L, this.length(), "set");
      case "_":
        this.at += 2;
        return api.lua_pushnil(L);
      case "#":
        api.lua_pushboolean(L, buf[this.at] === 116 ? 1 : 0);
        this.at += 3;
        return;
      case ",": {
        const end = this.lineEnd();
        api.lua_createtable(L, 0, 1);
        api.lua_pushnumber(L, parseDoubleLenient(buf, this.at, end));
        machine.setField(L, -2, "double");
        this.at = end + 2;
        return;
      }
      case "(":
        return this.field(L, "big_number");
      case "=":
        return this.verbatim(L, this.length());
      case "|":
        for (let count = this.length() * 2; count > 0; count--) {
          this.value(L);
          machine.pop(L, 1);
        }
        return this.value(L);
      default:
        throw new Error(`a reply of type ${type}`);
    }
  }

  private field(L: LuaState, name: string): void {
    const { machine } = this;
    const end = this.lineEnd();
    machine.api.lua_createtable(L, 0, 1);
    machine.pushBytes(L, this.buf, this.at, end);
    machine.setField(L, -2, name);
    this.at = end + 2;
  }

  private error(L: LuaState): void {
    const end = this.lineEnd();
    pushError(this.machine, L, latin1Text(this.buf, this.at, end), true);
    this.at = end + 2;
  }

  private array(L: LuaState, length: number): void {
    const { api } = this.machine;
    if (length < 0) return api.lua_pushboolean(L, 0);
    api.lua_createtable(L, length, 0);
    for (let i = 1; i <= length; i++) {
      this.value(L);
      api.lua_rawseti(L, -2, i);
    }
  }

  /** A table in a table, under the name of its kind; the members of a set are keys of true. */
  private keyed(L: LuaState, length: number, kind: "map" | "set"): void {
    const { machine } = this;
    const { api } = machine;
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, length);
    for (let i = 0; i < length; i++) {
      this.value(L);
      if (kind === "map") this.value(L);
      else api.lua_pushboolean(L, 1);
      api.lua_rawset(L, -3);
    }
    machine.setField(L, -2, kind);
  }

  private verbatim(L: LuaState, length: number): void {
    const { machine, buf } = this;
    const { api } = machine;
    const FORMAT = 3;
    api.lua_createtable(L, 0, 1);
    api.lua_createtable(L, 0, 2);
    machine.pushBytes(L, buf, this.at + FORMAT + 1, this.at + length);
    machine.setField(L, -2, "string");
    machine.pushBytes(L, buf, this.at, this.at + FORMAT);
    machine.setField(L, -2, "format");
    machine.setField(L, -2, "verbatim_string");
    this.at += length + 2;
  }
}

/**
 * Pushes an error object. The text begins with its code where it is one of the server's errors; one of a single word
 * gets the code ERR. `counted`: it has been counted among the server's errors already.
 */
export function pushError(machine: Machine, L: LuaState, text: string, counted: boolean): void {
  const { api } = machine;
  const trimmed = text.replace(/[\r\n]+$/g, "");
  api.lua_createtable(L, 0, 2);
  machine.pushText(L, trimmed.includes(" ") ? trimmed : `ERR ${trimmed}`);
  machine.setField(L, -2, "err");
  if (!counted) return;
  api.lua_pushboolean(L, 1);
  machine.setField(L, -2, "ignore_error_stats_update");
}
