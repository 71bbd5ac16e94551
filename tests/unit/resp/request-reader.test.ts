import { expect, test } from "bun:test";
import { Request } from "../../../src/resp/request.ts";
import { NEED_MORE, READY, RequestReader } from "../../../src/resp/request-reader.ts";
import { seeded } from "../bytes/random.ts";
import { argsOf, bytes, cut, limits, multibulk, pieces, randomStream, read, shared } from "./support.ts";

const STREAMS: [string, string[][]][] = [
  [multibulk(["SET", "key", "value"]), [["SET", "key", "value"]]],
  [
    multibulk(["PING"]) + multibulk(["ECHO", ""]) + multibulk(["GET", "k"]),
    [["PING"], ["ECHO", ""], ["GET", "k"]],
  ],
  ["PING\r\nSET a 'b c'\r\nGET \"\\x61\"\n", [["PING"], ["SET", "a", "b c"], ["GET", "a"]]],
  ["\r\n\n*0\r\n*-1\r\n   \r\nPING\r\n", [["PING"]]],
  [
    `${multibulk(["SET", "k", "\r\n*1\r\n$4\r\nPING\r\n"])}PING\n`,
    [["SET", "k", "\r\n*1\r\n$4\r\nPING\r\n"], ["PING"]],
  ],
  [
    multibulk(Array.from({ length: 25 }, (_, i) => "x".repeat(i))),
    [Array.from({ length: 25 }, (_, i) => "x".repeat(i))],
  ],
  [`${multibulk(["SET", "k", "v".repeat(150)])}QUIT\r\n`, [["SET", "k", "v".repeat(150)], ["QUIT"]]],
  // Numbers with more digits than the short way takes.
  [`*0000000001\r\n`, []],
];

test("streams are read alike however they are cut, at one place or at two", () => {
  for (const [text, commands] of STREAMS.slice(0, -1)) {
    const stream = bytes(text);
    const expected = { commands, error: null };
    expect(read([stream])).toEqual(expected);
    for (let a = 0; a <= stream.length; a++) {
      expect(read(cut(stream, [a]))).toEqual(expected);
      for (let b = a; b <= stream.length; b += 7) expect(read(cut(stream, [a, b]))).toEqual(expected);
    }
    expect(read(pieces(stream, () => 1))).toEqual(expected);
  }
});

test("random streams in random chunks", () => {
  const random = seeded("request reader");
  for (let round = 0; round < 100; round++) {
    const { stream, commands } = randomStream(random, random.below(60), random.pick([50, 2000, 20_000]));
    const size = random.pick([1, 3, 20, 500, 16_384, 100_000]);
    if (stream.length / size > 50_000) continue;
    const result = read(pieces(stream, () => random.below(size * 2)));
    expect(result.error).toBeNull();
    expect(result.commands.length).toBe(commands.length);
    for (const [i, command] of commands.entries())
      if (command.join("\0") !== result.commands[i]!.join("\0")) throw new Error(`command ${i} differs`);
  }
});

test("many readers take turns on one shared request", () => {
  const random = seeded("readers in turn");
  const readers = Array.from({ length: 20 }, () => {
    const { stream, commands } = randomStream(random, 40);
    return { reader: new RequestReader(limits, shared), stream, commands, at: 0, seen: [] as string[][] };
  });
  for (let left = readers.length; left > 0; ) {
    const each = random.pick(readers);
    if (each.at >= each.stream.length) {
      left = readers.filter(({ at, stream }) => at < stream.length).length;
      continue;
    }
    const to = each.at + 1 + random.below(40);
    each.seen.push(...read([each.stream.subarray(each.at, to)], each.reader).commands);
    each.at = to;
  }
  for (const { seen, commands } of readers) expect(seen).toEqual(commands);
});

test("a command taken back is read again, with what came meanwhile", () => {
  for (const chunkSize of [1000, 5]) {
    const reader = new RequestReader(limits, new Request());
    const stream = bytes(`${multibulk(["SET", "a", "1"])}${multibulk(["GET", "a"])}PING\r\n`);
    const seen: string[][] = [];
    let held = true;
    for (const piece of pieces(stream, () => chunkSize)) {
      reader.feed(piece.slice());
      if (held && reader.next() === READY) {
        expect(argsOf(reader.request)).toEqual(["SET", "a", "1"]);
        reader.rewind(reader.commandStart);
        held = false;
        reader.finish();
        reader.feed(new Uint8Array(0));
      }
      while (!held && reader.next() === READY) seen.push(argsOf(reader.request));
      reader.finish();
    }
    expect(seen).toEqual([["SET", "a", "1"], ["GET", "a"], ["PING"]]);
  }
});

