import { expect, test } from "bun:test";
import { latin1Bytes, latin1Text } from "../../../src/bytes/ascii.ts";
import { Random } from "../../../src/host/random.ts";
import { Request } from "../../../src/resp/request.ts";
import { READY, RequestReader } from "../../../src/resp/request-reader.ts";

/** Commands cut at random places, also while buffers are trimmed in between, come out as they were sent. */

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

function commandsFor(random: Random): string[][] {
  const many = [10, 100, 2000][random.below(3)]!;
  const long = "x".repeat(random.below(100_000));
  return [
    ["SADD", "key", ...Array.from({ length: many }, (_, i) => String(i))],
    ["PING"],
    ["SET", "key", long],
    ["ECHO", ""],
    ["SADD", "key", ...Array.from({ length: many }, (_, i) => "y".repeat(i % 150))],
  ];
}

test("random cuts", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const commands = commandsFor(random);
    const bytes = latin1Bytes(commands.map(encode).join(""));
    const reader = new RequestReader({ protoMaxBulkLen: 512 * 1024 * 1024 }, new Request());
    const longest = 1 + random.below(bytes.length);
    const seen: string[][] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(longest));
      reader.feed(bytes.slice(at, end));
      at = end;
      while (reader.next() === READY) {
        const { buf, start, end, argc } = reader.request;
        seen.push(Array.from({ length: argc }, (_, i) => latin1Text(buf, start[i], end[i])));
      }
      if (reader.error !== "") throw new Error(`seed ${seed}: ${reader.error}`);
      reader.finish();
      if (random.below(4) === 0) reader.trim(random.below(2) === 0);
    }
    if (!Bun.deepEquals(seen, commands)) throw new Error(`seed ${seed}: other commands came out`);
  }
  expect(true).toBe(true);
});

test("an idle reader keeps nothing but the bytes of a cut command", () => {
  const reader = new RequestReader({ protoMaxBulkLen: 512 * 1024 * 1024 }, new Request());
  const head = latin1Bytes("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
  reader.feed(head);
  reader.next();
  reader.finish();
  expect(reader.capacity).toBeGreaterThan(1_000_000);
  reader.trim(true);
  expect(reader.capacity).toBe(head.length);
  // Its client is charged for what it has announced, however much of it is there.
  const charged = reader.capacity + reader.announced;
  expect(charged).toBeGreaterThan(1_000_000);
  reader.feed(latin1Bytes("x".repeat(600_000)));
  reader.next();
  reader.finish();
  expect(reader.capacity + reader.announced).toBe(charged);
  reader.feed(latin1Bytes(`${"x".repeat(400_000)}\r\n`));
  expect(reader.next()).toBe(READY);
  expect(reader.request.end[2]! - reader.request.start[2]!).toBe(1_000_000);
  reader.finish();
  expect(reader.held).toBe(0);
  reader.trim(true);
  expect(reader.capacity).toBe(0);
});
