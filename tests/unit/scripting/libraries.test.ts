/** What the libraries of scripts need of numbers. */
import { expect, test } from "bun:test";
import { formatG, strtod } from "../../../src/scripting/lua/libraries/numbers.ts";
import { LuaRandom } from "../../../src/scripting/lua/libraries/random.ts";

test.each([
  [0, 14, "0"],
  [-0, 14, "-0"],
  [1, 14, "1"],
  [100, 14, "100"],
  [1e14, 14, "1e+14"],
  [12345678901234, 14, "12345678901234"],
  [0.1, 14, "0.1"],
  [1 / 3, 14, "0.33333333333333"],
  [1 / 3, 3, "0.333"],
  [0.0001, 14, "0.0001"],
  [0.00001, 14, "1e-05"],
  [1.5e300, 14, "1.5e+300"],
  [5e-324, 14, "4.9406564584125e-324"],
  [99999.5, 5, "1e+05"],
  [Number.NaN, 14, "nan"],
  [Number.NEGATIVE_INFINITY, 14, "-inf"],
] as const)("%p with %p digits is %p", (value, precision, text) => {
  expect(formatG(value, precision)).toBe(text);
});

test.each([
  ["12,", 12, 2],
  ["-1.5e3]", -1500, 6],
  ["1e", 1, 1],
  [".5", 0.5, 2],
  ["0x1F", 31, 4],
  ["0x.8p1", 1, 6],
  ["-inf", Number.NEGATIVE_INFINITY, 4],
  ["Infinityx", Number.POSITIVE_INFINITY, 8],
  ["007", 7, 3],
] as const)("%p begins with %p", (text, value, length) => {
  expect(strtod(text)).toEqual({ value, length });
});

test("no number", () => {
  for (const text of ["", "-", "e1", "x", "+"]) expect(strtod(text)).toBeNull();
});

test("the generator gives what drand48's gives", () => {
  const random = new LuaRandom();
  // X' = 0x5DEECE66D X + 11 modulo 2^48, of which the upper 31 bits count.
  let x = (0x1234abcdn << 16n) | 0x330en;
  for (let i = 0; i < 1000; i++) {
    x = (x * 0x5deece66dn + 11n) & ((1n << 48n) - 1n);
    expect(random.next()).toBe(Number(x >> 17n));
  }
  random.seed(-1);
  x = (0xffffffffn << 16n) | 0x330en;
  x = (x * 0x5deece66dn + 11n) & ((1n << 48n) - 1n);
  expect(random.next()).toBe(Number(x >> 17n));
});
