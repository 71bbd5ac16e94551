import type { Socket, SocketHandler } from "bun";
import type { Session } from "../call/session.ts";
import { type ReceiveRing, receiveRing } from "../host/receive-ring.ts";
import { release } from "../memory/arena.ts";
import { Connection, type Wire } from "./connection.ts";
import type { Endpoint } from "./listeners.ts";
import { refuseConnection } from "./refuse-connection.ts";
import { type RingHandlers, RingSocket } from "./ring-socket.ts";
import type { Server } from "./server.ts";

/**
 * What the sockets tell: a client has come, has sent something, can take more, is gone. Its bytes go to its
 * connection's reader and from there, as commands, to the dispatcher; connections whose commands wait for something
 * are kept here until they go on.
 */

/** Chunks of this size are given back as soon as they are read. */
const WORTH_RELEASING = 16 * 1024;
/** From more clients than this in a turn of the loop on, the ring pays. */
const CROWD = 4;

export class Sockets {
  /** Their commands wait: for the end of a pause, or for an answer that comes later. */
  private readonly suspended = new Set<Connection>();

  /** What receives from many sockets at once, if it has been needed and can be had. */
  private ring: ReceiveRing | null = null;
  private readonly ringHandlers: RingHandlers = {
    data: (connection, bytes) => this.received(connection, bytes),
    drain: (connection) => this.drained(connection),
    end: (connection) => this.ended(connection),
    error: (connection) => connection.close("now"),
  };

  constructor(private readonly server: Server) {}

  /** Clients whose commands wait. */
  get waiting(): number {
    return this.suspended.size;
  }

  /** No more commands of this connection until it is told to go on. */
  suspend(connection: Connection): void {
    this.suspended.add(connection);
  }

  forget(connection: Connection): void {
    this.suspended.delete(connection);
  }

  /** What Bun.listen is given. */
  handlers(kind: Endpoint["kind"]): SocketHandler<Connection | undefined> {
    const { log, config } = this.server;
    return {
      binaryType: "uint8array",
      open: (socket) => this.opened(socket, kind),
      data: (socket, chunk) => {
        const connection = socket.data;
        this.received(connection, chunk);
        if (connection !== undefined && this.crowded) this.takeOver(connection, socket);
        // What is left of it has been copied. Large ones would soon be more than the data.
        if (chunk.length >= WORTH_RELEASING) release(chunk);
      },
      drain: (socket) => this.drained(socket.data),
      end: (socket) => this.ended(socket.data),
      handshake: (socket, _success, error) => {
        // With "optional" a client may come without a certificate, but not with a false one.
        // Whatever the types say, there is no error if all is well and no certificate if none was given.
        if (!error || !socket.getPeerCertificate()?.subject) return;
        log.verbose(`Error accepting a client connection: ${error.message} (addr=${socket.data?.address})`);
        if (config.values.tlsAuthClients === "optional") socket.data?.close("now");
      },
      close: (socket) => socket.data?.drop(),
      error: (socket, error) => {
        log.verbose(`Socket error of ${socket.data?.address}: ${error.message}`);
        socket.data?.drop();
      },
    };
  }

  private opened(socket: Socket<Connection | undefined>, kind: Endpoint["kind"]): void {
    const { clock, config, acl, clients, counters } = this.server;
    clock.update();
    const { values } = config;
    const open = acl.defaultUser.noPassword;
    const refusal = refuseConnection(values, clients.count, open, kind, socket);
    if (refusal !== null) {
      counters.rejectedConnections++;
      socket.write(`-${refusal}\r\n`);
      socket.close();
      return;
    }
    counters.connections++;
    socket.data = this.connect(socket, kind);
    if (kind !== "unix" && values.tcpKeepalive > 0) socket.setKeepAlive(true, values.tcpKeepalive * 1000);
  }

  /** A client at the other end of this wire, not logged in yet. */
  connect(wire: Wire, kind: Endpoint["kind"]): Connection {
    const { clock, acl, clients, config } = this.server;
    clock.update();
    const connection = new Connection(this.server, wire, clients.nextId(), kind, config.values.unixsocket);
    acl.admit(connection.session);
    clients.add(connection);
    return connection;
  }