test("commands taken back at random, by whichever of their start marks, are read again", () => {
  const random = seeded("commands taken back");
  for (let round = 0; round < 300; round++) {
    const commands = Array.from({ length: 12 }, () =>
      Array.from({ length: 1 + random.below(4) }, () =>
        "x".repeat(random.below(3) === 0 ? random.below(400) : 3),
      ),
    );
    const stream = bytes(commands.map(multibulk).join(""));
    const reader = new RequestReader(limits, new Request());
    const seen: string[][] = [];
    for (const piece of pieces(stream, () => 1 + random.below(300))) {
      const chunk = piece.slice();
      reader.feed(chunk);
      const batch: { args: string[]; start: number }[] = [];
      const requests = [new Request(), new Request(), new Request()];
      // As the dispatcher does: read some, execute some of these, take the others back and stop, or go on.
      for (let stopped = false; !stopped; ) {
        batch.length = 0;
        let state = READY;
        while (batch.length < requests.length) {
          reader.use(requests[batch.length]!);
          state = reader.next();
          if (state !== READY) break;
          batch.push({ args: argsOf(reader.request), start: reader.commandStart });
        }
        const done = random.below(3) === 0 ? random.below(batch.length + 1) : batch.length;
        seen.push(...batch.slice(0, done).map(({ args }) => args));
        if (done < batch.length) {
          reader.rewind(batch[done]!.start);
          stopped = random.below(2) === 0;
        } else stopped = state !== READY;
      }
      reader.finish();
      chunk.fill(255);
    }
    reader.feed(new Uint8Array(0));
    while (reader.next() === READY) seen.push(argsOf(reader.request));
    expect(seen).toEqual(commands);
  }
});

test("what follows a cut command is read from its own chunk", () => {
  const reader = new RequestReader(limits, new Request());
  const [head, tail] = [
    bytes("*2\r\n$4\r\nEC"),
    bytes(`HO\r\n$2\r\nhi\r\n${multibulk(["PING"]).repeat(1000)}`),
  ];
  reader.feed(head);
  expect(reader.next()).toBe(NEED_MORE);
  reader.finish();
  reader.feed(tail);
  expect(reader.next()).toBe(READY);
  expect(argsOf(reader.request)).toEqual(["ECHO", "hi"]);
  expect(reader.request.buf).not.toBe(tail);
  reader.use(new Request());
  for (let i = 0; i < 1000; i++) {
    expect(reader.next()).toBe(READY);
    expect(reader.request.buf).toBe(tail);
  }
  reader.finish();
  expect(reader.capacity).toBeLessThan(1000);
});

/** Bytes copied from one carry buffer to a larger one while a stream is fed in pieces. */
function copied(stream: Uint8Array, size: number): { commands: number; bytes: number; peak: number } {
  const reader = new RequestReader(limits, new Request());
  let commands = 0;
  let total = 0;
  let peak = 0;
  let { capacity } = reader;
  const look = (): void => {
    if (reader.capacity !== capacity) total += reader.held;
    ({ capacity } = reader);
    peak = Math.max(peak, capacity);
  };
  for (const piece of pieces(stream, () => size)) {
    reader.feed(piece);
    look();
    while (reader.next() === READY) commands++;
    look();
    reader.finish();
    look();
  }
  return { commands, bytes: total, peak };
}

test("a long bulk in small pieces costs few buffers, and a long command", () => {
  const big = bytes(multibulk(["SET", "k", "x".repeat(32 << 20)]));
  const one = copied(big, 64 * 1024);
  expect(one.commands).toBe(1);
  expect(one.bytes).toBeLessThan(big.length / 2);
  expect(one.peak).toBeLessThan(big.length + (1 << 20));

  const many = bytes(multibulk(Array.from({ length: 200_000 }, (_, i) => `argument ${i}`)));
  const long = copied(many, 4096);
  expect(long.commands).toBe(1);
  expect(long.bytes).toBeLessThan(many.length * 8);

  // A pipeline whose every chunk ends in a cut command: only the rests are copied.
  const pipeline = bytes(multibulk(["SET", "key", "v".repeat(100)]).repeat(20_000));
  const flow = copied(pipeline, 16_000);
  expect(flow.commands).toBe(20_000);
  expect(flow.bytes).toBeLessThan(pipeline.length * 1.1);
  expect(flow.peak).toBeLessThan(20_000);
});

test("the buffer of a long command is kept for the next one until the client is idle", () => {
  const reader = new RequestReader(limits, new Request());
  const big = bytes(multibulk(["SET", "k", "x".repeat(4 << 20)]));
  const out = read(
    pieces(big, () => 64 * 1024),
    reader,
  );
  expect(out.commands.length).toBe(1);
  expect([reader.held, reader.pending]).toEqual([0, 0]);
  expect(reader.capacity).toBeGreaterThan(4 << 20);
  reader.trim(true);
  expect(reader.capacity).toBe(0);
  // Nor where the beginning of the next command is left.
  read(cut(bytes(`${Buffer.from(big).toString("latin1")}*2\r\n$3\r\nGE`), [big.length - 5]), reader);
  expect(reader.capacity).toBeLessThan(1 << 18);
  expect(read([bytes("T\r\n$1\r\nk\r\n")], reader).commands).toEqual([["GET", "k"]]);
});

test("a request of very many arguments gives its room back", () => {
  const own = new Request();
  const reader = new RequestReader(limits, own);
  read([bytes(multibulk(Array.from({ length: 5000 }, () => "x")))], reader);
  expect(own.start.length).toBeLessThanOrEqual(1024);
  read(
    pieces(bytes(multibulk(Array.from({ length: 5000 }, () => "x"))), () => 1000),
    reader,
  );
  expect(reader.request).toBe(own);
  expect(own.start.length).toBeLessThanOrEqual(1024);
});

test("nothing is read without bytes", () => {
  const reader = new RequestReader(limits, new Request());
  expect(reader.next()).toBe(NEED_MORE);
  reader.feed(new Uint8Array(0));
  expect(reader.next()).toBe(NEED_MORE);
  reader.finish();
  expect(reader.pending).toBe(0);
});
