/** What the propagation tests share: an executor whose effects are written down instead of going to an AOF. */
import { Call } from "../../../src/call/call.ts";
import { type EffectSink, Executor } from "../../../src/call/execute.ts";
import { KeyWatchers } from "../../../src/call/key-watchers.ts";
import { Session, type SessionLink } from "../../../src/call/session.ts";
import { SnapshotGuard } from "../../../src/call/snapshot-guard.ts";
import type { Clock } from "../../../src/host/clock.ts";
import { ReplyWriter } from "../../../src/resp/reply-writer.ts";
import { Counters } from "../../../src/stats/counters.ts";

export class Recorder {
  /** The effects so far, each as its words. */
  recorded: string[][] = [];
  readonly call = new Call();
  readonly executor: Executor;
  private readonly sink: EffectSink = {
    active: true,
    record: (call) => {
      const asItCame = [Array.from({ length: call.argc }, (_, i) => call.bytes(i))];
      for (const args of call.effects ?? asItCame)
        this.recorded.push(args.map((arg) => Buffer.from(arg).toString("latin1")));
    },
    begin: () => {},
    end: () => {},
  };

  constructor(clock: Clock) {
    this.executor = new Executor({
      hotKeys: null,
      reads: { active: false, executed() {} },
      monitors: { active: false, feed() {}, show() {} },
      clock,
      counters: new Counters(),
      effects: this.sink,
      keyWatchers: new KeyWatchers(),
      snapshots: new SnapshotGuard(() => []),
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
    // No command of these tests asks for its connection.
    this.call.session = new Session(1, {} as SessionLink, 0);
    this.call.reply = new ReplyWriter();
  }

  /** The effects so far, each as a line. */
  get lines(): string[] {
    return this.recorded.map((words) => words.join(" "));
  }
}
