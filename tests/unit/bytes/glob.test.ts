import { describe, expect, test } from "bun:test";
import { globMatch, globMatchAt } from "../../../src/bytes/glob.ts";
import { bytesOf, seeded } from "./random.ts";

function match(pattern: string, text: string, nocase = false): boolean {
  return globMatch(bytesOf(pattern), bytesOf(text), nocase);
}

/** `*`, `?` and literals, the slow and obvious way. */
function model(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*")
    return model(pattern.slice(1), text) || (text !== "" && model(pattern, text.slice(1)));
  return (
    text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && model(pattern.slice(1), text.slice(1))
  );
}

describe("glob", () => {
  // Answers of stringmatchlen in Redis 7.2.6.
  const cases: [pattern: string, text: string, nocase: boolean, matches: boolean][] = [
    ["", "", false, true],
    ["*", "", false, false],
    ["**", "", false, false],
    ["", "a", false, false],
    ["*", "abc", false, true],
    ["h?llo", "hallo", false, true],
    ["h*llo", "heeeello", false, true],
    ["h*llo", "hllo", false, true],
    ["a*", "a", false, true],
    ["a**", "a", false, true],
    ["*b", "ab", false, true],
    ["*b", "ba", false, false],
    ["h[ae]llo", "hello", false, true],
    ["h[ae]llo", "hillo", false, false],
    ["h[^e]llo", "hallo", false, true],
    ["h[^e]llo", "hello", false, false],
    ["h[a-b]llo", "hbllo", false, true],
    ["h[b-a]llo", "hallo", false, true],
    ["h[a-b]llo", "hcllo", false, false],
    ["HELLO", "hello", true, true],
    ["HELLO", "hello", false, false],
    ["[A-C]x", "bX", true, true],
    ["\\*", "*", false, true],
    ["\\*", "a", false, false],
    ["a\\", "a\\", false, true],
    ["[\\]]", "]", false, true],
    ["[abc", "b", false, true],
    ["[abc", "d", false, false],
    ["[^", "x", false, true],
    ["[", "[", false, false],
    ["[a-", "-", false, true],
    ["[a-]", "]", false, true],
    ["[a-]", "^", false, true],
    ["[a-]", "b", false, false],
    ["[]a]", "a", false, false],
    ["[\\A]", "a", true, false],
    ["[A]", "a", true, true],
    ["[Z-a]", "z", true, false],
    ["[a-\xff]", "\xff", false, true],
    ["[a-\xff]", "z", false, false],
    ["[a-\xff]", "A", false, true],
    ["[az-\x80]", "\x80", true, false],
    ["[az-\x80]", "\x80", false, true],
  ];
  for (const [pattern, text, nocase, matches] of cases) {
    test(`${JSON.stringify(pattern)} ${matches ? "takes" : "refuses"} ${JSON.stringify(text)}`, () => {
      expect(match(pattern, text, nocase)).toBe(matches);
    });
  }

  test("is the obvious matcher for stars and question marks", () => {
    const random = seeded("glob");
    for (let i = 0; i < 20000; i++) {
      const pattern = String.fromCharCode(...random.bytes(random.below(9), "ab*?*"));
      const text = String.fromCharCode(...random.bytes(1 + random.below(9), "ab"));
      expect([pattern, text, match(pattern, text)]).toEqual([pattern, text, model(pattern, text)]);
    }
  });

  test("stays within its offsets", () => {
    const buf = bytesOf("xx[a-c*yyabczz");
    expect(globMatchAt(buf, 2, 6, buf, 9, 10, false)).toBe(true);
    expect(globMatchAt(buf, 6, 7, buf, 9, 12, false)).toBe(true);
    expect(globMatchAt(buf, 2, 7, buf, 9, 12, false)).toBe(false);
  });

  test("is not exponential", () => {
    // It would not end.
    expect(match(`${"*a".repeat(500)}*b`, "a".repeat(20000))).toBe(false);
  });

  test("gives up beyond 1,000 stars", () => {
    expect(match(`${"*a".repeat(1000)}*`, "a".repeat(1100))).toBe(true);
    expect(match(`${"*a".repeat(1001)}*`, "a".repeat(1100))).toBe(false);
  });
});
