import { latin1Bytes, utf8 } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { oneKey } from "../call/key-specs.ts";
import type { Session } from "../call/session.ts";
import type { CommandSpec } from "../call/spec.ts";
import { NOTIFY } from "../config/special.ts";
import type { Log } from "../host/log.ts";
import { NO_EXPIRY } from "../keyspace/database.ts";
import { isPayload, readPayload, writePayload } from "../rdb/dump.ts";
import { RdbError } from "../rdb/format.ts";
import { type ReadContext, type ValueLimits, ValueReader } from "../rdb/read-value.ts";
import { RdbReader } from "../rdb/reader.ts";
import { clockOf } from "../rdb/usage.ts";
import { RdbWriter } from "../rdb/writer.ts";
import { CommandError, errors } from "../resp/errors.ts";
import type { HashSeeds } from "../types/home.ts";

/** DUMP and RESTORE: a value as bytes, and back. */

const REPLACE = latin1Bytes("replace");
const ABSTTL = latin1Bytes("absttl");
const IDLETIME = latin1Bytes("idletime");
const FREQ = latin1Bytes("freq");
const ABSTTL_NAME = latin1Bytes("ABSTTL");
const DEL = latin1Bytes("DEL");
const UNLINK = latin1Bytes("UNLINK");

/** The last moment that the 64 bits of an expiry can hold when it comes from a number. */
const FARTHEST = 2 ** 63 - 1024;

export interface DumpDeps {
  readonly config: {
    readonly values: Omit<ValueLimits, "packedThreshold"> & {
      readonly rdbcompression: boolean;
      readonly sanitizeDumpPayload: string;
      readonly lazyfreeLazyServerDel: boolean;
    };
  };
  readonly debugSettings: { readonly packedThreshold: number; readonly skipChecksums: boolean };
  readonly log: Pick<Log, "verbose">;
  readonly random: { readonly int32: () => number };
  readonly keyspace: { readonly context: HashSeeds };
}

/** The limits of values that hold now, wherever they are set. */
export function valueLimits({
  config,
  debugSettings,
}: Pick<DumpDeps, "config" | "debugSettings">): ValueLimits {
  return Object.create(config.values, {
    packedThreshold: { get: () => debugSettings.packedThreshold },
  }) as ValueLimits;
}

/** What reading values needs, from the server's parts. */
export function readContext(deps: DumpDeps): ReadContext {
  return {
    limits: valueLimits(deps),
    seeds: deps.keyspace.context,
    random: deps.random.int32,
  };
}

class Dump {
  private readonly writer: RdbWriter;
  private readonly values: ValueReader;

  constructor(private readonly deps: DumpDeps) {
    const { values } = deps.config;
    this.writer = new RdbWriter({
      checksum: true,
      get compress() {
        return values.rdbcompression;
      },
    });
    this.values = new ValueReader(new RdbReader(false), readContext(deps));
  }

  dump(call: Call): void {
    const position = call.lookup(1);
    if (position === 0) return call.reply.nil();
    const { writer } = this;
    writePayload(writer, call.db, position);
    call.reply.bulk(writer.buf, 0, writer.pos);
    writer.clear();
  }

  restore(call: Call): void {
    const options = readOptions(call);
    if (!options.replace && call.lookupWrite(1) !== 0)
      throw new CommandError("BUSYKEY Target key name already exists.");
    const ttl = call.int(2);
    if (ttl < 0) throw new CommandError("ERR Invalid TTL value, must be >= 0");
    this.read(call);
    const { db, buf, start, end } = call;
    const old = options.replace ? db.find(buf, start[1]!, end[1]!) : 0;
    if (old !== 0) db.remove(old);
    const { now } = db.context.clock;
    const at = ttl === 0 ? NO_EXPIRY : Math.min(options.absolute ? ttl : now + ttl, FARTHEST);
    if (ttl !== 0 && at <= now) {
      if (old !== 0) this.propagateRemoval(call);
    } else {
      const position = this.values.store(db, buf, start[1]!, end[1]!, at);
      const clock = clockOf(db.context, options.idle, options.frequency);
      if (clock >= 0) {
        db.records.setClock(position, clock);
        if (db.context.access.byChange) db.context.access.given = position;
      }
      call.dirty++;
      call.event(NOTIFY.generic, "restore", 1);
      if (ttl !== 0 && !options.absolute && call.recording) propagateAbsolute(call, at);
    }
    this.values.abandon();
    call.reply.ok();
  }

