import { describe, expect, test } from "bun:test";
import { formatDoubleHuman, incrByFloat } from "../../../src/bytes/long-double.ts";
import { seeded } from "./random.ts";

function sum(a: string, b: string): string {
  const result = incrByFloat(a, b);
  if (result.ok) return result.text;
  return result.error === "not-float" ? `${result.error} ${result.operand}` : result.error;
}

describe("INCRBYFLOAT", () => {
  // SET and INCRBYFLOAT on Redis 7.2.6, x86-64.
  const vectors: [current: string, increment: string, text: string][] = [
    ["0.1", "0.2", "0.3"],
    ["3.0e3", "200", "3200"],
    ["10.5", "0.1", "10.6"],
    ["1000.1", "0.1", "1000.19999999999999996"],
    ["1.23", "-1.23", "0"],
    ["123456789.123", "1", "123456790.12299999999959255"],
    ["9007199254740993", "1", "9007199254740994"],
    ["9223372036854775807", "1", "9223372036854775808"],
    ["18446744073709551615", "1", "18446744073709551616"],
    ["1e30", "1", "1000000000000000000024696061952"],
    ["0.00000000000000001", "0.00000000000000001", "0.00000000000000002"],
    ["0.000000000000000005", "0", "0"],
    ["-0.000000000000000001", "0", "0"],
    ["-0", "0", "0"],
    ["-0", "-0", "0"],
    ["5", "-5.0", "0"],
    ["0x1p-3", "1", "1.125"],
    ["17", "0.3", "17.3"],
    ["33.3", "0.1", "33.4"],
    ["-31.99", "31.98", "-0.01"],
    ["+1", ".5", "1.5"],
    ["1.", "1", "2"],
    ["", "1", "not-float current"],
    ["1 ", "1", "not-float current"],
    [" 1", "1", "not-float current"],
    ["nan", "1", "not-float current"],
    ["1e5000", "1", "not-float current"],
    ["1e-5000", "1", "not-float current"],
    ["1e-4951", "1", "not-float current"],
    ["1", "abc", "not-float increment"],
    ["1", "", "not-float increment"],
    ["1", "nan", "not-float increment"],
    ["inf", "1", "nan-or-inf"],
    ["inf", "-inf", "nan-or-inf"],
    ["1e4932", "1e4932", "nan-or-inf"],
  ];
  for (const [current, increment, text] of vectors) {
    test(`${current} + ${increment}`, () => {
      expect(sum(current, increment)).toBe(text);
    });
  }

  test("large values print all their digits", () => {
    const text = sum("1e4931", "1");
    expect(text.length).toBe(4932);
    expect(text.slice(0, 60)).toBe("100000000000000000000601894938796389132383777425453311477378");
  });

  test("texts of 5 KiB and more are refused", () => {
    expect(sum(`${"0".repeat(5118)}9`, "1")).toBe("10");
    expect(sum(`${"0".repeat(5119)}9`, "1")).toBe("not-float current");
  });

  test("the shortcut and the long way agree", () => {
    const random = seeded("incrbyfloat");
    const operand = (): string => {
      const sign = random.below(2) === 0 ? "" : "-";
      const decimals = random.below(14);
      return decimals === 0
        ? sign + random.below(2 ** 45)
        : `${sign}${random.below(32)}.${String.fromCharCode(...random.bytes(decimals, "0123456789"))}`;
    };
    for (let i = 0; i < 20000; i++) {
      const a = operand();
      const b = operand();
      // An exponent turns the shortcut off without changing the value.
      if (sum(a, b) !== sum(`${a}e0`, b)) throw new Error(`${a} + ${b}: ${sum(a, b)}, ${sum(`${a}e0`, b)}`);
    }
  });

  test("doubles in the human format", () => {
    expect(formatDoubleHuman(0.1)).toBe("0.10000000000000001");
    expect(formatDoubleHuman(13.361389338970184)).toBe("13.36138933897018433");
    expect(formatDoubleHuman(-3)).toBe("-3");
    expect(formatDoubleHuman(1e22)).toBe("10000000000000000000000");
    expect(formatDoubleHuman(5e-324)).toBe("0");
    expect(formatDoubleHuman(-0)).toBe("0");
    expect(formatDoubleHuman(Number.NEGATIVE_INFINITY)).toBe("-inf");
  });
});
