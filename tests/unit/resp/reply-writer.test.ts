import { expect, test } from "bun:test";
import { ReplyWriter } from "../../../src/resp/reply-writer.ts";
import { seeded } from "../bytes/random.ts";
import { bytes } from "./support.ts";

function text(writer: ReplyWriter): string {
  return Buffer.from(writer.buf.subarray(0, writer.pos)).toString("latin1");
}

function written(resp: 2 | 3, write: (writer: ReplyWriter) => void): string {
  const writer = new ReplyWriter();
  writer.resp = resp;
  write(writer);
  return text(writer);
}

const BIG = "1234567999999999999999999999999999999";
const VERBATIM = "This is a verbatim\nstring";

/** As DEBUG PROTOCOL of redis-server 7.2.6 answers, before and after HELLO 3. */
const FORMS: [string, (writer: ReplyWriter) => void, resp2: string, resp3: string][] = [
  ["bulk", (w) => w.bulk(bytes("Hello World")), "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"],
  ["text", (w) => w.bulkText("Hello World"), "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"],
  ["integer", (w) => w.int(12345), ":12345\r\n", ":12345\r\n"],
  ["double", (w) => w.double(Number("3.141")), "$5\r\n3.141\r\n", ",3.141\r\n"],
  ["null", (w) => w.nil(), "$-1\r\n", "_\r\n"],
  ["null array", (w) => w.nilArray(), "*-1\r\n", "_\r\n"],
  ["array", (w) => w.array(3), "*3\r\n", "*3\r\n"],
  ["set", (w) => w.set(3), "*3\r\n", "~3\r\n"],
  ["map", (w) => w.map(3), "*6\r\n", "%3\r\n"],
  ["verbatim", (w) => w.verbatim("txt", VERBATIM), `$25\r\n${VERBATIM}\r\n`, `=29\r\ntxt:${VERBATIM}\r\n`],
  ["true", (w) => w.bool(true), ":1\r\n", "#t\r\n"],
  ["false", (w) => w.bool(false), ":0\r\n", "#f\r\n"],
  ["big number", (w) => w.bigNumber(BIG), `$37\r\n${BIG}\r\n`, `(${BIG}\r\n`],
  ["OK", (w) => w.ok(), "+OK\r\n", "+OK\r\n"],
  ["QUEUED", (w) => w.queued(), "+QUEUED\r\n", "+QUEUED\r\n"],
  ["PONG", (w) => w.pong(), "+PONG\r\n", "+PONG\r\n"],
  [
    "status",
    (w) => w.simple("Background saving started"),
    "+Background saving started\r\n",
    "+Background saving started\r\n",
  ],
  ["error", (w) => w.error("ERR no such key"), "-ERR no such key\r\n", "-ERR no such key\r\n"],
  ["push", (w) => w.push(2), "*2\r\n", ">2\r\n"],
];

test("each reply has its form in RESP2 and in RESP3", () => {
  for (const [name, write, resp2, resp3] of FORMS) {
    expect([name, written(2, write)]).toEqual([name, resp2]);
    expect([name, written(3, write)]).toEqual([name, resp3]);
  }
  expect(written(3, (w) => w.attribute(1))).toBe("|1\r\n");
});

test("doubles without a number, and at the ends of the range", () => {
  const pairs: [number, string][] = [
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [0, "0"],
    [-0, "-0"],
    [1e300, "1e+300"],
    [-1.5e-7, "-1.5e-7"],
    [0.1 + 0.2, "0.30000000000000004"],
  ];
  for (const [value, form] of pairs) {
    expect(written(2, (w) => w.double(value))).toBe(`$${form.length}\r\n${form}\r\n`);
    expect(written(3, (w) => w.double(value))).toBe(`,${form}\r\n`);
  }
});

