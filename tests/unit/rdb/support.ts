/** What the tests of RDB share: commands run in this process, and pieces of the format put together by hand. */
import type { Blocking } from "../../../src/blocking/blocking.ts";
import { Crc64 } from "../../../src/bytes/crc64.ts";
import { Call } from "../../../src/call/call.ts";
import { Executor } from "../../../src/call/execute.ts";
import { KeyWatchers } from "../../../src/call/key-watchers.ts";
import { Registry } from "../../../src/call/registry.ts";
import { Session, type SessionLink } from "../../../src/call/session.ts";
import { SnapshotGuard } from "../../../src/call/snapshot-guard.ts";
import { databaseCommands } from "../../../src/commands/databases.ts";
import { dumpCommands } from "../../../src/commands/dump.ts";
import { expireCommands } from "../../../src/commands/expire.ts";
import { genericCommands } from "../../../src/commands/generic.ts";
import { hashCommands } from "../../../src/commands/hashes.ts";
import { listCommands } from "../../../src/commands/lists.ts";
import { objectCommands } from "../../../src/commands/object.ts";
import { setCommands } from "../../../src/commands/sets.ts";
import { sortCommands } from "../../../src/commands/sort.ts";
import { streamCommands } from "../../../src/commands/streams.ts";
import { stringCommands } from "../../../src/commands/strings.ts";
import { zsetCommands } from "../../../src/commands/zsets.ts";
import { Config } from "../../../src/config/config.ts";
import { DebugSettings } from "../../../src/config/debug-settings.ts";
import { Random } from "../../../src/host/random.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import type { ReadContext } from "../../../src/rdb/read-value.ts";
import { ReplyWriter } from "../../../src/resp/reply-writer.ts";
import { Request } from "../../../src/resp/request.ts";
import { Counters } from "../../../src/stats/counters.ts";
import { testContext } from "../keyspace/support.ts";

export type Arg = string | Uint8Array;

/** Who would wait is answered at once. */
const NEVER_BLOCKS = {
  has: () => false,
  onKeys: (call, _keys, _timeoutMs, _kind, onTimeout) => onTimeout(call.reply),
} satisfies Pick<Blocking, "has" | "onKeys"> as unknown as Blocking;

/** A server without sockets: commands in, replies and effects out. An exception in a command is thrown. */
export class Bench {
  readonly context = testContext();
  readonly keyspace = new Keyspace(this.context, 16);
  readonly config = new Config();
  readonly debugSettings = new DebugSettings();
  /** What was propagated by the last command. */
  effects: string[] = [];
  /** What was logged. */
  readonly lines: string[] = [];
  private readonly registry: Registry;
  private readonly call = new Call();
  private readonly executor: Executor;

  constructor() {
    const { keyspace, config, debugSettings } = this;
    const random = new Random(1);
    const log = { verbose: (line: string) => this.lines.push(line) };
    const deps = { keyspace, config, debugSettings, random, log, blocking: NEVER_BLOCKS };
    this.registry = new Registry([
      ...stringCommands({ protoMaxBulkLen: 512 * 1024 * 1024 }),
      ...listCommands(deps),
      ...setCommands(deps),
      ...hashCommands(deps),
      ...zsetCommands(deps),
      ...streamCommands(deps),
      ...genericCommands(deps),
      ...expireCommands(),
      ...objectCommands(),
      ...sortCommands(deps),
      ...databaseCommands(deps),
      ...dumpCommands(deps),
    ]);
    this.call.session = new Session(1, {} as SessionLink, 0);
    this.call.reply = new ReplyWriter();
    this.executor = new Executor({
      monitors: { active: false, feed() {} },
      clock: this.context.clock,
      counters: new Counters(),
      effects: {
        active: true,
        record: (call) => {
          const asItCame = [Array.from({ length: call.argc }, (_, i) => call.bytes(i))];
          for (const args of call.effects ?? asItCame)
            this.effects.push(args.map((arg) => Buffer.from(arg).toString("latin1")).join(" "));
        },
        begin: () => {},
        end: () => {},
      },
      keyWatchers: new KeyWatchers(),
      snapshots: new SnapshotGuard(() => []),
      onBug: (error) => {
        throw error;
      },
      onSlow: () => {},
      slowThreshold: Number.POSITIVE_INFINITY,
      timeEach: false,
      trackLatency: false,
    });
  }

  /** What reading values needs. */
  get readContext(): ReadContext {
    const { config, context, debugSettings } = this;
    return {
      limits: Object.create(config.values, { packedThreshold: { value: debugSettings.packedThreshold } }),
      seeds: context,
      random: context.random,
    };
  }

