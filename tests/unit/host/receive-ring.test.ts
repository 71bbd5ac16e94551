import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Socket, TCPSocketListener } from "bun";
import { ReceiveRing, type Receiver } from "../../../src/host/receive-ring.ts";
import { seeded } from "../bytes/random.ts";

/** Real sockets, received from through io_uring. */

const found = await ReceiveRing.open();
let ring: ReceiveRing;
beforeAll(() => {
  ring = found!;
});

/** The near end is the ring's; what comes, and how it ends. */
class Near implements Receiver {
  chunks: Buffer[] = [];
  end: "ended" | "failed" | null = null;
  writables = 0;
  number = -1;
  onData: (chunk: Uint8Array) => void = () => {};

  constructor(readonly socket: Socket<undefined>) {}

  get fd(): number {
    return (this.socket as unknown as { fd: number }).fd;
  }

  get length(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  received(bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes));
    this.onData(bytes);
  }

  ended(): void {
    this.end = "ended";
  }

  failed(): void {
    this.end = "failed";
  }

  writable(): void {
    this.writables++;
  }
}

interface Pair {
  near: Near;
  far: Socket<undefined>;
  /** What came to the far end, and whether that has seen the near one close. */
  back: { bytes: number; closed: boolean };
}

const pairs: Pair[] = [];
const listeners: TCPSocketListener<undefined>[] = [];
afterEach(() => {
  for (const { near, far } of pairs.splice(0)) {
    if (near.number >= 0) ring.unwatch(near.number);
    near.socket.terminate();
    far.terminate();
  }
  for (const listener of listeners.splice(0)) listener.stop(true);
});

/** So many connections; the near ends are paused, and watched unless that is left to the test. */
async function connect(count: number, watch = true): Promise<Pair[]> {
  const near: Near[] = [];
  const opened = Promise.withResolvers<void>();
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.pause();
        near.push(new Near(socket));
        if (near.length === count) opened.resolve();
      },
      data: () => {
        throw new Error("Bun has read what was the ring's");
      },
    },
  });
  listeners.push(listener);
  const made: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const back = { bytes: 0, closed: false };
    const far = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port: listener.port,
      socket: {
        data: (_, chunk) => void (back.bytes += chunk.length),
        close: () => void (back.closed = true),
      },
    });
    made.push({ near: undefined as unknown as Near, far, back });
  }
  await opened.promise;
  for (const [i, pair] of made.entries()) {
    pair.near = near.find(({ socket }) => socket.remotePort === pair.far.localPort) ?? near[i]!;
    if (watch) pair.near.number = ring.watch(pair.near.fd, pair.near);
  }
  pairs.push(...made);
  return made;
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error("not within 20 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.skipIf(found === null)("a ring of receives [needs io_uring]", () => {
  test("more sockets than buffers, all at once, again and again", async () => {
    const random = seeded("receive-ring");
    const all = await connect(300);
    const expected = all.map(() => "");
    for (let round = 0; round < 20; round++) {
      for (const [i, { far }] of all.entries()) {
        const text = String.fromCharCode(97 + random.below(26)).repeat(random.pick([1, 10, 1000, 8000]));
        expected[i] += text;
        expect(far.write(text)).toBe(text.length);
      }
      await until(() => all.every(({ near }, i) => near.length === expected[i]!.length));
    }
    for (const [i, { near }] of all.entries())
      expect(Buffer.concat(near.chunks).toString()).toBe(expected[i]!);
    expect(ring.lastBatch).toBeGreaterThan(0);
  });

  test("a megabyte in many pieces", async () => {
    const [{ near, far }] = (await connect(1)) as [Pair];
    const bytes = Buffer.alloc(1 << 20);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7919) >> 5;
    let at = 0;
    await until(() => {
      at += Math.max(0, far.write(bytes, at, bytes.length - at));
      return near.length === bytes.length;
    });
    expect(Buffer.concat(near.chunks).equals(bytes)).toBe(true);
  });

  test("what was there before it is watched", async () => {
    const [{ near, far }] = (await connect(1, false)) as [Pair];
    far.write("early");
    near.number = ring.watch(near.fd, near);
    await until(() => near.length === 5);
  });

  test("an orderly end, and a reset", async () => {
    const [ended, reset] = (await connect(2)) as [Pair, Pair];
    ended.far.write("last words");
    ended.far.end();
    reset.far.terminate();
    await until(() => ended.near.end !== null && reset.near.end !== null);
    expect([ended.near.end, ended.near.length, reset.near.end]).toEqual(["ended", 10, "failed"]);
  });

  test("the kernel lets go of what is not watched any more", async () => {
    const all = await connect(20);
    for (const { near, far } of all) {
      far.write("something");
      // Some with something under way.
      ring.unwatch(near.number);
      near.number = -1;
      near.socket.close();
    }
    await until(() => all.every(({ back }) => back.closed));
    // Their numbers serve others, who hear nothing of it.
    const others = await connect(20);
    for (const { far } of others) far.write("x");
    await until(() => others.every(({ near }) => near.length === 1));
    for (const { near } of all) expect([near.length, near.end]).toEqual([0, null]);
  });

  test("a receiver that stops being one while it is told", async () => {
    const [one, other] = (await connect(2)) as [Pair, Pair];
    one.near.onData = () => {
      ring.unwatch(one.near.number);
      one.near.number = -1;
    };
    one.far.write("a");
    await until(() => one.near.length === 1);
    one.far.write("b");
    other.far.write("c");
    await until(() => other.near.length === 1);
    expect(one.near.length).toBe(1);
  });

  test("tells when a full socket takes bytes again", async () => {
    const [{ near, far, back }] = (await connect(1)) as [Pair];
    far.pause();
    const bytes = Buffer.alloc(1 << 20);
    let sent = 0;
    for (let n = near.socket.write(bytes); n > 0; n = near.socket.write(bytes)) sent += n;
    near.socket.pause();
    ring.whenWritable(near.number);
    await new Promise((resolve) => setImmediate(resolve));
    expect(near.writables).toBe(0);
    far.resume();
    await until(() => near.writables === 1 && back.bytes >= sent);
    expect(near.writables).toBe(1);
  });

  test("what is to be done afterwards is done at the end of a batch", async () => {
    const [{ near, far }] = (await connect(1)) as [Pair];
    const order: string[] = [];
    near.onData = () => {
      ring.afterwards(() => order.push("afterwards"));
      setImmediate(() => order.push("immediate"));
    };
    far.write("x");
    await until(() => order.length === 2);
    expect(order).toEqual(["afterwards", "immediate"]);
    ring.afterwards(() => order.push("outside"));
    expect(order.length).toBe(2);
    await until(() => order.length === 3);
  });

  test("a descriptor that is none", async () => {
    const near = new Near({ fd: -1 } as unknown as Socket<undefined>);
    const number = ring.watch(-1, near);
    await until(() => near.end === "failed");
    ring.unwatch(number);
  });
});
