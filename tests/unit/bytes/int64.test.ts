import { describe, expect, test } from "bun:test";
import { latin1Text } from "../../../src/bytes/ascii.ts";
import { digitsOf, highHalf, lowHalf, writeInt, writeInt64 } from "../../../src/bytes/int64.ts";
import { seeded } from "./random.ts";

/** The text and what stands around it, which must stay as it was. */
function written(write: (buf: Uint8Array, offset: number) => number): string {
  const buf = new Uint8Array(40).fill(46);
  const end = write(buf, 4);
  expect(latin1Text(buf, 0, 4)).toBe("....");
  return latin1Text(buf, 4, end);
}

describe("writeInt", () => {
  test("writes every number of digits, and its neighbours", () => {
    for (let power = 0; power <= 15; power++) {
      for (const value of [10 ** power - 1, 10 ** power, 10 ** power + 1, 7 * 10 ** power]) {
        expect(written((buf, at) => writeInt(buf, at, value))).toBe(String(value));
        expect(written((buf, at) => writeInt(buf, at, -value))).toBe(String(-value));
        expect(digitsOf(value)).toBe(String(value).length);
      }
    }
  });

  test("writes numbers beyond the safe range as they are", () => {
    for (const value of [
      2 ** 53,
      2 ** 53 + 2,
      9999999999999998,
      1e16,
      1e17 + 16,
      2 ** 63 - 1024,
      2 ** 63,
      -(2 ** 62),
    ])
      expect(written((buf, at) => writeInt(buf, at, value))).toBe(BigInt(value).toString());
  });

  test("writes random numbers, and 64-bit integers in halves", () => {
    const random = seeded("writeInt");
    for (let i = 0; i < 20_000; i++) {
      const value = Math.floor(random.below(2 ** 31) * 2 ** random.below(33)) * (random.below(2) ? 1 : -1);
      expect(written((buf, at) => writeInt(buf, at, value))).toBe(BigInt(value).toString());
      expect(written((buf, at) => writeInt64(buf, at, lowHalf(value), highHalf(value)))).toBe(
        BigInt.asIntN(64, BigInt(value)).toString(),
      );
    }
  });
});
