import { latin1Bytes, quoteBytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { Clock } from "../host/clock.ts";

/** MONITOR: one line a command to each watching client, after the command was executed. */
export class MonitorFeed {
  private readonly watchers = new Set<Session>();

  /** A command is tried again that has been shown when it began to wait. */
  muted = false;

  constructor(private readonly clock: Clock) {}

  get active(): boolean {
    return this.watchers.size > 0 && !this.muted;
  }

  add(session: Session): void {
    session.monitor = true;
    this.watchers.add(session);
  }

  remove(session: Session): void {
    session.monitor = false;
    this.watchers.delete(session);
  }

  feed(call: Call, command: Command): void {
    if ((command.flags & (FLAGS.skip_monitor | FLAGS.admin)) === 0) this.show(call, command);
  }

  show(call: Call, command: Command): void {
    const now = this.clock.microseconds();
    const seconds = Math.floor(now / 1_000_000);
    const micros = String(now % 1_000_000).padStart(6, "0");
    const where = call.session.link.unixSocket
      ? `unix:${call.session.link.address.replace(/:0$/, "")}`
      : call.session.link.address;
    let line = `+${seconds}.${micros} [${call.session.dbIndex} ${where}]`;
    for (let i = 0; i < call.argc; i++) {
      const hidden = call.isRedacted(i) || (i > 0 && (command.flags & FLAGS.sensitive) !== 0);
      line += ` ${hidden ? '"(redacted)"' : quoteBytes(call.buf, call.start[i], call.end[i])}`;
    }
    const bytes = latin1Bytes(`${line}\r\n`);
    for (const session of this.watchers) {
      // Its own command's reply is in the writer already, and the line comes behind it; but a transaction's
      // reply is still being written, and the line must not get into the middle of it.
      if (session === call.session && !session.denyBlocking) call.reply.raw(bytes);
      else session.link.send(bytes);
    }
  }
}
