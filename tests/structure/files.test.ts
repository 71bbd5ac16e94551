import { expect, test } from "bun:test";
import { filesUnder } from "./source.ts";

/** What every file keeps to. */
const LONGEST = 600;
const ALL = [...filesUnder("src"), ...filesUnder("tests"), ...filesUnder("scripts")];

function offenders(pattern: RegExp): string[] {
  const found: string[] = [];
  for (const { path, text } of ALL) {
    if (path.startsWith("tests/structure/")) continue;
    for (const [i, line] of text.split("\n").entries())
      if (pattern.test(line)) found.push(`${path}:${i + 1}: ${line.trim()}`);
  }
  return found;
}

test(`no file has more than ${LONGEST} lines`, () => {
  const long = ALL.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
  expect(long.filter(({ lines }) => lines > LONGEST)).toEqual([]);
});

test("the type checker is not talked out of its opinion", () => {
  expect(offenders(/\bas any\b|: any\b|<any>|@ts-(ignore|nocheck|expect-error)/)).toEqual([]);
});

test("no lint rule is switched off on the spot", () => {
  expect(offenders(/biome-ignore/)).toEqual([]);
});

test("no test is left out or alone", () => {
  expect(offenders(/\b(test|describe|it)\.(only|skip)\(/)).toEqual([]);
});
