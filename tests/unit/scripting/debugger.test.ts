import { expect, test } from "bun:test";
import { replyText, shortNumber } from "../../../src/scripting/debugger/values.ts";

test("numbers as C's %g prints them", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-2.5, "-2.5"],
    [100000, "100000"],
    [1000000, "1e+06"],
    [999999.5, "1e+06"],
    [123456.7, "123457"],
    [0.0001, "0.0001"],
    [0.00001234567, "1.23457e-05"],
    [1e100, "1e+100"],
    [1 / 3, "0.333333"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [Number.NaN, "nan"],
  ];
  for (const [value, text] of cases) expect(shortNumber(value)).toBe(text);
});

test("replies on one line", () => {
  const cases: [string, string][] = [
    ["+OK\r\n", '"+OK"'],
    ["-ERR no\r\n", '"-ERR no"'],
    [":12\r\n", "12"],
    ["$-1\r\n", "NULL"],
    ["*-1\r\n", "NULL"],
    ["$3\r\na\r\n\r\n", '"a\\r\\n"'],
    ["*3\r\n:1\r\n*1\r\n$1\r\nx\r\n_\r\n", '[1,["x"],(null)]'],
    ["%1\r\n+k\r\n~2\r\n#t\r\n#f\r\n", '{"+k" => ~(#true,#false)}'],
    [",1.5\r\n", "(double) 1.5"],
  ];
  for (const [reply, text] of cases) expect(replyText(Buffer.from(reply, "latin1"))).toBe(text);
});
