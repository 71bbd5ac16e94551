import { describe, expect, test } from "bun:test";
import {
  CORRUPT,
  createHyperLogLog,
  HLL_REGISTERS,
  HllEditor,
  hllCachedCount,
  hllCount,
  hllCountRegisters,
  hllDecode,
  hllEncoding,
  hllMerge,
  hllRaiseAll,
  hllRegisters,
  hllSelfTest,
  hllStoreCount,
  hllToDense,
  isHyperLogLog,
} from "../../../src/types/hyperloglog.ts";
import {
  HLL_SEED,
  murmurHash64A,
  patternLength,
  registerIndex,
} from "../../../src/types/hyperloglog-hash.ts";
import { bytesOf, seeded } from "../bytes/random.ts";

const MAX = 3000;

function add(value: Uint8Array, elements: Iterable<string>, max = MAX): Uint8Array {
  const editor = new HllEditor(value, max);
  let changed = false;
  for (const element of elements) {
    const bytes = bytesOf(element);
    if (editor.add(bytes, 0, bytes.length) !== 0) changed = true;
  }
  return editor.finish(changed).slice();
}

function* numbered(prefix: string, from: number, to: number, step = 1): Generator<string> {
  for (let i = from; i < to; i++) yield prefix + i * step;
}

/** A new key: Redis marks its count stale even without elements. */
function created(elements: Iterable<string>): Uint8Array {
  return add(add(createHyperLogLog(), []), elements);
}

function sha1(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha1").update(bytes).digest("hex");
}

function slowMurmur(bytes: Uint8Array, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
  const word = (from: number, to: number): bigint =>
    bytes.subarray(from, to).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let h = seed ^ wrap(BigInt(bytes.length) * m);
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    let k = wrap(word(at, at + 8) * m);
    k = wrap((k ^ (k >> 47n)) * m);
    h = wrap((h ^ k) * m);
  }
  if (at < bytes.length) h = wrap((h ^ word(at, bytes.length)) * m);
  h = wrap((h ^ (h >> 47n)) * m);
  return h ^ (h >> 47n);
}

describe("the hash", () => {
  test("agrees with BigInt arithmetic", () => {
    const random = seeded("murmur");
    for (let i = 0; i < 5000; i++) {
      const bytes = random.bytes(random.below(40));
      const expected = slowMurmur(bytes, BigInt(HLL_SEED));
      expect(murmurHash64A(bytes, 0, bytes.length, HLL_SEED)).toBe(expected);
      const run = patternLength(bytes, 0, bytes.length);
      expect(registerIndex).toBe(Number(expected & 16383n));
      expect(run).toBe(((expected >> 14n) | (1n << 50n)).toString(2).split("1").at(-1)!.length + 1);
    }
  });
});

describe("the bytes of Redis 7.2.6 after the same PFADDs", () => {
  // PFADD of element:0 .. element:n-1, then GET: size, sha1; PFCOUNT; sha1 of GET after it.
  const steps: [elements: number, size: number, sha1: string, count: number, counted: string][] = [
    [1, 21, "d111dd27cb94748a8cf3c3c1bf002fe0e1b6b277", 1, "946a3f384bd41aeac7fc2f5baa171a9779cbb61a"],
    [10, 48, "72f708d1ec82558d36186ff770ac34bca1a456dd", 10, "e3e04df1a81a6ff6519b7fbb700d7061cc170f4c"],
    [100, 285, "7459ce723e60c1e28c51049e9d7b94aefaa41573", 99, "4d1b3bef5d497d64c4202942021f568e478230c6"],
    [500, 1050, "9f04e22687312022cc87e6e64a368224c03edda8", 502, "54c23f2d1a0d61f405dfba4b94c77c52b6e7983f"],
    [1000, 1897, "dfa0062724c1e7fea3af69df2a0c40c3e2c9c730", 997, "600cc26e1c0791fccdb3cde0fabfa0c84550674a"],
    [
      1500,
      2722,
      "b09ba6c4da8e2451ee570235a594bc9628c85e00",
      1500,
      "e31c9dd1080de9d25485a8f50abe3730da1b9d27",
    ],
    [
      2000,
      12304,
      "6cb88e5f846f221dbfff82b01ea132050c489fc3",
      2004,
      "52443fcb41e355a8d4fd9fe24dd9521b2588e69f",
    ],
    [
      5000,
      12304,
      "7aafa305e103f7c4867c2d9bbcb128da11da15b1",
      5005,
      "53485147483a2d8ffe68eef8b23c4bbca046ca27",
    ],
    [
      100000,
      12304,
      "1fd3dee51f5032baf20b0db846f84c76da68d23d",
      100039,
      "869bb2bd20736740dcdce657313393121906696b",
    ],
  ];

  test("GET and PFCOUNT", () => {
    let value = created([]);
    let from = 0;
    for (const [elements, size, digest, count, counted] of steps) {
      value = add(value, numbered("element:", from, elements));
      from = elements;
      expect([value.length, sha1(value)]).toEqual([size, digest]);
      expect(hllCachedCount(value)).toBe(-1);
      expect(hllCount(value)).toBe(count);
      hllStoreCount(value, count);
      expect(hllCachedCount(value)).toBe(count);
      expect(sha1(value)).toBe(counted);
    }
  });

  test("one element, and PFDEBUG DECODE of ten", () => {
    expect(created(["element:0"]).toHex()).toBe("48594c4c0100000000000000000000806081805f7c");
    expect(hllDecode(created(numbered("element:", 0, 10)))).toBe(
      "Z:1167 v:1,1 Z:1340 v:2,1 Z:494 v:3,1 Z:1052 v:1,1 Z:125 v:5,1 Z:1282 v:1,1 Z:2740 v:2,1 Z:115 v:1,1 " +
        "Z:6365 v:1,1 Z:1104 v:2,1 Z:590",
    );
  });

  test("PFMERGE and PFCOUNT of several keys", () => {
    const a = created(numbered("x", 0, 300));
    const b = created(numbered("x", 0, 300, 2));
    const registers = new Uint8Array(HLL_REGISTERS);
    expect([hllMerge(registers, a), hllMerge(registers, b)]).toEqual([true, true]);
    expect(hllCountRegisters(registers)).toBe(448);
    const merged = hllRaiseAll(createHyperLogLog(), registers, false, MAX)!.slice();
    expect([merged.length, sha1(merged)]).toEqual([945, "eec8c8a5ad437ceec9584db7e23f632b4199d32d"]);

    expect(hllMerge(registers, created(numbered("element:", 0, 100000)))).toBe(true);
    // The key has been counted in between, which left a cached count below the stale mark.
    hllStoreCount(merged, 448);
    const dense = hllRaiseAll(merged, registers, true, MAX)!;
    expect([dense.length, sha1(dense)]).toEqual([12304, "72b8db51f39dc948ad8ff103f3a9ee7aa6e2d1e9"]);
    expect(hllCount(dense)).toBe(100453);
  });
});

