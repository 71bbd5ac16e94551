// Quoting: what redis.conf lines split into, and that quoting is undone by splitting.

import { expect, test } from "bun:test";
import { quoteArgument, splitArguments } from "../../../src/config/text.ts";

test.each([
  ["", []],
  ["   \t ", []],
  ["set a b", ["set", "a", "b"]],
  [' a  "b c"  ', ["a", "b c"]],
  [String.raw`"\x41\n\r\t\b\a\"\\\q"`, ['A\n\r\t\b\x07"\\q']],
  [String.raw`"\xZZ"`, ["xZZ"]],
  [String.raw`'it\'s \n'`, [String.raw`it's \n`]],
  ['foo"bar baz"', ["foobar baz"]],
  ['"" ""', ["", ""]],
  ["a\0b", ["a"]],
  ["a\vb\v\f c", ["a\vb\v\f", "c"]],
] as [string, string[]][])("%j splits as in Redis", (line, words) => {
  expect(splitArguments(line)).toEqual(words);
});

test.each(['"a', "'a", '"a"b', "'a'b", String.raw`"a\"`, String.raw`'a\'`])("%j is unbalanced", (line) => {
  expect(splitArguments(line)).toBeNull();
});

test("every byte survives quoting", () => {
  const all = Array.from({ length: 256 }, (_each, byte) => String.fromCharCode(byte)).join("");
  const quoted = quoteArgument(all);
  expect(quoted).toMatch(/^[ -~]*$/);
  expect(splitArguments(`x ${quoted} y`)).toEqual(["x", all, "y"]);
});