  /** Reads the payload in argument 3. */
  private read(call: Call): void {
    const { values, deps } = this;
    const start = call.start[3]!;
    const end = call.end[3]!;
    if (!isPayload(call.buf, start, end, deps.debugSettings.skipChecksums))
      throw new CommandError("ERR DUMP payload version or checksum are wrong");
    values.deep = isChecked(deps.config.values.sanitizeDumpPayload, call.session);
    try {
      readPayload(values, call.buf, start, end);
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      deps.log.verbose(`Internal error in RDB reading offset ${values.reader.offset} -> ${error.message}`);
      throw new CommandError("ERR Bad data format");
    } finally {
      values.reader.release();
    }
  }

  private propagateRemoval(call: Call): void {
    call.dirty++;
    call.event(NOTIFY.generic, "del", 1);
    const { lazyfreeLazyServerDel } = this.deps.config.values;
    if (call.recording) call.propagate(lazyfreeLazyServerDel ? UNLINK : DEL, call.bytes(1));
  }
}

/** Whether payloads are searched for what Redis does not expect; the server's own are trusted, and its master's. */
function isChecked(mode: string, { user }: Session): boolean {
  return mode === "yes" || (mode === "clients" && user !== null && !user.skipSanitize);
}

/** The same RESTORE with the moment of the expiry in place of the time to live. */
function propagateAbsolute(call: Call, at: number): void {
  const args: Uint8Array[] = [];
  for (let i = 0; i < call.argc; i++) args.push(call.bytes(i));
  args[2] = utf8(String(BigInt(at)));
  call.propagate(...args, ABSTTL_NAME);
}

class RestoreOptions {
  replace = false;
  absolute = false;
  idle = -1;
  frequency = -1;
}

function readOptions(call: Call): RestoreOptions {
  const options = new RestoreOptions();
  for (let i = 4; i < call.argc; i++) {
    const hasValue = i + 1 < call.argc;
    if (call.is(i, REPLACE)) options.replace = true;
    else if (call.is(i, ABSTTL)) options.absolute = true;
    else if (hasValue && options.frequency < 0 && call.is(i, IDLETIME)) {
      options.idle = call.int(++i);
      if (options.idle < 0) throw new CommandError("ERR Invalid IDLETIME value, must be >= 0");
    } else if (hasValue && options.idle < 0 && call.is(i, FREQ)) {
      options.frequency = call.int(++i);
      if (options.frequency < 0 || options.frequency > 255)
        throw new CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255");
    } else throw new CommandError(errors.syntax);
  }
  return options;
}

export function dumpCommands(deps: DumpDeps): CommandSpec[] {
  const dump = new Dump(deps);
  const restore: CommandSpec = {
    name: "restore",
    arity: -4,
    flags: ["write", "denyoom"],
    categories: ["keyspace", "dangerous"],
    keys: [oneKey("OW", "update")],
    since: "2.6.0",
    group: "generic",
    summary: "Creates a key from a serialized value.",
    complexity: "O(1) for the key, plus O(N*M) for N parts of size M, times log(N) for a sorted set",
    args: "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
    history: [
      ["3.0.0", "Option `REPLACE`."],
      ["5.0.0", "Option `ABSTTL`."],
      ["5.0.0", "Options `IDLETIME` and `FREQ`."],
    ],
    run: (call) => dump.restore(call),
  };
  return [
    {
      name: "dump",
      arity: 2,
      flags: ["readonly"],
      categories: ["keyspace"],
      keys: [oneKey("RO", "access")],
      since: "2.6.0",
      group: "generic",
      summary: "A key's value in serialized form.",
      complexity: "O(1) for the key, plus O(N*M) for N parts of size M",
      args: "key",
      tips: ["nondeterministic_output"],
      run: (call) => dump.dump(call),
    },
    restore,
    {
      ...restore,
      name: "restore-asking",
      flags: ["write", "denyoom", "asking"],
      since: "3.0.0",
      group: "server",
      summary: "As RESTORE, on a cluster node that is taking in the key's slot.",
    },
  ];
}
