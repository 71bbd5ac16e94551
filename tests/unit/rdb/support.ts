/** What the tests of RDB share: commands run in this process. */
import type { Blocking } from "../../../src/blocking/blocking.ts";
import { Call } from "../../../src/call/call.ts";
import { Executor } from "../../../src/call/execute.ts";
import { KeyWatchers } from "../../../src/call/key-watchers.ts";
import { Registry } from "../../../src/call/registry.ts";
import { Session, type SessionLink } from "../../../src/call/session.ts";
import { SnapshotGuard } from "../../../src/call/snapshot-guard.ts";
import { arrayCommands } from "../../../src/commands/arrays.ts";
import { bitmapCommands } from "../../../src/commands/bitmaps.ts";
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
import { vectorCommands } from "../../../src/commands/vectors.ts";
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
import { type Arg, latin1 } from "./payloads.ts";

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
  readonly snapshots = new SnapshotGuard(() => this.keyspace.all());
  private readonly registry: Registry;
  private readonly call = new Call();
  private readonly executor: Executor;

  constructor() {
    const { keyspace, config, debugSettings } = this;
    const random = new Random(1);
    const log = { verbose: (line: string) => this.lines.push(line) };
    const acl = { mayReadAnyKey: () => true };
    const deps = { acl, keyspace, config, debugSettings, random, log, blocking: NEVER_BLOCKS };
    this.registry = new Registry([
      ...stringCommands({ protoMaxBulkLen: 512 * 1024 * 1024 }),
      ...bitmapCommands({ protoMaxBulkLen: 512 * 1024 * 1024 }),
      ...listCommands(deps),
      ...setCommands(deps),
      ...hashCommands(deps),
      ...zsetCommands(deps),
      ...streamCommands(deps),
      ...arrayCommands(),
      ...vectorCommands(),
      ...genericCommands(deps),
      ...expireCommands(),
      ...objectCommands(),
      ...sortCommands(deps),
      ...databaseCommands({ config, keyspace, persistence: { flushed() {} } }),
      ...dumpCommands(deps),
    ]);
    this.call.session = new Session(1, {} as SessionLink, 0);
    this.call.reply = new ReplyWriter();
    this.executor = new Executor({
      hotKeys: null,
      reads: { active: false, executed() {} },
      monitors: { active: false, feed() {}, show() {} },
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
      snapshots: this.snapshots,
      localWrites: null,
      onBug: (error) => {
        throw error;
      },
      onSlow: () => {},
      onLarge: () => {},
      largeRequest: Number.POSITIVE_INFINITY,
      largeReply: Number.POSITIVE_INFINITY,
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
