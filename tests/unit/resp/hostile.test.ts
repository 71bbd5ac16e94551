import { expect, test } from "bun:test";
import { Request } from "../../../src/resp/request.ts";
import { RequestReader } from "../../../src/resp/request-reader.ts";
import { seeded } from "../bytes/random.ts";
import { bytes, cut, limits, multibulk, pieces, randomStream, read, shared } from "./support.ts";

/** Bad input: always a protocol error or commands, never an exception or a hang. */

const INLINE_MAX = 64 * 1024;

const ERRORS: [stream: string, error: string][] = [
  ["*x\r\n", "invalid multibulk length"],
  ["*\r\n", "invalid multibulk length"],
  ["*+1\r\n", "invalid multibulk length"],
  ["* 1\r\n", "invalid multibulk length"],
  ["*01\r\n", "invalid multibulk length"],
  ["*1.5\r\n", "invalid multibulk length"],
  ["*2147483648\r\n", "invalid multibulk length"],
  ["*99999999999999999999999\r\n", "invalid multibulk length"],
  ["*1\r\n$x\r\n", "invalid bulk length"],
  ["*1\r\n$\r\n", "invalid bulk length"],
  ["*1\r\n$-1\r\n", "invalid bulk length"],
  ["*1\r\n$01\r\n", "invalid bulk length"],
  ["*1\r\n$536870913\r\n", "invalid bulk length"],
  ["*1\r\n$9223372036854775808\r\n", "invalid bulk length"],
  ["*1\r\nPING\r\n", "expected '$', got 'P'"],
  ["*2\r\n$3\r\nGET\r\n:5\r\n", "expected '$', got ':'"],
  ["*1\r\n*1\r\n", "expected '$', got '*'"],
  ["*1\r\n\r\n", "expected '$', got '\r'"],
  ['SET a "b\r\n', "unbalanced quotes in request"],
  ["SET a 'b\r\n", "unbalanced quotes in request"],
  ['SET a "b"c\r\n', "unbalanced quotes in request"],
  [`*${"1".repeat(INLINE_MAX)}`, "too big mbulk count string"],
  [`*1\r\n$${"1".repeat(INLINE_MAX)}`, "too big bulk count string"],
  ["x".repeat(INLINE_MAX + 1), "too big inline request"],
  // A little longer than the limit it would do, if its end came with the byte that is one too many.
  [`${"x ".repeat(INLINE_MAX)}\r\n`, "too big inline request"],
];

test("nobody looks for the end of a line behind a NUL", () => {
  for (const text of [
    "PING\0\r\n",
    "\0\r\n",
    "*1\0\r\n$4\r\nPING\r\n",
    "*1\r\n$4\0\r\nPING\r\n",
    "*1\r\n\0\r\n",
  ]) {
    const stream = bytes(text);
    const waits = { commands: [], error: null };
    for (let at = 0; at <= stream.length; at++) expect(read(cut(stream, [at]))).toEqual(waits);
    const { error } = read([stream, bytes("x\n".repeat(INLINE_MAX))]);
    expect(error).toMatch(/^too big (inline request|m?bulk count string)$/);
  }
});

test("a line is as long as it may be where its end comes with what is too much", () => {
  const line = bytes(`${"x".repeat(INLINE_MAX)}yz\n`);
  for (const at of [1, 100, INLINE_MAX - 1, INLINE_MAX])
    expect(read(cut(line, [at])).commands).toEqual([[`${"x".repeat(INLINE_MAX)}yz`]]);
  expect(read(cut(line, [INLINE_MAX + 1])).error).toBe("too big inline request");
});

test("each protocol error has Redis's sentence, however the stream is cut", () => {
  const before = multibulk(["PING"]);
  for (const [text, error] of ERRORS) {
    const stream = bytes(before + text);
    const expected = { commands: [["PING"]], error };
    expect(read([stream])).toEqual(expected);
    const step = Math.max(1, Math.floor(stream.length / 40));
    for (let at = 0; at <= stream.length; at += step) expect(read(cut(stream, [at]))).toEqual(expected);
    if (stream.length < 100) expect(read(pieces(stream, () => 1))).toEqual(expected);
  }
});

