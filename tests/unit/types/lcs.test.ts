import { describe, expect, test } from "bun:test";
import {
  LCS_MEMORY_ERROR,
  LCS_TOO_LONG_ERROR,
  lcsLength,
  lcsLimitError,
  lcsMatches,
  lcsText,
} from "../../../src/types/lcs.ts";
import { bytesOf, seeded } from "../bytes/random.ts";

/** The classic table, and the walk back through it as Redis does it. */
function model(a: string, b: string): { text: string; matches: number[] } {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const up = table[i - 1]![j]!;
      const left = table[i]![j - 1]!;
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(up, left);
    }
  }
  let text = "";
  const matches: number[] = [];
  let run = 0;
  let i = a.length;
  let j = b.length;
  const flush = (): void => {
    if (run > 0) matches.push(i, i + run - 1, j, j + run - 1, run);
    run = 0;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      text = a[i - 1] + text;
      run++;
      i--;
      j--;
    } else {
      flush();
      if (table[i - 1]![j]! > table[i]![j - 1]!) i--;
      else j--;
    }
  }
  flush();
  return { text, matches };
}

describe("LCS", () => {
  test("the example of the command page", () => {
    const a = bytesOf("ohmytext");
    const b = bytesOf("mynewtext");
    expect(lcsText(a, b)).toEqual(bytesOf("mytext"));
    expect(lcsLength(a, b)).toBe(6);
    expect(lcsMatches(a, b, 0)).toEqual({ length: 6, matches: [4, 7, 5, 8, 4, 2, 3, 0, 1, 2] });
    expect(lcsMatches(a, b, 4)).toEqual({ length: 6, matches: [4, 7, 5, 8, 4] });
  });

  test("empty strings", () => {
    const none = new Uint8Array(0);
    expect(lcsText(none, bytesOf("abc"))).toEqual(none);
    expect(lcsMatches(bytesOf("abc"), none, 0)).toEqual({ length: 0, matches: [] });
    expect(lcsLength(none, none)).toBe(0);
  });

  test("agrees with the classic table", () => {
    const random = seeded("lcs");
    for (let i = 0; i < 3000; i++) {
      const alphabet = "abcdef".slice(0, 1 + random.below(6));
      const a = String.fromCharCode(...random.bytes(random.below(90), alphabet));
      const b = String.fromCharCode(...random.bytes(random.below(90), alphabet));
      const { text, matches } = model(a, b);
      expect(lcsText(bytesOf(a), bytesOf(b))).toEqual(bytesOf(text));
      expect(lcsLength(bytesOf(a), bytesOf(b))).toBe(text.length);
      expect(lcsMatches(bytesOf(a), bytesOf(b), 0)).toEqual({ length: text.length, matches });
    }
  });

  test("Redis's limits", () => {
    // 4 bytes a cell of (a + 1) * (b + 1): 512 MB is 11584 by 11585.
    expect(lcsLimitError(11584, 11583, 2 ** 29)).toBeNull();
    expect(lcsLimitError(11585, 11585, 2 ** 29)).toBe(LCS_MEMORY_ERROR);
    expect(lcsLimitError(2 ** 32, 0, 2 ** 40)).toBe(LCS_TOO_LONG_ERROR);
  });
});
