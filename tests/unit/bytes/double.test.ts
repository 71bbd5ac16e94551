import { describe, expect, test } from "bun:test";
import {
  doubleText,
  MAX_DOUBLE_TEXT,
  parseDouble,
  parseDoubleLenient,
  writeDouble,
} from "../../../src/bytes/double.ts";
import { bytesOf, seeded } from "./random.ts";

function strict(text: string): number {
  const buf = bytesOf(`#${text}#`);
  return parseDouble(buf, 1, buf.length - 1);
}

function lenient(text: string): number {
  const buf = bytesOf(`#${text}#`);
  return parseDoubleLenient(buf, 1, buf.length - 1);
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

describe("double to text", () => {
  // ZADD then ZSCORE on Redis 7.2.6.
  const vectors: [value: number, text: string][] = [
    [3.14, "3.14"],
    [0.1, "0.1"],
    [0.1 + 0.2, "0.30000000000000004"],
    [0, "0"],
    [-0, "-0"],
    [-1.5, "-1.5"],
    [1e17, "100000000000000000"],
    [1e20, "1e+20"],
    [1e21, "1e+21"],
    [1e23, "99999999999999990000000"],
    [1.5e300, "1.5e+300"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
    [5e-324, "5e-324"],
    [2.2250738585072014e-308, "2.2250738585072014e-308"],
    [0.0001, "0.0001"],
    [1e-7, "1e-7"],
    [1.234e-7, "1.234e-7"],
    [9.5367431640625e-7, "9.5367431640625e-7"],
    [1 / 3, "0.3333333333333333"],
    [123456789.125, "123456789.125"],
    [2 ** 53, "9007199254740992"],
    [29723757540645270, "29723757540645272"],
    [2 ** 62, "4611686018427387904"],
    [-(2 ** 62), "-4611686018427387904"],
    [2 ** 62 + 1024, "4611686018427389000"],
    [12345678901234567000, "12345678901234567000"],
    [Number.NaN, "nan"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    // Where Grisu2 has one digit more than the shortest text.
    [3.450889914813153e-69, "3.4508899148131527e-69"],
    [3.102825331235434e150, "3.1028253312354338e+150"],
    [4.662653519184831e-170, "4.6626535191848306e-170"],
    [1.143399452989503e193, "1.1433994529895029e+193"],
    [2.164019222138681e-110, "2.1640192221386811e-110"],
    [2.917321151293392e169, "2.9173211512933922e+169"],
  ];
  for (const [value, text] of vectors) {
    test(text, () => {
      expect(doubleText(value)).toBe(text);
    });
  }

  test("reads back as the same double, in at most MAX_DOUBLE_TEXT bytes", () => {
    const random = seeded("double");
    const out = new Uint8Array(MAX_DOUBLE_TEXT + 8);
    for (let i = 0; i < 50000; i++) {
      words[0] = random.below(2 ** 32);
      words[1] = random.below(2 ** 32);
      const value = i % 2 === 0 ? float[0]! : random.below(1e9) / 10 ** random.below(12);
      if (Number.isNaN(value)) continue;
      const end = writeDouble(out, 3, value);
      expect(end).toBeLessThanOrEqual(3 + MAX_DOUBLE_TEXT);
      const back = parseDouble(out, 3, end);
      if (!Object.is(back, value)) throw new Error(`${value} became ${back}`);
    }
  });
});

describe("text to double", () => {
  // ZADD (strict) and ZCOUNT (lenient) on Redis 7.2.6; NaN stands for the error.
  const { NaN: refused, POSITIVE_INFINITY: infinity } = Number;
  const vectors: [text: string, strict: number, lenient: number][] = [
    ["", refused, 0],
    [" ", refused, refused],
    ["1", 1, 1],
    [" 1", refused, 1],
    ["1 ", refused, refused],
    ["0x10", 16, 16],
    ["0x1p-2", 0.25, 0.25],
    ["0x", refused, refused],
    ["0x.p1", refused, refused],
    ["inf", infinity, infinity],
    ["-INF", -infinity, -infinity],
    ["+infinity", infinity, infinity],
    ["infinit", refused, refused],
    ["nan", refused, refused],
    ["1e400", refused, infinity],
    ["1e-400", refused, 0],
    ["0e-999", 0, 0],
    ["0x1p1024", refused, infinity],
    ["0x1p-1074", 5e-324, 5e-324],
    ["0x1.8p-1075", 5e-324, 5e-324],
    ["0x1p-1075", refused, 0],
    ["4.9e-324", 5e-324, 5e-324],
    ["1e", refused, refused],
    ["1e+", refused, refused],
    [".5", 0.5, 0.5],
    ["5.", 5, 5],
    [".", refused, refused],
    ["+1", 1, 1],
    ["--1", refused, refused],
    ["-0", -0, -0],
    ["1\0", refused, 1],
    ["1x", refused, refused],
    ["9007199254740993", 9007199254740992, 9007199254740992],
    ["9007199254740993.00000000000000000000000001", 9007199254740994, 9007199254740994],
  ];
  for (const [text, asStrict, asLenient] of vectors) {
    test(JSON.stringify(text), () => {
      expect([strict(text), lenient(text)]).toEqual([asStrict, asLenient]);
    });
  }

  test("agrees with the engine on decimals", () => {
    const random = seeded("parse");
    for (let i = 0; i < 50000; i++) {
      const digits = String.fromCharCode(...random.bytes(1 + random.below(25), "0123456789"));
      const point = random.below(digits.length + 1);
      const text = `${digits.slice(0, point)}.${digits.slice(point)}e${random.below(80) - 40}`;
      if (!Object.is(strict(text), Number(text))) throw new Error(`${text}: ${strict(text)}`);
    }
  });
});