test("what is just within the limits is read", () => {
  const line = "x".repeat(INLINE_MAX);
  expect(read([bytes(`${line}\n`)]).commands).toEqual([[line]]);
  expect(read([bytes(line)])).toEqual({ commands: [], error: null });
  expect(read([bytes("*2147483647\r\n")])).toEqual({ commands: [], error: null });
  expect(read([bytes("*1\r\n$536870912\r\n")])).toEqual({ commands: [], error: null });
  expect(read([bytes(`*${"1".repeat(INLINE_MAX - 1)}`)])).toEqual({ commands: [], error: null });
});

test("proto-max-bulk-len is looked at for each bulk", () => {
  const own = { protoMaxBulkLen: 1000 };
  const reader = new RequestReader(own, shared);
  expect(read([bytes(multibulk(["GET", "x".repeat(1000)]))], reader).commands.length).toBe(1);
  own.protoMaxBulkLen = 999;
  expect(read([bytes(multibulk(["GET", "x".repeat(1000)]))], reader).error).toBe("invalid bulk length");
});

test("before authentication the limits are small", () => {
  const reader = (): RequestReader => {
    const fresh = new RequestReader(limits, shared);
    fresh.authenticated = false;
    return fresh;
  };
  const args = (count: number): string[] => Array.from({ length: count }, () => "x");
  expect(read([bytes(multibulk(args(10)))], reader()).commands.length).toBe(1);
  expect(read([bytes("*11\r\n")], reader()).error).toBe("unauthenticated multibulk length");
  expect(read([bytes(multibulk(["AUTH", "x".repeat(16_384)]))], reader()).commands.length).toBe(1);
  expect(read([bytes("*2\r\n$4\r\nAUTH\r\n$16385\r\n")], reader()).error).toBe("unauthenticated bulk length");
  expect(read([bytes("*2147483648\r\n")], reader()).error).toBe("invalid multibulk length");
});

test("hostile lengths take no memory before their bytes come", () => {
  for (const text of ["*2147483647\r\n$3\r\nabc\r\n", "*1\r\n$536870912\r\nabc"]) {
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    const readers = Array.from({ length: 50 }, () => {
      const reader = new RequestReader(limits, new Request());
      read([bytes(text)], reader);
      return reader;
    });
    expect(readers.length).toBe(50);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
  }
});

test("random bytes", () => {
  const random = seeded("random bytes");
  for (let round = 0; round < 3000; round++) {
    const alphabet = random.pick([undefined, "*$\r\n0123456789", "*$\r\n12-a\"'\\x \t", "ab \"'\\\r\n\0"]);
    const stream = random.bytes(random.below(200), alphabet);
    const whole = read([stream]);
    expect(read(pieces(stream, () => 1))).toEqual(whole);
    expect(read(pieces(stream, () => random.below(20)))).toEqual(whole);
  }
});

test("streams damaged in one place", () => {
  const random = seeded("damaged streams");
  for (let round = 0; round < 2000; round++) {
    const { stream } = randomStream(random, 1 + random.below(8), 60);
    if (stream.length === 0 || stream.length > 20_000) continue;
    for (let hits = 1 + random.below(3); hits > 0; hits--) {
      const at = random.below(stream.length);
      const other = random.below(2) === 0 ? random.below(256) : "*$\r\n09-".charCodeAt(random.below(7));
      stream[at] = other;
    }
    const whole = read([stream]);
    expect(read(pieces(stream, () => 1 + random.below(30)))).toEqual(whole);
  }
});

test("a length line sent byte by byte is waited for", () => {
  const reader = new RequestReader(limits, new Request());
  const line = bytes(`*${"1".repeat(60_000)}`);
  expect(
    read(
      pieces(line, () => 1),
      reader,
    ),
  ).toEqual({ commands: [], error: null });
});