  /** The client has sent something; the chunk is the server's until this returns. */
  received(connection: Connection | undefined, chunk: Uint8Array): void {
    if (connection === undefined || connection.closed) return;
    const { clock, counters, clientEviction } = this.server;
    clock.update();
    counters.netInput += chunk.length;
    counters.reads++;
    connection.session.lastInteraction = clock.now;
    try {
      connection.reader.feed(chunk);
    } catch (error) {
      return this.failed(connection, error);
    }
    if (clientEviction.active) {
      clientEviction.note(connection);
      clientEviction.enforce();
      if (connection.closed) return;
    }
    this.process(connection);
  }

  /** It takes bytes again. */
  private drained(connection: Connection | undefined): void {
    this.server.clock.update();
    connection?.drain();
  }

  private ended(connection: Connection | undefined): void {
    // The client sends no more, but it may read on: what it was answered in this turn goes out first.
    this.server.turn.sendHeld();
    connection?.finish();
  }

  /** Many clients have something to say at the same time. */
  private get crowded(): boolean {
    return this.server.turn.clients > CROWD || (this.ring !== null && this.ring.lastBatch > CROWD);
  }

  /** From now on, the connection's bytes come through the ring of receives, if the system has one. */
  private takeOver(connection: Connection, from: Socket<Connection | undefined>): void {
    if (!this.server.config.values.ioUring || !connection.ready) return;
    this.ring ??= receiveRing();
    const socket = this.ring === null ? null : RingSocket.of(connection, from, this.ring, this.ringHandlers);
    if (socket === null) return;
    connection.moveTo(socket);
    from.data = undefined;
    from.close();
  }

  /** Runs the connection's commands and writes what they, and whoever they touched, have to say. */
  private process(connection: Connection): void {
    const { counters, writer, dispatcher, outbox, turn, config, clientEviction, executor } = this.server;
    const commands = counters.commands;
    const mark = writer.pos;
    try {
      dispatcher.run(connection);
    } catch (error) {
      writer.pos = Math.min(mark, writer.pos);
      writer.limit = Number.POSITIVE_INFINITY;
      outbox.executing = null;
      turn.forgetWrites(writer.pos);
      this.failed(connection, error);
    }
    if (connection.suspended) connection.deliver();
    if (connection.reader.pending > config.values.clientQueryBufferLimit)
      this.queryBufferExceeded(connection);
    if (clientEviction.active) {
      clientEviction.note(connection);
      clientEviction.enforce();
    }
    counters.countCycle(executor.eventTime / 1000, counters.commands - commands);
  }

  /**
   * An exception outside of a command's handler: a bug, or no memory for a huge request. It ends this client
   * alone; the replies begun must not go to the next one.
   */
  private failed(connection: Connection, error: unknown): void {
    const { counters, log } = this.server;
    counters.unexpectedErrors++;
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.warning(`Exception while serving ${connection.address}, which is disconnected: ${trace}`);
    connection.close("now");
  }

  private queryBufferExceeded(connection: Connection): void {
    const { counters, log } = this.server;
    counters.queryBufferLimitDisconnections++;
    log.warning(
      `Closing client that reached max query buffer length: id=${connection.session.id} addr=${connection.address}`,
    );
    connection.close("now");
  }

  /** Lets clients go on whose commands waited. */
  resumeAll(): void {
    const { pause, replication } = this.server;
    if (pause.mode === "off") replication.releaseStream();
    const waiting = [...this.suspended];
    this.suspended.clear();
    for (const connection of waiting) {
      connection.suspended = false;
      if (!connection.closed) setImmediate(() => this.resume(connection));
    }
  }

  /** Answers a client that waited, and lets its connection go on. */
  answer(session: Session, reply: Uint8Array, wrote: boolean): void {
    const { clients, turn } = this.server;
    const connection = clients.get(session.id);
    if (connection === undefined || connection.closed) return;
    if (session.replyMode === "on") turn.holdApart(connection, reply, wrote);
    else if (session.replyMode === "skip") session.replyMode = "on";
    connection.suspended = false;
    setImmediate(() => this.resume(connection));
  }

  private resume(connection: Connection): void {
    if (connection.closed || connection.suspended) return;
    this.server.clock.update();
    this.process(connection);
  }
}
