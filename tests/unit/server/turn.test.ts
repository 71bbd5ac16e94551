import { describe, expect, test } from "bun:test";
import type { Socket } from "bun";
import type { FlushResult } from "../../../src/aof/writer.ts";
import { Clock } from "../../../src/host/clock.ts";
import type { SendRing } from "../../../src/host/send-ring.ts";
import { ReplyWriter } from "../../../src/resp/reply-writer.ts";
import { Request } from "../../../src/resp/request.ts";
import { Connection } from "../../../src/server/connection.ts";
import type { ConnectionHost } from "../../../src/server/connection-host.ts";
import { PiecePool } from "../../../src/server/piece-pool.ts";
import { Turn } from "../../../src/server/turn.ts";
import { Counters } from "../../../src/stats/counters.ts";
import { type Random, seeded } from "../bytes/random.ts";

/** Replies on their way out: to whom, in which order, and what happens when the kernel takes only a part. */

/** A socket that takes only so many bytes until it is told to take more. */
class FakeSocket {
  constructor(readonly fd: number) {}

  remoteAddress = "127.0.0.1";
  remotePort = 1;
  localAddress = "127.0.0.1";
  localPort = 2;
  room = Number.POSITIVE_INFINITY;
  ended = false;
  readonly taken: Buffer[] = [];

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.ended) return -1;
    const count = Math.min(length, this.room);
    this.room -= count;
    this.taken.push(Buffer.from(bytes.subarray(offset, offset + count)));
    return count;
  }

  close(): void {
    this.ended = true;
  }

  terminate(): void {
    this.ended = true;
  }

  get text(): string {
    return Buffer.concat(this.taken).toString("latin1");
  }
}

/** Sends by descriptor, at once when told to, what is there at that moment. */
class FakeRing implements SendRing {
  readonly capacity = 3;
  submits = 0;
  private readonly sends: (() => number)[] = [];
  private results: number[] = [];

  constructor(private readonly sockets: ReadonlyMap<number, FakeSocket>) {}

  add(fd: number, buf: Uint8Array, start: number, end: number): void {
    this.sends.push(() => this.sockets.get(fd)!.write(buf, start, end - start));
  }

  skip(): void {
    this.sends.push(() => 0);
  }

  submit(): void {
    expect(this.sends.length).toBeLessThanOrEqual(this.capacity);
    this.submits++;
    this.results = this.sends.splice(0).map((send) => Math.max(0, send()));
  }

  sent(place: number): number {
    return this.results[place]!;
  }
}

class Host implements ConnectionHost {
  readonly clock = new Clock();
  readonly counters = new Counters();
  readonly readerLimits = { protoMaxBulkLen: 512 * 1024 * 1024 };
  readonly sharedRequest = new Request();
  readonly pieces = new PiecePool();
  readonly writer = new ReplyWriter();
  /** What the AOF says of the turn's writes. */
  durable: FlushResult = "done";
  readonly waiting: ((failure: unknown) => void)[] = [];
  readonly sockets = new Map<number, FakeSocket>();
  readonly ring = new FakeRing(this.sockets);
  readonly turn: Turn;
  readonly gone: Connection[] = [];
  /** Output beyond which a connection is ended. */
  limit = Number.POSITIVE_INFINITY;

  constructor(together: boolean) {
    const durability = {
      flushTurn: () => this.durable,
      flushNow: () => {
        if (this.durable !== "pending") return this.durable;
        this.onDisk();
        return "done" as const;
      },
      whenDurable: (done: (failure: unknown) => void) => void this.waiting.push(done),
      mayRefuse: true,
      patience: 0,
      refusal: "MISCONF not on disk",
    };
    this.turn = new Turn(
      this.writer,
      () => durability,
      undefined,
      undefined,
      () => (together ? this.ring : null),
    );
  }

  /** Everything written so far is on disk. */
  onDisk(failure: unknown = null): void {
    for (const done of this.waiting.splice(0)) done(failure);
  }

  sendHeld(): void {
    this.turn.sendHeld();
  }

  flushLater(connection: Connection): void {
    this.turn.later(connection);
  }

  checkOutput(connection: Connection): void {
    if (connection.outputBytes > this.limit) connection.close("now");
  }

  removed(connection: Connection): void {
    this.turn.forget(connection);
    this.gone.push(connection);
  }

  connect(): { socket: FakeSocket; connection: Connection; sent: string } {
    const socket = new FakeSocket(this.sockets.size + 1);
    this.sockets.set(socket.fd, socket);
    const connection = new Connection(this, socket as unknown as Socket<Connection>, 1, "tcp", "");
    return { socket, connection, sent: "" };
  }