test("integers of every size, as integers and as bulk strings", () => {
  const random = seeded("reply integers");
  const values = [
    0,
    9,
    10,
    99,
    100,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
  ];
  for (let i = 0; i < 500; i++)
    values.push((random.below(2) ? 1 : -1) * Math.floor(random.below(2 ** 31) * 2 ** random.below(20)));
  for (const value of values) {
    const digits = String(value);
    const low = Number(BigInt.asIntN(32, BigInt(value)));
    const high = Number(BigInt(value) >> 32n);
    expect(written(2, (w) => w.int(value))).toBe(`:${digits}\r\n`);
    expect(written(2, (w) => w.bulkInt(value))).toBe(`$${digits.length}\r\n${digits}\r\n`);
    expect(written(2, (w) => w.int64(low, high))).toBe(`:${digits}\r\n`);
    expect(written(2, (w) => w.bulkInt64(low, high))).toBe(`$${digits.length}\r\n${digits}\r\n`);
  }
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 60n + 7n]) {
    const halves = [Number(BigInt.asIntN(32, value)), Number(value >> 32n)] as const;
    expect(written(2, (w) => w.int64(...halves))).toBe(`:${value}\r\n`);
    expect(written(2, (w) => w.bulkInt64(...halves))).toBe(`$${String(value).length}\r\n${value}\r\n`);
    expect(written(2, (w) => w.bigint(value))).toBe(`:${value}\r\n`);
  }
});

test("bytes go out as they came, text above one byte as UTF-8", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(written(2, (w) => w.bulk(all))).toBe(`$256\r\n${Buffer.from(all).toString("latin1")}\r\n`);
  expect(written(2, (w) => w.bulk(all, 65, 70))).toBe("$5\r\nABCDE\r\n");
  expect(written(2, (w) => w.bulk(all, 5, 5))).toBe("$0\r\n\r\n");
  expect(written(2, (w) => w.bulkText("é"))).toBe("$1\r\n\xe9\r\n");
  expect(written(2, (w) => w.bulkText("é€"))).toBe("$5\r\n\xc3\xa9\xe2\x82\xac\r\n");
});

test("an error cannot break out of its line, and is counted", () => {
  const writer = new ReplyWriter();
  writer.error("ERR bad\r\n+OK\r\nvalue\n");
  expect(text(writer)).toBe("-ERR bad  +OK  value\r\n");
  expect([writer.errorCount, writer.lastError.startsWith("ERR bad")]).toEqual([1, true]);
});

test("deferred lengths, nested, at any number of digits", () => {
  const random = seeded("deferred");
  const writer = new ReplyWriter();
  for (const resp of [2, 3] as const)
    for (let round = 0; round < 200; round++) {
      writer.clear();
      writer.resp = resp;
      const kind = random.pick(["array", "map", "set"] as const);
      const count = random.pick([0, 1, 9, 10, 99, 100, 1234, 20_000]);
      const outer = writer.deferred();
      writer.int(1);
      const inner = writer.deferred();
      for (let i = 0; i < count * (kind === "map" ? 2 : 1); i++) writer.bulkInt(i);
      writer.endDeferred(inner, kind, count);
      writer.endDeferred(outer, "array", 2);
      const items = Array.from(
        { length: count * (kind === "map" ? 2 : 1) },
        (_, i) => `$${String(i).length}\r\n${i}\r\n`,
      );
      const head =
        kind === "map"
          ? resp === 3
            ? `%${count}`
            : `*${count * 2}`
          : `${kind === "set" && resp === 3 ? "~" : "*"}${count}`;
      if (text(writer) !== `*2\r\n:1\r\n${head}\r\n${items.join("")}`) throw new Error(`${kind} of ${count}`);
    }
});

test("the buffer grows as needed and is given back when it has grown large", () => {
  const random = seeded("reply writer");
  const writer = new ReplyWriter();
  let expected = "";
  for (let i = 0; i < 300; i++) {
    const value = random.bytes(random.below(random.below(20) === 0 ? 300_000 : 500));
    writer.bulk(value);
    expected += `$${value.length}\r\n${Buffer.from(value).toString("latin1")}\r\n`;
  }
  expect(text(writer) === expected).toBe(true);
  expect(writer.buf.length).toBeGreaterThan(1 << 20);
  writer.clear();
  expect([writer.pos, writer.buf.length <= 1 << 20]).toEqual([0, true]);
  writer.ok();
  const before = writer.buf;
  expect(writer.surrender()).toBe(before);
  expect(writer.buf).not.toBe(before);
  expect(writer.pos).toBe(0);
});
