import { latin1Bytes, latin1Text } from "../../bytes/ascii.ts";
import { Call } from "../../call/call.ts";
import type { KeyList } from "../../call/keys.ts";
import type { Command, Registry } from "../../call/registry.ts";
import type { Session } from "../../call/session.ts";
import { FLAGS } from "../../call/spec.ts";
import type { Database } from "../../keyspace/database.ts";
import { ReplyWriter } from "../../resp/reply-writer.ts";
import { Request } from "../../resp/request.ts";

/**
 * SCRIPT DEBUG YES: what the script changes is taken back when it has ended. Redis lets a copy of its process run the
 * script; here a key is dumped before its first change and restored at the end, by the commands DUMP and RESTORE.
 *
 * Nothing of it is propagated or told to others meanwhile. Commands whose keys are not known beforehand (FLUSHALL) or
 * that reach other clients (PUBLISH) could not be taken back and are refused.
 */
const DUMP = latin1Bytes("DUMP");
const PEXPIRETIME = latin1Bytes("PEXPIRETIME");
const RESTORE = latin1Bytes("RESTORE");
const DEL = latin1Bytes("DEL");
const REPLACE = latin1Bytes("REPLACE");
const ABSTTL = latin1Bytes("ABSTTL");
const NULL_BULK = latin1Bytes("$-1");

export const NOT_UNDONE =
  "ERR Its effects could not be taken back: this command is only possible with SCRIPT DEBUG SYNC";

export interface UndoDeps {
  readonly keyspace: { select(id: number): Database };
  readonly registry: Registry;
  execute(call: Call, command: Command): void;
}

interface Saved {
  readonly database: number;
  readonly key: Uint8Array;
  /** Null: there was no such key. */
  readonly payload: Uint8Array | null;
  /** Milliseconds since 1970; 0: never. */
  readonly expireAt: number;
}

export class Undo {
  private readonly saved = new Map<string, Saved>();
  private readonly keys: KeyList = [];
  private readonly call = new Call();
  private readonly writer = new ReplyWriter(1024);

  /** `session`: the script's; its database is left alone. */
  constructor(
    private readonly deps: UndoDeps,
    private readonly session: Session,
  ) {
    this.call.session = session;
    this.call.reply = this.writer;
  }

  /** Whether what the call does can be taken back; what it may change is put aside. */
  before(call: Call, command: Command): boolean {
    const { flags } = command;
    if ((flags & FLAGS.write) === 0) return (flags & FLAGS.may_replicate) === 0;
    if (command.keys.find(call, this.keys) === 0) return false;
    for (let i = 0; i < this.keys.length; i += 2) this.save(call.bytes(this.keys[i]!));
    return true;
  }

  private save(key: Uint8Array): void {
    const { dbIndex } = this.session;
    const name = `${dbIndex}:${latin1Text(key, 0, key.length)}`;
    if (this.saved.has(name)) return;
    const dump = this.run(DUMP, key);
    const absent = NULL_BULK.every((byte, i) => dump[i] === byte);
    const payload = absent ? null : dump.slice(dump.indexOf(10) + 1, dump.length - 2);
    const time = this.run(PEXPIRETIME, key);
    const expireAt = Math.max(0, Number(latin1Text(time, 1, time.length - 2)));
    this.saved.set(name, { database: dbIndex, key, payload, expireAt });
  }

  /** Everything is as it was. */
  rollBack(): void {
    const { dbIndex } = this.session;
    for (const { database, key, payload, expireAt } of this.saved.values()) {
      this.session.dbIndex = database;
      if (payload === null) this.run(DEL, key);
      else this.run(RESTORE, key, latin1Bytes(String(expireAt)), payload, REPLACE, ABSTTL);
    }
    this.saved.clear();
    this.session.dbIndex = dbIndex;
  }

  private run(...args: Uint8Array[]): Uint8Array {
    const { call, deps, writer } = this;
    call.load(Request.of(args));
    call.db = deps.keyspace.select(this.session.dbIndex);
    writer.clear();
    writer.resp = 2;
    deps.execute(call, deps.registry.lookup(call)!);
    return writer.buf.slice(0, writer.pos);
  }
}