  /** A command's reply, as the dispatcher leaves it. */
  reply(to: { connection: Connection; sent: string }, text: string, wrote = true): void {
    const mark = this.writer.pos;
    this.writer.raw(Buffer.from(text, "latin1"));
    if (wrote) this.turn.noteWrite(mark);
    this.turn.hold(to.connection, mark);
    to.sent += text;
  }
}

function randomText(random: Random): string {
  const length = random.below(random.pick([10, 1000, 200_000]));
  return String.fromCharCode(97 + random.below(26)).repeat(length);
}

describe.each([false, true])("sent together: %p", (together) => {
  test("every client gets its own bytes in order, whatever the kernel takes", () => {
    const random = seeded("turn");
    for (let round = 0; round < 60; round++) {
      const host = new Host(together);
      const clients = Array.from({ length: 5 }, () => host.connect());
      if (round % 2 === 1) host.durable = "pending";
      for (let step = 0; step < 60; step++) {
        const client = random.pick(clients);
        switch (random.below(7)) {
          case 6: {
            const text = randomText(random);
            host.turn.holdApart(client.connection, Buffer.from(text, "latin1"), true);
            client.sent += text;
            break;
          }
          case 0:
          case 1:
            host.reply(client, randomText(random));
            break;
          case 2: {
            const text = randomText(random);
            client.connection.send(Buffer.from(text, "latin1"));
            client.sent += text;
            break;
          }
          case 3:
            client.socket.room = random.pick([0, 1, 1000, 100_000, 1e9]);
            if (random.below(2) === 0) client.connection.drain();
            break;
          case 4:
            host.onDisk();
            break;
          default:
            host.turn.end();
            expect(host.writer.pos).toBe(0);
        }
      }
      host.turn.end();
      host.onDisk();
      for (const { connection } of clients) expect(connection.holding).toBe(0);
      for (const { socket, connection, sent } of clients) {
        expect(connection.outputBytes).toBe(sent.length - socket.text.length);
        if (connection.outputBytes > 0) expect(connection.outputPieces).toBeGreaterThan(0);
        socket.room = Number.POSITIVE_INFINITY;
        connection.drain();
        if (socket.text !== sent) throw new Error("other bytes arrived");
        expect([connection.outputBytes, connection.outputPieces]).toEqual([0, 0]);
      }
    }
  });

  test("sending held replies in the middle of a command leaves the writer where it is", () => {
    const host = new Host(together);
    const [a, b] = [host.connect(), host.connect()];
    a.socket.room = 1000;
    host.reply(a, "x".repeat(500_000));
    // B's command is under way: it has noted where its reply begins, and now something is sent to A.
    const mark = host.writer.pos;
    a.connection.send(Buffer.from("push"));
    expect(host.writer.pos).toBe(mark);
    host.writer.raw(Buffer.from("reply to B"));
    host.turn.hold(b.connection, mark);
    host.turn.end();
    expect(b.socket.text).toBe("reply to B");
    a.socket.room = Number.POSITIVE_INFINITY;
    a.connection.drain();
    expect(a.socket.text).toBe(`${"x".repeat(500_000)}push`);
  });

  test("what is sent besides comes behind the replies held before it", () => {
    const host = new Host(together);
    const client = host.connect();
    host.reply(client, "first ");
    client.connection.send(Buffer.from("second "));
    host.reply(client, "third");
    host.turn.end();
    expect(client.socket.text).toBe("first second third");
  });

  test("a connection closed after its replies gets them all first", () => {
    for (const room of [Number.POSITIVE_INFINITY, 10]) {
      const host = new Host(together);
      const client = host.connect();
      client.socket.room = room;
      host.reply(client, "y".repeat(100_000));
      client.connection.close("after-replies");
      expect(client.socket.ended).toBe(false);
      host.turn.end();
      expect(client.socket.ended).toBe(room > 10);
      client.socket.room = Number.POSITIVE_INFINITY;
      client.connection.drain();
      expect([client.socket.text.length, client.socket.ended]).toEqual([100_000, true]);
      expect(host.gone).toEqual([client.connection]);
    }
  });

  test("a connection that is to be closed after its replies gets all that are held for it", () => {
    for (const durable of ["done", "pending"] as const) {
      const host = new Host(together);
      host.durable = durable;
      const client = host.connect();
      // Two reads of one socket in a turn, the second with QUIT in it; then in two turns.
      host.reply(client, "first ");
      if (durable === "pending") host.turn.end();
      host.reply(client, "OK");
      client.connection.close("after-replies");
      host.turn.end();
      host.onDisk();
      expect([client.socket.text, client.socket.ended]).toEqual(["first OK", true]);
    }
  });

  test("replies wait for the disk, in order, and become errors where it fails", () => {
    const host = new Host(together);
    host.durable = "pending";
    const [a, b] = [host.connect(), host.connect()];
    host.reply(a, "one ");
    host.reply(b, "read ", false);
    host.turn.end();
    host.reply(a, "two");
    host.turn.end();
    expect([a.socket.text, b.socket.text]).toEqual(["", ""]);
    host.waiting.shift()!(null);
    expect([a.socket.text, b.socket.text]).toEqual(["one ", "read "]);
    host.waiting.shift()!(new Error("disk"));
    expect(a.socket.text).toBe("one -MISCONF not on disk\r\n");
    host.durable = "failed";
    host.reply(a, "lost");
    host.reply(b, "read", false);
    host.turn.end();
    expect(a.socket.text).toBe("one -MISCONF not on disk\r\n-MISCONF not on disk\r\n");
    expect(b.socket.text).toBe("read read");
  });

  test("of one client's stretch, the replies to writes alone become errors", () => {
    for (const durable of ["pending", "failed"] as const) {
      const host = new Host(together);
      host.durable = durable;
      const [a, b, c] = [host.connect(), host.connect(), host.connect()];
      const stretch = (client: typeof a, ...replies: [text: string, wrote: boolean][]): void => {
        const mark = host.writer.pos;
        for (const [text, wrote] of replies) {
          const start = host.writer.pos;
          host.writer.raw(Buffer.from(text, "latin1"));
          if (wrote) host.turn.noteWrite(start);
        }
        host.turn.hold(client.connection, mark);
      };
      stretch(
        a,
        ["read1 ", false],
        ["write1 ", true],
        ["write2 ", true],
        ["read2 ", false],
        ["write3", true],
      );
      stretch(b, ["only reads", false]);
      stretch(a, ["write4", true], ["read3", false]);
      host.turn.holdApart(c.connection, Buffer.from("popped"), true);
      host.turn.holdApart(b.connection, Buffer.from(" timed out"), false);
      host.turn.end();
      if (durable === "pending") host.onDisk(new Error("disk"));
      const error = "-MISCONF not on disk\r\n";
      expect(a.socket.text).toBe(`read1 ${error}${error}read2 ${error}${error}read3`);
      expect(b.socket.text).toBe("only reads timed out");
      expect(c.socket.text).toBe(error);
      // What the next turn writes lies at the same places.
      host.durable = "failed";
      stretch(a, ["x".repeat(50), false]);
      host.turn.end();
      expect(a.socket.text).toEndWith("x".repeat(50));
    }
  });

  test("many writes in a turn", () => {
    const host = new Host(together);
    host.durable = "failed";
    const client = host.connect();
    for (let i = 0; i < 2000; i++) host.reply(client, i % 3 === 0 ? "write" : "read ", i % 3 === 0);
    host.turn.end();
    const [write, read] = ["-MISCONF not on disk\r\n", "read "];
    let expected = "";
    for (let i = 0; i < 2000; i++) expected += i % 3 === 0 ? write : read;
    expect(client.socket.text).toBe(expected);
  });

  test("a connection closed at once gets nothing more, and frees what waits", () => {
    const host = new Host(together);
    const [a, b] = [host.connect(), host.connect()];
    a.socket.room = 5;
    host.reply(a, "z".repeat(200_000));
    host.turn.end();
    host.reply(a, "more");
    host.reply(b, "other");
    a.connection.close("now");
    a.connection.send(Buffer.from("late"));
    host.turn.end();
    expect([a.socket.text, a.socket.ended, a.connection.outputBytes]).toEqual(["zzzzz", true, 0]);
    expect(b.socket.text).toBe("other");
    a.connection.drop();
    expect(host.gone).toEqual([a.connection]);
  });

  test("the output limit is looked at as soon as something waits", () => {
    const host = new Host(together);
    host.limit = 1000;
    const [a, b] = [host.connect(), host.connect()];
    a.socket.room = 0;
    host.reply(a, "x".repeat(2000));
    host.reply(b, "fine");
    host.turn.end();
    expect([a.socket.ended, a.connection.closed, b.socket.text]).toEqual([true, true, "fine"]);
  });

  test("replies go out by themselves at the end of the loop's turn", async () => {
    const host = new Host(together);
    const client = host.connect();
    host.reply(client, "a");
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.socket.text).toBe("a");
  });
});

test("replies to many clients, and what waits for many, go out together", () => {
  const host = new Host(true);
  const clients = Array.from({ length: 7 }, () => host.connect());
  for (const client of clients) host.reply(client, "reply ");
  host.turn.end();
  expect(host.ring.submits).toBe(3);
  for (const client of clients) client.connection.send(Buffer.from("message"));
  host.turn.end();
  expect(host.ring.submits).toBe(6);
  for (const { socket } of clients) expect(socket.text).toBe("reply message");
  // What is for one alone goes by its socket.
  host.reply(clients[0]!, "!");
  host.turn.end();
  expect(host.ring.submits).toBe(6);
  expect(host.counters.netOutput).toBe(7 * "reply message".length + 1);
});
