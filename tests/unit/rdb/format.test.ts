/** Numbers on disk are for ever, and every primitive comes back as it went, however the window cuts it. */
import { describe, expect, test } from "bun:test";
import { OP, RDB_MAX_VERSION, RDB_VERSION, RdbError, TYPE, TYPE_TEXTS } from "../../../src/rdb/format.ts";
import { RdbReader } from "../../../src/rdb/reader.ts";
import { BytesSource } from "../../../src/rdb/sources.ts";
import { RdbWriter } from "../../../src/rdb/writer.ts";
import { seeded } from "../bytes/random.ts";
import { latin1 } from "./payloads.ts";

test("what is on disk is frozen", () => {
  expect([RDB_VERSION, RDB_MAX_VERSION]).toEqual([11, 14]);
  expect(Object.entries(OP).join(" ")).toBe(
    "SLOT_INFO,244 FUNCTION2,245 FUNCTION_PRE_GA,246 MODULE_AUX,247 IDLE,248 FREQ,249 AUX,250 RESIZEDB,251 " +
      "EXPIRETIME_MS,252 EXPIRETIME,253 SELECTDB,254 EOF,255",
  );
  expect(Object.entries(TYPE).join(" ")).toBe(
    "STRING,0 LIST,1 SET,2 ZSET,3 HASH,4 ZSET_2,5 MODULE_PRE_GA,6 MODULE_2,7 HASH_ZIPMAP,9 LIST_ZIPLIST,10 " +
      "SET_INTSET,11 ZSET_ZIPLIST,12 HASH_ZIPLIST,13 LIST_QUICKLIST,14 STREAM_LISTPACKS,15 HASH_LISTPACK,16 " +
      "ZSET_LISTPACK,17 LIST_QUICKLIST_2,18 STREAM_LISTPACKS_2,19 SET_LISTPACK,20 STREAM_LISTPACKS_3,21 " +
      "HASH_METADATA_PRE_GA,22 HASH_LISTPACK_EX_PRE_GA,23 HASH_METADATA,24 HASH_LISTPACK_EX,25 " +
      "STREAM_LISTPACKS_4,26 STREAM_LISTPACKS_5,27 ARRAY,28",
  );
  expect(TYPE_TEXTS.length).toBe(29);
});

const LENGTHS = [0, 1, 63, 64, 16383, 16384, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 32, 2 ** 53 - 1];
const STRINGS = [
  "",
  "x",
  "0",
  "-1",
  "127",
  "128",
  "-128",
  "-129",
  "32767",
  "32768",
  "2147483647",
  "-2147483648",
  "2147483648",
  "007",
  "+1",
  "a".repeat(21),
  "ab".repeat(5000),
  "z".repeat(300_000),
];
const DOUBLES = [0, -0, 1.5, -1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, Number.NaN];

/** Writes everything to one piece, through a sink with chunks of this size. */
function written(chunk: number, compress: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new RdbWriter(
    { compress, checksum: true },
    (buf, start, end) => pieces.push(buf.slice(start, end)),
    chunk,
  );
  writer.raw(latin1("REDIS"));
  for (const length of LENGTHS) writer.length(length);
  for (const text of STRINGS) writer.string(latin1(text));
  for (const double of DOUBLES) writer.double(double);
  writer.length64(-1, -1);
  writer.length64(5, 0);
  writer.integerText(-5, -1);
  writer.integerText(0, 5);
  writer.time(1_700_000_000_123);
  writer.time(-1);
  writer.writeChecksum();
  writer.flush();
  expect(writer.bytes).toBe(pieces.reduce((sum, piece) => sum + piece.length, 0));
  return new Uint8Array(Buffer.concat(pieces));
}

function text(reader: RdbReader): string {
  reader.string();
  return Buffer.from(reader.data.subarray(reader.start, reader.end)).toString("latin1");
}

