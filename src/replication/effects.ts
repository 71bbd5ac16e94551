import type { EffectBuffer } from "../aof/effect-buffer.ts";
import type { Call } from "../call/call.ts";
import type { EffectSink } from "../call/execute.ts";
import type { ReplicationStream } from "./stream.ts";

/** Where effects go: to the append-only file and to replicas, whichever there is. */
export class Effects implements EffectSink {
  constructor(
    private readonly aof: EffectBuffer & { readonly appended: number },
    private readonly stream: ReplicationStream,
  ) {}

  get active(): boolean {
    return this.aof.active || this.stream.active;
  }

  record(call: Call): void {
    const { aof, stream } = this;
    const { session, forReplicasOnly } = call;
    call.forReplicasOnly = false;
    if (aof.active && !forReplicasOnly && (session.propagate & 1) !== 0) {
      aof.record(call);
      session.aofOffset = aof.appended;
    }
    if (stream.active && (session.propagate & 2) !== 0) {
      stream.record(call);
      session.writeOffset = stream.offset;
    }
  }

  /** A command that no call made: an expired or evicted key. */
  command(database: number, args: readonly Uint8Array[]): void {
    if (this.aof.active) this.aof.command(database, args);
    if (this.stream.active) this.stream.command(database, args);
  }

  begin(): void {
    this.aof.begin();
    this.stream.begin();
  }

  end(): void {
    this.aof.end();
    this.stream.end();
  }
}
