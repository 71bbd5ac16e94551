import { describe, expect, test } from "bun:test";
import { type Argument, parseSyntax } from "../../../src/call/syntax.ts";

/** The notation of a tree: parseSyntax backwards, to test it both ways. */
function notation(argument: Argument): string {
  const { name, type, token } = argument;
  const word = token !== undefined && /^[A-Z][A-Z0-9_-]*$/.test(token) ? token : `'${token}'`;
  let text = "";
  if (type === "pure-token") text = word.toLowerCase() === name ? word : `${name}=${word}`;
  else {
    if (token !== undefined) text = argument.multipleToken ? `${word}... ` : `${word} `;
    text += name;
    if (argument.arguments) {
      text += `=(${argument.arguments.map(notation).join(type === "oneof" ? "|" : " ")})`;
    } else {
      if (type !== (name === "key" ? "key" : "string")) text += `:${type}`;
      if (argument.keySpecIndex !== (type === "key" ? 0 : undefined)) text += `#${argument.keySpecIndex}`;
      if (argument.displayText !== undefined) text += `"${argument.displayText}"`;
    }
  }
  if (argument.multiple && !argument.multipleToken) text += "...";
  if (argument.since !== undefined) text += `@${argument.since}`;
  if (argument.deprecatedSince !== undefined) text += `!${argument.deprecatedSince}`;
  return argument.optional ? `[${text}]` : text;
}

describe("parseSyntax", () => {
  test("SET", () => {
    expect(parseSyntax("key value [condition=(NX|XX)@2.6.12] [EX seconds:integer] [GET]")).toEqual([
      { name: "key", type: "key", keySpecIndex: 0 },
      { name: "value", type: "string" },
      {
        name: "condition",
        type: "oneof",
        optional: true,
        since: "2.6.12",
        arguments: [
          { name: "nx", type: "pure-token", token: "NX" },
          { name: "xx", type: "pure-token", token: "XX" },
        ],
      },
      { name: "seconds", type: "integer", token: "EX", optional: true },
      { name: "get", type: "pure-token", token: "GET", optional: true },
    ]);
  });

  test("a block, keys of several specs, a display text, repetition with and without the word", () => {
    expect(
      parseSyntax(
        'LIMIT limit=(offset:integer count:integer) key#1... [GET... get-pattern:pattern#1"pattern"] key:string',
      ),
    ).toEqual([
      {
        name: "limit",
        type: "block",
        token: "LIMIT",
        arguments: [
          { name: "offset", type: "integer" },
          { name: "count", type: "integer" },
        ],
      },
      { name: "key", type: "key", keySpecIndex: 1, multiple: true },
      {
        name: "get-pattern",
        type: "pattern",
        keySpecIndex: 1,
        displayText: "pattern",
        token: "GET",
        optional: true,
        multiple: true,
        multipleToken: true,
      },
      { name: "key", type: "string" },
    ]);
  });

  test("words that are no words", () => {
    expect(parseSyntax("id-selector=(auto-id='*'|id) key-selector=(key|empty-string='')")).toEqual([
      {
        name: "id-selector",
        type: "oneof",
        arguments: [
          { name: "auto-id", type: "pure-token", token: "*" },
          { name: "id", type: "string" },
        ],
      },
      {
        name: "key-selector",
        type: "oneof",
        arguments: [
          { name: "key", type: "key", keySpecIndex: 0 },
          { name: "empty-string", type: "pure-token", token: "" },
        ],
      },
    ]);
  });

  test.each([
    "",
    "key [count:integer@6.2.0]",
    "bit:integer [range=(start:integer [end-unit-block=(end:integer [unit=(BYTE|BIT)@7.0.0])])]",
    'filter=(old-format"ip:port"!2.8.12|new-format=([ID client-id:integer@2.8.12]|[USER username])...)',
    "args=(host-port=(host port:integer)|no-one=(NO ONE))",
    "destination:key source:key#1 sorting=ALPHA unix-time-seconds:unix-time increment:double",
    "[TO target=(host port:integer [FORCE])] [ABORT]",
  ])("round trip: %s", (text) => {
    expect(parseSyntax(text).map(notation).join(" ")).toBe(text);
  });

  test.each(["key  value", "[key", "a=(b", "x:number", "a@1", "a b)", " a", "a=", "EX "])(
    "malformed: %s",
    (text) => {
      expect(() => parseSyntax(text)).toThrow(SyntaxError);
    },
  );
});
