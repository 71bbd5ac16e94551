import { describe, expect, test } from "bun:test";
import { Filter, FilterError } from "../../../src/types/vector-filter.ts";

const ATTRIBUTES = JSON.stringify({
  year: 1984,
  rating: -7.5,
  name: "The Matrix",
  empty: "",
  digits: "12",
  yes: true,
  no: false,
  nothing: null,
  tags: ["drama", 7, true],
  object: { year: 1 },
  mixed: [1, { a: 2 }],
  "a-b_c": 3,
});

const matches = (expression: string, attributes = ATTRIBUTES) =>
  Filter.compile(expression).matches(attributes);

describe("a filter", () => {
  test.each([
    ".year == 1984",
    ".year > 1983 and .year<1985",
    ".year >= 1984 && .year <= 1984",
    ".year != 1985 or 0",
    "0 || .rating < -7",
    "-7.5 == .rating",
    "(.year - 2000) ** 2 < 300",
    "2 ** 3 ** 2 == 512",
    "7 % 4 == 3",
    "-7 % 4 == -3",
    "1 / 0 > 1000",
    "10 - 2 - 3 == 5",
    "2 + 3 * 4 == 14",
    "(2 + 3) * 4 == 20",
    "1e3 == 1000",
    "5-3 == 2",
    "(5)-3 == 2",
    ".year -1 == 1983",
    "not .no",
    "!.no",
    "!!.yes",
    "not not .yes",
    "! (.year == 1)",
    "not (.year == 1985)",
    "not .year == 0",
    ".yes == 1",
    ".nothing == null",
    "not .nothing",
    "null != 0",
    ".name == 'The Matrix'",
    '.name == "The Matrix"',
    '"Mat" in .name',
    "'drama' in .tags",
    "7 in .tags",
    "1 in .tags",
    "not (8 in .tags)",
    '.name in ["a", "The Matrix"]',
    ".year in [1, -5, 1984]",
    "not (1 in [])",
    ".digits == 12",
    ".digits + 1 == 13",
    ".name + 1 == 1",
    "not .empty",
    ".name",
    ".tags",
    ".a-b_c == 3",
    "'it\\'s' == \"it's\"",
    '"a\\\\b" != "ab"',
    "'a' == 'a' and 1 or 0 and 0",
  ])("%s holds", (expression) => {
    expect(matches(expression)).toBe(true);
  });

  test.each([
    ".year == 1985",
    ".missing == 1",
    "not .missing",
    ".missing or 1",
    ".object",
    "not .object",
    ".mixed",
    "0",
    "''",
    "null",
    ".empty",
    ".no",
    "'x' in 'abc'",
    "1 in 'abc'",
    "'a' in 5",
    ".toString",
    ".name > 1",
    "'a' == 'b'",
  ])("%s does not hold", (expression) => {
    expect(matches(expression)).toBe(false);
  });

  test("strings are UTF-8", () => {
    const bytes = (text: string) => Buffer.from(text).toString("latin1");
    expect(matches(bytes(".name == 'Zoë' and 'ë' in .name"), '{"name":"Zoë"}')).toBe(true);
    expect(matches(bytes(".name == 'Zoë'"), '{"name":"Zo\\u00eb"}')).toBe(true);
  });

  test("of what is no object, nothing matches", () => {
    for (const attributes of ["", "{", "5", "[1]", "null", '"x"', '{"year":}'])
      expect(matches("1", attributes)).toBe(false);
    expect(matches("1", "{}")).toBe(true);
  });

  test.each([
    ["", 0],
    ["   ", 0],
    [".year >", 0],
    ["and 1", 0],
    ["1 2", 0],
    ["(1", 0],
    ["1)", 0],
    [".year == 1 and @", 15],
    [".year == 'a", 11],
    ["[1, [2]]", 4],
    ["[1 2]", 3],
    ["[1", 2],
    ["1.2.3 == 1", 5],
    ["abc == 1", 3],
    [". == 1", 0],
    ["not", 0],
    ["true", 4],
  ])("%p is refused", (expression, position) => {
    let error: unknown;
    try {
      Filter.compile(expression);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FilterError);
    expect((error as FilterError).position).toBe(position);
  });
});
