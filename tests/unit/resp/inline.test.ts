import { expect, test } from "bun:test";
import { quoteBytes } from "../../../src/bytes/ascii.ts";
import { splitWords } from "../../../src/resp/inline.ts";
import { seeded } from "../bytes/random.ts";

/** Lines and their words in hexadecimal, as redis-server 7.2.6 read them (RPUSH, then LRANGE); null: refused. */
const VECTORS: [line: string, words: string[] | null][] = [
  ["a b c", ["61", "62", "63"]],
  ["  a   b\t c  ", ["61", "62", "63"]],
  ["", []],
  [" \t ", []],
  ['a"b c"', ["61622063"]],
  ['"a b"c', null],
  ['"a b" c', ["612062", "63"]],
  ["'a b' c", ["612062", "63"]],
  ["'a b'c", null],
  ["\"a'b\" 'c\"d'", ["612762", "632264"]],
  ['"\\x41\\x4a\\xff"', ["414aff"]],
  ['"\\x4g"', ["783467"]],
  ['"\\xg4"', ["786734"]],
  ['"\\X41"', ["583431"]],
  ['"\\x"', ["78"]],
  ['"\\x1"', ["7831"]],
  ['"\\n\\r\\t\\b\\a\\0\\q\\\\"', ["0a0d09080730715c"]],
  ["'\\n\\'x\\\\'", null],
  ["'\\\\'", null],
  ['"\\"', null],
  ['"abc', null],
  ["'abc", null],
  ['a"b"', ["6162"]],
  ['a"b"c', null],
  ["a'b'", ["6162"]],
  ["a''", ["61"]],
  ['""', [""]],
  ["''", [""]],
  ['"" ""', ["", ""]],
  ['"\\"" \'"\'', ["22", "22"]],
  ["a\\nb", ["615c6e62"]],
  ['\\"', null],
  ['"\\', null],
  ["'\\", null],
  ['"a"\tb', ["61", "62"]],
  ["'a'\vb", ["61", "62"]],
  ["a\vb\fc", ["610b620c63"]],
  ["a\rb", ["61", "62"]],
  ['"a"\r b', ["61", "62"]],
  ['foo"bar" baz', ["666f6f626172", "62617a"]],
  ["'it\\'s'", ["69742773"]],
  ['"it\'s"', ["69742773"]],
  ['a "b" "c', null],
  ['é "\\xc3\\xa9"', ["c3a9", "c3a9"]],
  ["\x01\x02 \x7f", ["0102", "7f"]],
];

test("words are split and unquoted as redis-server does", () => {
  for (const [line, words] of VECTORS) {
    const read = splitWords(new TextEncoder().encode(line))?.map((word) => Buffer.from(word).toString("hex"));
    expect([line, read ?? null]).toEqual([line, words]);
  }
});

test("what quoteBytes writes is read back", () => {
  const random = seeded("inline quoting");
  for (let round = 0; round < 500; round++) {
    const words = Array.from({ length: random.below(6) }, () => random.bytes(random.below(30)));
    const line = words.map((word) => quoteBytes(word)).join(random.pick([" ", "\t", "   "]));
    expect(splitWords(Buffer.from(line, "latin1"))?.map((word) => [...word])).toEqual(
      words.map((word) => [...word]),
    );
  }
});

test("any line is split or refused", () => {
  const random = seeded("inline, random");
  for (let round = 0; round < 5000; round++) {
    const line = random.bytes(random.below(40), random.pick([undefined, "ab \"'\\x41"]));
    const words = splitWords(line);
    if (words === null) expect(line.includes(34) || line.includes(39)).toBe(true);
  }
});
