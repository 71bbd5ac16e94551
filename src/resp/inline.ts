/**
 * Inline commands: a line of words, as typed into telnet. A word may be quoted, with double quotes (escapes
 * \n \r \t \b \a \xHH and backslash before any other character) or single quotes (only \' is an escape); a
 * closing quote must be followed by a space or the end.
 */

/** The words of a line, or null where quotes are not balanced. */
export function splitWords(line: Uint8Array): Uint8Array[] | null {
  const words: Uint8Array[] = [];
  let i = 0;
  for (;;) {
    while (i < line.length && isSpace(line[i]!)) i++;
    if (i >= line.length) return words;
    const word: number[] = [];
    let quote = 0;
    for (;;) {
      const c = line[i];
      if (quote === 0) {
        if (c === undefined || endsWord(c)) break;
        if (c === 34 || c === 39) quote = c;
        else word.push(c);
        i++;
        continue;
      }
      if (c === undefined) return null;
      const next = line[i + 1];
      if (quote === 34 && c === 92 && next === 120 && isHex(line[i + 2]) && isHex(line[i + 3])) {
        word.push((hexValue(line[i + 2]!) << 4) | hexValue(line[i + 3]!));
        i += 4;
      } else if (quote === 34 && c === 92 && next !== undefined) {
        word.push(ESCAPES.get(next) ?? next);
        i += 2;
      } else if (quote === 39 && c === 92 && next === 39) {
        word.push(39);
        i += 2;
      } else if (c === quote) {
        if (next !== undefined && !isSpace(next)) return null;
        quote = 0;
        i++;
        break;
      } else {
        word.push(c);
        i++;
      }
    }
    words.push(Uint8Array.from(word));
  }
}

const ESCAPES = new Map([
  [110, 10],
  [114, 13],
  [116, 9],
  [98, 8],
  [97, 7],
]);

function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13) || c === 0;
}

/** Vertical tab and form feed stand between words, but do not end one: so sdssplitargs has it. */
function endsWord(c: number): boolean {
  return isSpace(c) && c !== 11 && c !== 12;
}

function isHex(c: number | undefined): boolean {
  return c !== undefined && hexValue(c) >= 0;
}

function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const letter = c | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
