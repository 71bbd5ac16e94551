/**
 * The one-line notation in which a row writes a command's arguments, and its parser to the argument tree that
 * COMMAND DOCS replies with. It is read only when somebody asks, so it is text in the row, not objects.
 *
 *     key value [condition=(NX|XX)@2.6.12] [GET@6.2.0] [expiration=(EX seconds:integer@2.6.12|KEEPTTL@6.0.0)]
 *
 *     value                 a value given by the user, type string
 *     seconds:integer       of another type (integer, double, key, pattern, unix-time)
 *     destination:key#1     a key found by the key spec of index 1; `:key` alone is index 0, and so is a bare
 *                           `key` (a string that is called key is `key:string`)
 *     by-pattern"pattern"   shown as "pattern"
 *     NX                    a word on its own (pure-token), named after itself in lower case
 *     sorting=ALPHA         the same under another name; a word of other characters is quoted: id='$'
 *     EX seconds:integer    a word that introduces the value after it (upper case, then lower case)
 *     unit=(BYTE|BIT)       one of several; `LIMIT limit=(offset count)` without a bar is a block in sequence
 *     [x]                   optional
 *     x...                  may be repeated; `GET... x` is repeated together with its word
 *     x@6.2.0  x!2.8.12     since this version; deprecated since that one
 */

export const ARGUMENT_TYPES = [
  "string",
  "integer",
  "double",
  "key",
  "pattern",
  "unix-time",
  "pure-token",
  "oneof",
  "block",
] as const;

export type ArgumentType = (typeof ARGUMENT_TYPES)[number];

/** One argument, in the terms of COMMAND DOCS (https://redis.io/docs/latest/commands/command-docs/). */
export interface Argument {
  name: string;
  type: ArgumentType;
  displayText?: string;
  keySpecIndex?: number;
  token?: string;
  since?: string;
  deprecatedSince?: string;
  optional?: true;
  multiple?: true;
  /** The token is repeated too. */
  multipleToken?: true;
  arguments?: Argument[];
}

const WORD = /[A-Z][A-Z0-9_-]*/y;
const QUOTED = /'([^']*)'/y;
const NAME = /[a-z0-9][a-z0-9-]*/y;
const VERSION = /\d+\.\d+\.\d+/y;
const INDEX = /\d+/y;
const DISPLAY = /"([^"]*)"/y;

class Parser {
  at = 0;
  constructor(readonly text: string) {}

  fail(wanted: string): never {
    throw new SyntaxError(`${wanted} expected at ${this.at} of the arguments "${this.text}"`);
  }

  /** Takes what the pattern matches here: its group, or the whole match. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[1] ?? found[0];
  }

  need(pattern: RegExp, what: string): string {
    return this.match(pattern) ?? this.fail(what);
  }

  take(literal: string): boolean {
    if (!this.text.startsWith(literal, this.at)) return false;
    this.at += literal.length;
    return true;
  }

  expect(literal: string): void {
    if (!this.take(literal)) this.fail(`"${literal}"`);
  }

  sequence(): Argument[] {
    const list = [this.argument()];
    while (this.take(" ")) list.push(this.argument());
    return list;
  }

  argument(): Argument {
    if (!this.take("[")) return this.item();
    const argument = this.item();
    this.expect("]");
    argument.optional = true;
    return argument;
  }

  item(): Argument {
    const argument = this.body();
    if (this.take("...")) argument.multiple = true;
    if (this.take("@")) argument.since = this.need(VERSION, "a version");
    if (this.take("!")) argument.deprecatedSince = this.need(VERSION, "a version");
    return argument;
  }

  body(): Argument {
    const token = this.match(QUOTED) ?? this.match(WORD);
    if (token === null) return this.value();
    const repeated = this.take("... ");
    const introduces = repeated || /^ [a-z0-9]/.test(this.text.slice(this.at, this.at + 2));
    if (!introduces) return { name: token.toLowerCase(), type: "pure-token", token };
    if (!repeated) this.at++;
    const argument = this.value();
    argument.token = token;
    if (repeated) argument.multiple = argument.multipleToken = true;
    return argument;
  }

  value(): Argument {
    const name = this.need(NAME, "a name");
    if (this.take("=")) return this.take("(") ? this.group(name) : this.pureToken(name);
    const argument: Argument = { name, type: name === "key" ? "key" : "string" };
    if (this.take(":")) argument.type = this.type();
    if (this.take("#")) argument.keySpecIndex = Number(this.need(INDEX, "an index"));
    else if (argument.type === "key") argument.keySpecIndex = 0;
    const display = this.match(DISPLAY);
    if (display !== null) argument.displayText = display;
    return argument;
  }

  type(): ArgumentType {
    const word = this.need(NAME, "a type");
    return ARGUMENT_TYPES.find((type) => type === word) ?? this.fail("a type");
  }

  pureToken(name: string): Argument {
    const token = this.match(QUOTED) ?? this.need(WORD, "a word");
    return { name, type: "pure-token", token };
  }

  group(name: string): Argument {
    const list = this.sequence();
    const type = this.text[this.at] === "|" ? "oneof" : "block";
    while (type === "oneof" && this.take("|")) list.push(this.argument());
    this.expect(")");
    return { name, type, arguments: list };
  }
}

/** The argument tree of a row's notation; throws SyntaxError where it is malformed. */
export function parseSyntax(text: string): Argument[] {
  if (text === "") return [];
  const parser = new Parser(text);
  const list = parser.sequence();
  if (parser.at !== text.length) parser.fail("the end");
  return list;
}