  /** Runs a command; the reply as it would go out, one character a byte. */
  run(...args: Arg[]): string {
    return this.bytes(...args).toString("latin1");
  }

  bytes(...args: Arg[]): Buffer {
    const { call } = this;
    this.effects = [];
    call.load(Request.of(args.map((arg) => (typeof arg === "string" ? latin1(arg) : arg))));
    call.db = this.keyspace.select(0);
    call.reply.clear();
    this.executor.execute(call, this.registry.lookup(call)!);
    return Buffer.from(call.reply.buf.slice(0, call.reply.pos));
  }

  dump(key: string): Uint8Array {
    const reply = this.bytes("DUMP", key);
    return new Uint8Array(reply.subarray(reply.indexOf(10) + 1, reply.length - 2));
  }

  restore(payload: Uint8Array, key = "k"): string {
    return this.run("RESTORE", key, "0", payload, "REPLACE");
  }
}

export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function join(...parts: (Arg | number)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === "number" ? Buffer.of(part) : Buffer.from(part as string, "latin1"),
      ),
    ),
  );
}

/** A payload of this body. */
export function payload(body: Uint8Array, version = 11): Uint8Array {
  const bytes = join(body, version & 255, version >> 8, new Uint8Array(8));
  const end = bytes.length - 8;
  new Crc64().update(bytes, 0, end).writeTo(bytes, end);
  return bytes;
}

/** A file of these parts, with a checksum where the version has one. */
export function file(version: number, ...parts: (Arg | number)[]): Uint8Array {
  const bytes = join(`REDIS${String(version).padStart(4, "0")}`, ...parts, 255);
  if (version < 5) return bytes;
  const sum = new Uint8Array(8);
  new Crc64().update(bytes, 0, bytes.length).writeTo(sum, 0);
  return join(bytes, sum);
}

/** A string of less than 64 bytes, or with a length of 32 bits. */
export function string(value: Arg): Uint8Array {
  const bytes = typeof value === "string" ? latin1(value) : value;
  if (bytes.length < 64) return join(bytes.length, bytes);
  const head = new Uint8Array(5);
  head[0] = 0x80;
  new DataView(head.buffer).setUint32(1, bytes.length);
  return join(head, bytes);
}

/** A ziplist entry's encoding and value: a text, or an integer in the smallest form. */
function ziplistValue(value: string | number | bigint): Uint8Array {
  if (typeof value === "string") {
    const bytes = latin1(value);
    if (bytes.length < 64) return join(bytes.length, bytes);
    if (bytes.length < 16384) return join(0x40 | (bytes.length >> 8), bytes.length & 255, bytes);
    const head = new Uint8Array(5);
    head[0] = 0x80;
    new DataView(head.buffer).setUint32(1, bytes.length);
    return join(head, bytes);
  }
  const number = Number(value);
  if (number >= 0 && number <= 12) return Uint8Array.of(0xf1 + number);
  const sizes: [number, number][] = [
    [1, 0xfe],
    [2, 0xc0],
    [3, 0xf0],
    [4, 0xd0],
    [8, 0xe0],
  ];
  const [size, code] = sizes.find(([n]) => Math.abs(number + 0.5) < 2 ** (8 * n - 1))!;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return join(code, bytes.subarray(0, size));
}

export function ziplist(...values: (string | number | bigint)[]): Uint8Array {
  let entries = new Uint8Array(0);
  let before = 0;
  let tail = 10;
  for (const value of values) {
    const length = new Uint8Array(before < 254 ? 1 : 5);
    if (before < 254) length[0] = before;
    else {
      length[0] = 254;
      new DataView(length.buffer).setUint32(1, before, true);
    }
    const entry = join(length, ziplistValue(value));
    tail = 10 + entries.length;
    before = entry.length;
    entries = join(entries, entry);
  }
  const head = new Uint8Array(10);
  const view = new DataView(head.buffer);
  view.setUint32(0, entries.length + 11, true);
  view.setUint32(4, tail, true);
  view.setUint16(8, values.length, true);
  return join(head, entries, 255);
}

export function zipmap(...pairs: [string, string][]): Uint8Array {
  const length = (text: string): Uint8Array => {
    if (text.length < 254) return Uint8Array.of(text.length);
    const bytes = new Uint8Array(5);
    bytes[0] = 254;
    new DataView(bytes.buffer).setUint32(1, text.length, true);
    return bytes;
  };
  const fields = pairs.map(([name, value]) => join(length(name), name, length(value), 2, value, "??"));
  return join(Math.min(254, pairs.length), ...fields, 255);
}
