import type { ReplyWriter } from "../resp/reply-writer.ts";
import { type LuaState, type Machine, TYPE } from "./lua/machine.ts";

/**
 * A script's value as a reply, the way back from resp-to-lua.ts. A table is what its first field of these says: err,
 * ok, double, big_number, verbatim_string, map, set; else an array up to its first nil. Fields are read as they are
 * in the table, past any metatable.
 */
/** Tables in tables, at most: what lies deeper is an error in the midst of the reply, as where Lua's stack is full. */
const DEEPEST = 2500;
const SAFE = Number.MAX_SAFE_INTEGER;
const INT64_MIN = -(2n ** 63n);

export class LuaToReply {
  /** Version of the protocol that the script has set, which decides on booleans. */
  resp: 2 | 3 = 2;
  private depth = 0;

  constructor(private readonly machine: Machine) {}

  /** Writes the value on top of the stack, and takes it off. */
  write(L: LuaState, reply: ReplyWriter): void {
    const { machine } = this;
    const { api } = machine;
    const type = api.lua_type(L, -1);
    if (this.depth > DEEPEST || api.lua_checkstack(L, 4) === 0) reply.error("ERR reached lua stack limit");
    else if (type === TYPE.string) {
      machine.string(L, -1);
      reply.bulk(machine.heap, machine.at, machine.at + machine.length);
    } else if (type === TYPE.number) writeInteger(reply, api.lua_tonumber(L, -1));
    else if (type === TYPE.boolean) this.boolean(reply, api.lua_toboolean(L, -1) !== 0);
    else if (type === TYPE.table) {
      this.depth++;
      this.table(L, reply);
      this.depth--;
    } else reply.nil();
    machine.pop(L, 1);
  }

  private boolean(reply: ReplyWriter, value: boolean): void {
    if (this.resp === 3) reply.bool(value);
    else if (value) reply.int(1);
    else reply.nil();
  }

  /** Pushes a field of the table on top of the stack; false where it is not of the type, and is not there then. */
  private field(L: LuaState, name: string, type: number): boolean {
    const { machine } = this;
    machine.pushText(L, name);
    machine.api.lua_rawget(L, -2);
    if (machine.api.lua_type(L, -1) === type) return true;
    machine.pop(L, 1);
    return false;
  }

  private table(L: LuaState, reply: ReplyWriter): void {
    const { machine } = this;
    const { api } = machine;
    if (this.field(L, "err", TYPE.string)) {
      machine.pop(L, 1);
      const { message, counted } = readError(machine, L);
      reply.error(message);
      reply.lastErrorCounted = counted;
    } else if (this.field(L, "ok", TYPE.string)) {
      const text = machine.text(L, -1)!;
      machine.pop(L, 1);
      reply.simple(untilNul(text).replace(/[\r\n]/g, " "));
    } else if (this.field(L, "double", TYPE.number)) {
      const value = api.lua_tonumber(L, -1);
      machine.pop(L, 1);
      reply.double(value);
    } else if (this.field(L, "big_number", TYPE.string)) {
      const text = machine.text(L, -1)!;
      machine.pop(L, 1);
      reply.bigNumber(text.replace(/[\r\n]/g, " "));
    } else if (!this.verbatim(L, reply) && !this.collection(L, reply)) this.array(L, reply);
  }

  private verbatim(L: LuaState, reply: ReplyWriter): boolean {
    const { machine } = this;
    if (!this.field(L, "verbatim_string", TYPE.table)) return false;
    const depth = machine.api.lua_gettop(L);
    let text: string | null = null;
    let format = "";
    if (this.field(L, "format", TYPE.string)) {
      format = untilNul(machine.text(L, -1)!);
      machine.pop(L, 1);
      if (this.field(L, "string", TYPE.string)) text = machine.text(L, -1);
    }
    machine.api.lua_settop(L, depth - 1);
    if (text === null) return false;
    reply.verbatim(format.slice(0, 3).padEnd(3), text);
    return true;
  }

  private collection(L: LuaState, reply: ReplyWriter): boolean {
    const { machine } = this;
    const { api } = machine;
    const kind = this.field(L, "map", TYPE.table) ? "map" : this.field(L, "set", TYPE.table) ? "set" : null;
    if (kind === null) return false;
    const mark = reply.deferred();
    let length = 0;
    api.lua_pushnil(L);
    while (api.lua_next(L, -2) !== 0) {
      // The key is needed to go on from; writing takes what it writes off the stack.
      if (kind === "set") machine.pop(L, 1);
      api.lua_pushvalue(L, kind === "map" ? -2 : -1);
      this.write(L, reply);
      if (kind === "map") this.write(L, reply);
      length++;
    }
    machine.pop(L, 1);
    reply.endDeferred(mark, kind, length);
    return true;
  }

  private array(L: LuaState, reply: ReplyWriter): void {
    const { machine } = this;
    const { api } = machine;
    const mark = reply.deferred();
    let length = 0;
    for (;;) {
      api.lua_rawgeti(L, -1, length + 1);
      if (api.lua_type(L, -1) === TYPE.nil) break;
      this.write(L, reply);
      length++;
    }
    machine.pop(L, 1);
    reply.endDeferred(mark, "array", length);
  }
}

/** As C turns a double into a 64-bit integer. */
function writeInteger(reply: ReplyWriter, value: number): void {
  const whole = Math.trunc(value);
  if (Math.abs(whole) <= SAFE) reply.int(whole + 0);
  else if (Math.abs(whole) < 2 ** 63) reply.bigint(BigInt(whole));
  else reply.bigint(INT64_MIN);
}

/** The part of a text that C sees. */
export function untilNul(text: string): string {
  const at = text.indexOf("\0");
  return at < 0 ? text : text.slice(0, at);
}

export interface ScriptError {
  message: string;
  /** It has been counted among the server's errors already. */
  counted: boolean;
  /** Where it was raised, as far as that is known. */
  source: string | null;
  line: string | null;
}

/** What the error on top of the stack says, which stays there. */
export function readError(machine: Machine, L: LuaState): ScriptError {
  const { api } = machine;
  const text = (name: string): string | null => {
    machine.pushText(L, name);
    api.lua_rawget(L, -2);
    const value = api.lua_isstring(L, -1) !== 0 ? untilNul(machine.text(L, -1)!) : null;
    machine.pop(L, 1);
    return value;
  };
  if (api.lua_type(L, -1) !== TYPE.table) {
    const message = machine.text(L, -1);
    return { message: `ERR ${untilNul(message ?? "")}`, counted: false, source: null, line: null };
  }
  machine.pushText(L, "ignore_error_stats_update");
  api.lua_rawget(L, -2);
  const counted = api.lua_toboolean(L, -1) !== 0;
  machine.pop(L, 1);
  return {
    message: text("err") ?? "ERR the script raised an error that is no text",
    counted,
    source: text("source"),
    line: text("line"),
  };
}
