import { expect, test } from "bun:test";
import { filesUnder } from "./source.ts";

/** What every file keeps to. */
const LONGEST = 600;
const SOURCE = filesUnder("src");
const ALL = [...SOURCE, ...filesUnder("tests"), ...filesUnder("scripts")];

/** Lines of code, comments aside, that match. */
function offenders(pattern: RegExp): string[] {
  const found: string[] = [];
  for (const { path, text } of ALL) {
    if (path.startsWith("tests/structure/")) continue;
    for (const [i, line] of text.split("\n").entries())
      if (pattern.test(line) && !/^\s*(\/?\*|\/\/ (?!@ts))/.test(line))
        found.push(`${path}:${i + 1}: ${line.trim()}`);
  }
  return found;
}

test(`no file of src/ has more than ${LONGEST} lines`, () => {
  const lengths = SOURCE.map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
  expect(lengths.filter(({ lines }) => lines > LONGEST)).toEqual([]);
});

test("the type checker is not talked out of its opinion", () => {
  expect(
    offenders(/\bas any\b(?! other)|:\s*any\s*[,;=)\]|&>[]|<any>|@ts-(ignore|nocheck|expect-error)/),
  ).toEqual([]);
});

test("no test runs alone, none is left out without saying what it needs", () => {
  expect(offenders(/\b(test|describe|it)\.only\(/)).toEqual([]);
  expect(offenders(/\b(test|describe|it)\.skip\(/).filter((line) => !line.includes("[needs "))).toEqual([]);
});
