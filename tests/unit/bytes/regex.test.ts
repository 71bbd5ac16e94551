/** Regular expressions: what matches where, as TRE has it in Redis 8.8, and that no expression takes for ever. */
import { expect, test } from "bun:test";
import { Regex } from "../../../src/bytes/regex.ts";
import { latin1 } from "../rdb/payloads.ts";

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const bytes = latin1(text);
  return new Regex(latin1(pattern), ignoreCase).test(bytes, 0, bytes.length);
}

test("what matches, and what does not", () => {
  const table: [pattern: string, yes: string[], no: string[]][] = [
    ["b", ["b", "abc"], ["", "ac"]],
    ["^ab?c$", ["abc", "ac"], ["abbc", "xac", "acx"]],
    ["a|bc|", ["", "x"], []],
    ["^(a|bc)+$", ["a", "bca", "aabcbc"], ["", "b", "ab"]],
    ["^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]],
    ["^a{2,}$", ["aa", "aaaaaa"], ["a"]],
    ["^a{,2}$", ["", "aa"], ["aaa"]],
    ["^(ab){0}c$", ["c"], ["abc"]],
    ["^[a-c]*$", ["", "abcabc"], ["abd"]],
    ["^[^a-c]$", ["d", "\n"], ["a", ""]],
    ["^[]a]+$", ["]", "a]a"], ["b"]],
    ["^[a-]+$", ["-a-"], ["b"]],
    ["^[[:digit:][:upper:]]+$", ["A1"], ["a"]],
    ["^\\d\\D\\w\\W\\s\\S$", ["1a_. x"], ["1a_.xx"]],
    ["\\bfoo\\b", ["a foo b", "foo"], ["foobar", "afoo"]],
    ["\\<b", ["a b"], ["ab"]],
    ["a\\>", ["a b"], ["ab"]],
    ["o\\Bo", ["foo"], ["f.o"]],
    ["^a.c$", ["abc", "a\nc", "a\x00c"], ["ac"]],
    ["^\\x41\\x{62}\\.\\t$", ["Ab.\t"], ["Ab.t"]],
    ["^\\Qa.*\\E+$", ["a.*"], ["abc", "a.**"]],
    ["^a*?b+?$", ["b", "aab"], ["a"]],
    ["(?i)abc", ["xABC"], ["ab"]],
    ["a(?i:b)c", ["aBc"], ["ABc", "aBC"]],
    ["a(?#c)b", ["ab"], ["acb"]],
    ["a)", ["a)"], ["a"]],
  ];
  for (const [pattern, yes, no] of table) {
    for (const one of yes) expect([pattern, one, matches(pattern, one)]).toEqual([pattern, one, true]);
    for (const one of no) expect([pattern, one, matches(pattern, one)]).toEqual([pattern, one, false]);
  }
  expect(matches("^[a-c]É", "BÉ", true)).toBe(true);
  expect(matches("^[a-c]", "B", false)).toBe(false);
});

test("what is no expression says why", () => {
  for (const [pattern, message] of [
    ["(a", "Missing ')'"],
    ["[a", "Missing ']'"],
    ["a{1", "Missing '}'"],
    ["a{2,1}", "Invalid contents of {}"],
    ["a{x}", "Invalid contents of {}"],
    ["a{256}", "Maximum repetition in {} larger than 255"],
    ["a**", "Invalid use of repetition operators"],
    ["a\\", "Trailing backslash"],
    ["[z-a]", "Invalid character range"],
    ["[[:nosuch:]]", "Unknown character class name"],
    ["[[.a.]]", "Unknown collating element"],
    ["\\1", "Invalid back reference"],
    ["(?x)", "Invalid regexp"],
    ["((a{255}){255}){255}", "Out of memory"],
  ])
    expect(() => matches(pattern!, "")).toThrow(message!);
});

test("time grows with the text, not with the ways through it", () => {
  expect(matches("^(a*)*$", `${"a".repeat(20_000)}b`)).toBe(false);
  expect(matches("(a|aa)+$", `${"a".repeat(20_000)}b`)).toBe(false);
  expect(matches("^(a?){100}a{100}$", "a".repeat(100))).toBe(true);
});