describe("editing", () => {
  test("registers are those of a plain array, in both encodings and at any limit", () => {
    const random = seeded("hyperloglog");
    for (let round = 0; round < 40; round++) {
      const max = random.pick([0, 100, 1000, 3000, 16000]);
      const model = new Uint8Array(HLL_REGISTERS);
      let value = createHyperLogLog();
      for (let step = random.below(40); step >= 0; step--) {
        const editor = new HllEditor(value, max);
        for (let n = random.below(60); n > 0; n--) {
          // Crowded registers, so that runs are split and joined.
          const index = random.below(2) === 0 ? random.below(HLL_REGISTERS) : 500 + random.below(40);
          const run = random.below(100) === 0 ? 1 + random.below(51) : 1 + random.below(3);
          expect(editor.raise(index, run)).toBe(run > model[index]! ? 1 : 0);
          model[index] = Math.max(model[index]!, run);
        }
        value = editor.finish(true).slice();
        expect(isHyperLogLog(value)).toBe(true);
        if (hllEncoding(value) === "sparse") expect(value.length).toBeLessThanOrEqual(Math.max(max, 18));
        expect(hllRegisters(hllToDense(value)!)).toEqual(model);
        const merged = new Uint8Array(HLL_REGISTERS);
        expect(hllMerge(merged, value)).toBe(true);
        expect(merged).toEqual(model);
        expect(hllCount(value)).toBe(hllCountRegisters(model));
      }
    }
  });

  test("a change that keeps the size is made in place", () => {
    const dense = hllToDense(createHyperLogLog())!;
    const editor = new HllEditor(dense, MAX);
    expect(editor.raise(16383, 51)).toBe(1);
    expect(editor.raise(16383, 50)).toBe(0);
    expect(editor.finish(true)).toBe(dense);
    const sparse = created(["a"]);
    const untouched = new HllEditor(sparse, MAX);
    expect(untouched.add(bytesOf("a"), 0, 1)).toBe(0);
    expect(untouched.finish(false)).toBe(sparse);
  });

  test("what is no HyperLogLog", () => {
    const value = createHyperLogLog();
    expect(isHyperLogLog(value)).toBe(true);
    expect(isHyperLogLog(bytesOf("foo"))).toBe(false);
    expect(isHyperLogLog(value.subarray(0, 15))).toBe(false);
    expect(isHyperLogLog(bytesOf("HYLX............"))).toBe(false);
    const dense = value.slice();
    dense[4] = 0;
    expect(isHyperLogLog(dense)).toBe(false);
    dense[4] = 2;
    expect(isHyperLogLog(dense)).toBe(false);
    expect(isHyperLogLog(hllToDense(value)!)).toBe(true);
  });

  test("corrupt opcodes are noticed", () => {
    const short = createHyperLogLog();
    short[17] = 0xfe;
    const long = Uint8Array.of(...createHyperLogLog(), 0x00);
    for (const value of [short, long]) {
      expect(hllCount(value)).toBe(-1);
      expect(hllMerge(new Uint8Array(HLL_REGISTERS), value)).toBe(false);
      expect(hllToDense(value)).toBeNull();
      expect(new HllEditor(value, MAX).raise(5, 40)).toBe(CORRUPT);
    }
    expect(new HllEditor(short, MAX).raise(16383, 1)).toBe(CORRUPT);
    // An XZERO whose second byte is missing.
    expect(new HllEditor(createHyperLogLog().subarray(0, 17), MAX).raise(0, 1)).toBe(CORRUPT);
  });

  test("random bytes behind the header never break anything", () => {
    const random = seeded("hyperloglog corrupt");
    for (let i = 0; i < 3000; i++) {
      const value = Uint8Array.of(...createHyperLogLog().subarray(0, 16), ...random.bytes(random.below(200)));
      hllCount(value);
      hllMerge(new Uint8Array(HLL_REGISTERS), value);
      hllToDense(value);
      hllDecode(value);
      add(value, ["a", "b", "c"], random.pick([0, 100, MAX]));
    }
  });

  test("PFSELFTEST", () => {
    expect(hllSelfTest(MAX, Math.random)).toBeNull();
  });
});
