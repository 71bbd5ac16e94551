import type { Session } from "./session.ts";

/**
 * The line that CLIENT LIST, CLIENT INFO and the log print of a client, field by field as Redis 7.2 prints it
 * (https://redis.io/docs/latest/commands/client-list/).
 *
 * Replies are gathered in one buffer of the server, so a client has no reply buffer of its own: `rbs`, `rbp`
 * and `obl` are 0, and what waits for the kernel counts under `oll` and `omem`.
 */

/** Bytes of a connection's objects (socket, session, reader) apart from its buffers, measured over 10,000. */
export const CLIENT_BYTES = 2048;

/** What a client takes altogether, in bytes. */
export function clientMemory(session: Session): number {
  const { link } = session;
  return (
    CLIENT_BYTES +
    link.queryCapacity +
    link.outputBytes +
    session.heldOutput +
    session.argvBytes +
    session.queuedBytes +
    session.watchedBytes +
    session.subscriptionBytes +
    (session.tracking?.prefixBytes ?? 0)
  );
}

/** What a client counts for: also what it has announced and not yet sent, as in Redis, where that takes memory at once. */
export function chargedMemory(session: Session): number {
  return clientMemory(session) + session.link.announcedBytes;
}

/** The letters under `flags`. */
export function clientFlags(session: Session): string {
  const { link } = session;
  let flags = "";
  if (session.role === "replica") flags += "S";
  if (session.role === "master") flags += "M";
  if (session.monitor) flags += "O";
  if (session.subscribed) flags += "P";
  if (session.inTransaction || session.executingCommands > 0) flags += "x";
  if (link.suspended) flags += "b";
  if (session.tracking !== null) {
    flags += "t";
    if (session.tracking.brokenRedirect) flags += "R";
    if (session.tracking.broadcast) flags += "B";
  }
  if (session.watchedTouched) flags += "d";
  if (session.closing) flags += "c";
  if (link.unixSocket) flags += "U";
  if (session.readsReplica) flags += "r";
  if (session.noEvict) flags += "e";
  if (session.noTouch) flags += "T";
  return flags === "" ? "N" : flags;
}

export function secondsSince(since: number, now: number): number {
  return Math.max(0, Math.floor(now / 1000) - Math.floor(since / 1000));
}

/** Names may hold a NUL: what stands behind it Redis neither looks at nor shows. */
export function upToNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** `now` in milliseconds since 1970; no line break at the end. */
export function clientInfo(session: Session, now: number): string {
  const { link } = session;
  return (
    `id=${session.id} addr=${link.address} laddr=${link.localAddress} fd=${link.fd} name=${upToNul(session.name)}` +
    ` age=${secondsSince(session.createdAt, now)} idle=${secondsSince(session.lastInteraction, now)} flags=${clientFlags(session)}` +
    ` db=${session.dbIndex} sub=${session.channels} psub=${session.patterns}` +
    ` ssub=${session.shardSubscriptions} multi=${session.inTransaction ? session.queuedCommands : session.executingCommands || -1} qbuf=${link.queryBytes}` +
    ` qbuf-free=${link.queryCapacity + link.announcedBytes - link.queryBytes - link.argumentBytes} argv-mem=${session.argvBytes + link.argumentBytes} multi-mem=${session.queuedBytes} rbs=0 rbp=0` +
    ` obl=0 oll=${link.outputPieces} omem=${link.outputBytes} tot-mem=${chargedMemory(session)}` +
    ` events=${link.outputBytes > 0 ? "rw" : "r"} cmd=${session.lastCommand?.fullName ?? "NULL"}` +
    ` user=${session.user?.name ?? "(superuser)"} redir=${session.tracking?.redirect ?? -1} resp=${session.resp} lib-name=${upToNul(session.libName)} lib-ver=${upToNul(session.libVersion)}`
  );
}
