import { afterEach, describe, expect, test } from "bun:test";
import type { Socket, TCPSocketListener } from "bun";
import { sendRing } from "../../../src/host/send-ring.ts";
import { seeded } from "../bytes/random.ts";

/** Sends to real sockets through io_uring. */

const ring = sendRing()!;

interface Pair {
  /** The descriptor that is sent to. */
  fd: number;
  near: Socket<undefined>;
  far: Socket<undefined>;
  received: Buffer[];
}

const pairs: Pair[] = [];
let listener: TCPSocketListener<undefined> | null = null;
afterEach(() => {
  for (const { near, far } of pairs.splice(0)) {
    near.terminate();
    far.terminate();
  }
  listener?.stop(true);
  listener = null;
});

async function connect(): Promise<Pair> {
  const opened = Promise.withResolvers<Socket<undefined>>();
  listener?.stop();
  listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => opened.resolve(socket), data: () => {} },
  });
  const received: Buffer[] = [];
  const far = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port: listener.port,
    socket: { data: (_, chunk) => void received.push(Buffer.from(chunk)) },
  });
  const near = await opened.promise;
  const pair = { fd: (near as unknown as { fd: number }).fd, near, far, received };
  pairs.push(pair);
  return pair;
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error("not within 20 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const length = (pair: Pair) => pair.received.reduce((sum, chunk) => sum + chunk.length, 0);

describe.skipIf(ring === null)("a ring of sends [needs io_uring]", () => {
  test("many sends to many sockets, again and again", async () => {
    const random = seeded("send-ring");
    const all: Pair[] = [];
    while (all.length < 20) all.push(await connect());
    const expected = all.map(() => "");
    const buf = Buffer.alloc(4096);
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < buf.length; i++) buf[i] = 97 + random.below(26);
      const sizes: number[] = [];
      for (let i = random.below(ring.capacity + 1); i > 0; i--) {
        const to = random.below(all.length);
        const start = random.below(4000);
        const end = start + 1 + random.below(64);
        if (random.below(5) === 0) {
          ring.skip();
          sizes.push(0);
          continue;
        }
        ring.add(all[to]!.fd, buf, start, end);
        expected[to] += buf.toString("latin1", start, end);
        sizes.push(end - start);
      }
      ring.submit();
      expect(sizes.map((_, place) => ring.sent(place))).toEqual(sizes);
      await until(() => all.every((pair, i) => length(pair) === expected[i]!.length));
    }
    for (const [i, { received }] of all.entries())
      expect(Buffer.concat(received).toString("latin1")).toBe(expected[i]!);
  });

  test("a socket that takes no more, or is none, keeps nobody else from his bytes", async () => {
    const [full, other] = [await connect(), await connect()];
    full.far.pause();
    const big = Buffer.alloc(1 << 20, "x");
    let taken = 0;
    let last = -1;
    while (last !== 0) {
      ring.add(full.fd, big, 0, big.length);
      ring.add(-1, big, 0, 10);
      ring.add(other.fd, big, 0, 3);
      ring.submit();
      last = ring.sent(0);
      taken += last;
      expect([ring.sent(1), ring.sent(2)]).toEqual([0, 3]);
    }
    full.far.resume();
    await until(() => length(full) === taken);
    expect(length(other) % 3).toBe(0);
  });

  test("bytes of different buffers", async () => {
    const pair = await connect();
    const buffers = ["one ", "two ", "three"].map((text) => Buffer.from(text));
    for (const buf of buffers) ring.add(pair.fd, buf, 0, buf.length);
    ring.submit();
    await until(() => length(pair) === 13);
    expect(Buffer.concat(pair.received).toString()).toBe("one two three");
  });

  test("nothing to send", () => {
    ring.submit();
    ring.skip();
    ring.submit();
    expect(ring.sent(0)).toBe(0);
  });
});