function readBack(reader: RdbReader, size: number): void {
  reader.bytes(5);
  for (const length of LENGTHS) expect(reader.length()).toBe(length);
  for (const expected of STRINGS) expect(text(reader)).toBe(expected);
  for (const double of DOUBLES) expect(reader.double()).toBe(double);
  reader.length64();
  expect([reader.low, reader.high]).toEqual([-1, -1]);
  reader.length64();
  expect([reader.low, reader.high]).toEqual([5, 0]);
  expect(text(reader)).toBe("-5");
  expect(text(reader)).toBe("21474836480");
  expect(reader.int64()).toBe(1_700_000_000_123);
  expect(reader.int64()).toBe(-1);
  expect(reader.offset).toBe(size - 8);
  expect(reader.readChecksum()).toBe("right");
  expect([reader.offset, reader.left]).toEqual([size, 0]);
}

describe("primitives", () => {
  const bytes = written(64 * 1024, false);

  test("the chunk makes no difference", () => {
    for (const chunk of [16, 100, 4096]) expect(written(chunk, false)).toEqual(bytes);
  });

  test("come back through windows of any size, compressed or not", () => {
    for (const compress of [false, true]) {
      const data = written(1000, compress);
      for (const window of [9, 10, 17, 64, 4096, 1 << 20])
        readBack(new RdbReader(true).open(new BytesSource(data), window), data.length);
      readBack(new RdbReader(false).use(data, 0, data.length), data.length);
    }
  });

  test("come back from a source that gives little at a time and does not know its end", () => {
    const source = new BytesSource(bytes);
    const slow = {
      left: Number.POSITIVE_INFINITY,
      read: (target: Uint8Array, offset: number, length: number) =>
        source.read(target, offset, Math.min(length, 1000)),
    };
    const reader = new RdbReader(true).open(slow, 4096);
    reader.bytes(5);
    for (const length of LENGTHS) expect(reader.length()).toBe(length);
    for (const expected of STRINGS) expect(text(reader)).toBe(expected);
  });

  test("cut anywhere, end in a short read", () => {
    const small = written(1000, true).subarray(0, 600);
    for (let end = 0; end < 400; end++) {
      for (const reader of [
        new RdbReader(true).open(new BytesSource(small.subarray(0, end)), 32),
        new RdbReader(false).use(small, 0, end),
      ])
        expect(() => readBack(reader, 0)).toThrow(RdbError);
    }
  });

  test("a length beyond what is left allocates nothing", () => {
    for (const head of [
      "81ffffffffffffffff",
      "80ffffffff",
      "c381000000ffffffffff80ffffffff",
      "c30181000000ffffffffff00",
    ]) {
      const data = Uint8Array.fromHex(head);
      expect(() => new RdbReader(true).open(new BytesSource(data)).string()).toThrow(RdbError);
      expect(() => new RdbReader(false).use(data, 0, data.length).string()).toThrow(RdbError);
    }
    const endless = { left: Number.POSITIVE_INFINITY, read: () => 0 };
    expect(() => new RdbReader(true).open(endless).bytes(2 ** 40)).toThrow(RdbError);
  });

  test("a wrong checksum is seen, zeros are none", () => {
    const broken = bytes.slice();
    broken[7]! ^= 1;
    const reader = new RdbReader(true).open(new BytesSource(broken));
    reader.bytes(bytes.length - 8);
    expect(reader.readChecksum()).toBe("wrong");
    const zeros = new RdbReader(true).open(new BytesSource(new Uint8Array(8)));
    expect(zeros.readChecksum()).toBe("none");
  });

  test("random strings, compressed", () => {
    const random = seeded("rdb-strings");
    const writer = new RdbWriter({ compress: true, checksum: true });
    const strings = Array.from({ length: 500 }, () => random.bytes(random.below(200), "abc"));
    for (const string of strings) writer.string(string);
    const reader = new RdbReader(false).use(writer.buf, 0, writer.pos);
    for (const string of strings) expect(reader.stringCopy()).toEqual(string);
  });
});
