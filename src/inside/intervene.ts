import { latin1Bytes } from "../bytes/ascii.ts";
import { Call } from "../call/call.ts";
import { noLink, Session } from "../call/session.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { Request } from "../resp/request.ts";
import type { Server } from "../server/server.ts";

/** What a test does to a server from outside of any connection: each is an event of its own, as a client's request. */

const FLUSHALL = Request.of([latin1Bytes("FLUSHALL")]);

/** Empties all databases; watchers, caches, replicas and the append-only file hear of it. */
export function flushAll(server: Server): void {
  event(server, () => {
    const command = server.registry.original("flushall")!;
    const call = new Call();
    const session = new Session(0, noLink({ unixSocket: true }), server.clock.now);
    session.denyBlocking = true;
    session.lastCommand = command;
    call.reply = new ReplyWriter(64);
    call.session = session;
    call.load(FLUSHALL);
    call.db = server.keyspace.select(0);
    server.executor.execute(call, command);
    server.executor.settle();
  });
}

/** Lets time pass, and what falls due come about: keys, fields of hashes, timeouts of who waits, pauses. */
export function moveClock(server: Server, milliseconds: number): void {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0)
    throw new RangeError("advance takes whole milliseconds, from 0 on");
  server.clock.advance(milliseconds);
  event(server, () => {
    server.pause.check(server.clock.now);
    if (server.cronDeps.activeExpire) server.keyspace.expireNow();
    // Who waits for a key's end is served before who has waited long enough.
    if (server.blocking.hasReady) server.blocking.serve();
    server.blocking.clockMoved();
  });
}

function event(server: Server, act: () => void): void {
  server.clock.update();
  server.executor.begin();
  act();
  if (server.blocking.hasReady) server.blocking.serve();
  server.turn.schedule();
}
