// What a directive is, and the kinds that most directives are of. A row of the table is one call:
//
//   integer("hz", 10, 0, INT_MAX, { clamp: [1, 500] })
//
// and the row can parse its arguments, print its value for CONFIG GET and write its lines for CONFIG REWRITE.
// The few directives with a grammar of their own are in special.ts. The name is kept as a literal type: the
// type of `config.values` is computed from the rows (table.ts).

import { InvalidValue } from "./errors.ts";
import { formatMemory, parseInteger, parseLong, parseMemory } from "./numbers.ts";
import { quoteArgument } from "./text.ts";

export interface Traits {
  /** A second name, accepted everywhere and reported by CONFIG GET as an entry of its own. */
  readonly alias?: string;
  /** Only at start. */
  readonly immutable?: boolean;
  /** CONFIG GET reports it for its exact name, not for a pattern. */
  readonly hidden?: boolean;
  /** Its value is redacted in MONITOR, SLOWLOG and logs. */
  readonly sensitive?: boolean;
  /** CONFIG SET needs enable-protected-configs. */
  readonly protected?: boolean;
  /** CONFIG SET answers LOADING while the data set loads. */
  readonly denyLoading?: boolean;
  /** Takes several arguments, in redis.conf on one line, in CONFIG SET separated by spaces. */
  readonly multi?: boolean;
  /** Its hooks run even when the text did not change: the file it names may have. */
  readonly volatile?: boolean;
}

/** What reaches out of this room while a value is parsed. */
export interface ConfigHost {
  changeDirectory(path: string): void;
  currentDirectory(): string;
  /** Where relative names of data files begin; "" where that is the process's own directory. */
  root(): string;
  warn(message: string): void;
}

export interface ParseContext<Value> {
  readonly current: Value;
  /** Reading redis.conf: "first" at the first line of this directive, "again" at the later ones. */
  readonly loading: "no" | "first" | "again";
  readonly host: ConfigHost;
}

export interface RewriteLine {
  /** All that follows the directive's name. */
  readonly text: string;
  /** Written even where the old file has no line for it; without, only an existing line is updated. */
  readonly force: boolean;
}

export interface Directive<Name extends string = string, Value = unknown> extends Traits {
  readonly name: Name;
  readonly initial: Value;
  /** Throws InvalidValue with Redis's reason. */
  parse(args: readonly string[], context: ParseContext<Value>): Value;
  /** The decimal text of a number that a double cannot hold exactly. */
  exact?(args: readonly string[]): string | null;
  /** CONFIG GET's text. */
  format(value: Value): string;
  /** CONFIG REWRITE's lines; none: lines of the old file are removed. `text` is format's, or exact's. */
  rewrite(value: Value, text: string, server: { readonly clusterEnabled: boolean }): RewriteLine[];
  /** Parsing changes the process (dir): undoing it means to parse the old text again. */
  readonly effect?: boolean;
}

export function bool<const Name extends string>(
  name: Name,
  initial: boolean,
  traits: Traits = {},
): Directive<Name, boolean> {
  return {
    ...traits,
    name,
    initial,
    parse([word]) {
      const lower = word?.toLowerCase();
      if (lower === "yes") return true;
      if (lower === "no") return false;
      throw new InvalidValue("argument must be 'yes' or 'no'");
    },
    format: (value) => (value ? "yes" : "no"),
    rewrite: (value, text) => [{ text, force: value !== initial }],
  };
}

interface StringTraits extends Traits {
  /** "" means not set: CONFIG REWRITE then leaves the directive out. */
  readonly emptyIsUnset?: boolean;
  /** Keeps what follows a NUL byte; other strings end there, as in C. */
  readonly binary?: boolean;
  /** The reason for which the value is refused, or null. */
  readonly check?: (value: string) => string | null;
}

export function string<const Name extends string>(
  name: Name,
  initial: string,
  { emptyIsUnset = false, binary = false, check, ...traits }: StringTraits = {},
): Directive<Name, string> {
  return {
    ...traits,
    name,
    initial,
    parse([word = ""]) {
      const reason = check?.(word) ?? null;
      if (reason !== null) throw new InvalidValue(reason);
      return binary ? word : word.replace(/\0.*$/s, "");
    },
    format: (value) => value,
    rewrite(value) {
      if (emptyIsUnset && value === "") return [];
      return [{ text: quoteArgument(value), force: value !== initial }];
    },
  };
}

interface ChoiceTraits extends Traits {
  /** Words accepted for another one, which is then reported. */
  readonly synonyms?: Readonly<Record<string, string>>;
}

export function choice<const Name extends string, const Choice extends string>(
  name: Name,
  initial: NoInfer<Choice>,
  choices: readonly Choice[],
  { synonyms = {}, ...traits }: ChoiceTraits = {},
): Directive<Name, Choice> {
  return {
    ...traits,
    name,
    initial,
    parse(args) {
      const lower = args.length === 1 ? args[0]!.toLowerCase() : "";
      const wanted = synonyms[lower] ?? lower;
      const found = choices.find((each) => each === wanted);
      if (found === undefined) throw notOneOf(choices, synonyms);
      return found;
    },
    format: (value) => value,
    rewrite: (value, text) => [{ text, force: value !== initial }],
  };
}

/** Redis names synonyms next to the word they stand for. */
function notOneOf(choices: readonly string[], synonyms: Readonly<Record<string, string>> = {}): InvalidValue {
  const all = choices.flatMap((each) => [each, ...Object.keys(synonyms).filter((s) => synonyms[s] === each)]);
  return new InvalidValue(`argument(s) must be one of the following: ${all.join(", ")}`);
}

/** A set of words out of `choices`, reported in their order; the first choice stands for the empty set. */
export function wordSet<const Name extends string, const Choice extends string>(
  name: Name,
  choices: readonly [string, ...(readonly Choice[])],
  check: (words: readonly string[]) => string | null,
  traits: Traits = {},
): Directive<Name, readonly Choice[]> {
  const [empty, ...rest] = choices;
  return {
    ...traits,
    name,
    multi: true,
    initial: [],
    parse(args) {
      const words = new Set(args.map((word) => word.toLowerCase()));
      const known = (word: string) => word === empty || rest.some((each) => each === word);
      if (words.size === 0 || ![...words].every(known)) throw notOneOf(choices);
      const value = rest.filter((each) => words.has(each));
      const reason = check(value);
      if (reason !== null) throw new InvalidValue(reason);
      return value;
    },
    format: (value) => (value.length === 0 ? empty : value.join(" ")),
    rewrite: (value, text) => [{ text, force: value.length > 0 }],
  };
}

interface NumberTraits extends Traits {
  /** Values outside are moved to the nearest end instead of refused. */
  readonly clamp?: readonly [number, number];
}

type Bound = number | bigint;

export function integer<const Name extends string>(
  name: Name,
  initial: number,
  min: Bound,
  max: Bound,
  { clamp, ...traits }: NumberTraits = {},
): Directive<Name, number> {
  const read = (word = ""): bigint => {
    const value = parseInteger(word);
    if (value === null) throw new InvalidValue("argument couldn't be parsed into an integer");
    return between(value, min, max);
  };
  return {
    ...traits,
    name,
    initial,
    parse([word]) {
      const value = Number(read(word));
      return clamp === undefined ? value : Math.min(Math.max(value, clamp[0]), clamp[1]);
    },
    exact: ([word]) => exactText(read(word)),
    format: (value) => `${value}`,
    rewrite: (value, text) => [{ text, force: value !== initial }],
  };
}

interface MemoryTraits extends Traits {
  /** CONFIG SET raises smaller values to this; redis.conf may hold them. */
  readonly atLeast?: number;
}

/** A number of bytes. */
export function memory<const Name extends string>(
  name: Name,
  initial: number,
  min: Bound,
  max: Bound,
  { atLeast = 0, ...traits }: MemoryTraits = {},
): Directive<Name, number> {
  const read = (word = ""): bigint => {
    const value = parseMemory(word);
    if (value === null) throw new InvalidValue("argument must be a memory value");
    return between(value, min, max);
  };
  return {
    ...traits,
    name,
    initial,
    parse: ([word], { loading }) => Math.max(Number(read(word)), loading === "no" ? atLeast : 0),
    exact: ([word]) => exactText(read(word)),
    format: (value) => `${value}`,
    rewrite: (value, text) => [{ text: formatMemory(BigInt(text)), force: value !== initial }],
  };
}

/** A number of bytes, or a percentage, which is kept as a negative number (-10 for "10%"). */
export function memoryOrPercent<const Name extends string>(
  name: Name,
  initial: number,
  max: Bound,
  traits: Traits = {},
): Directive<Name, number> {
  const read = (word = ""): bigint => {
    const bytes = parseMemory(word);
    if (bytes !== null) return between(bytes, 0, max);
    const percent = word.endsWith("%") ? parseInteger(word.slice(0, -1)) : null;
    if (percent === null || percent < 0n) {
      throw new InvalidValue("argument must be a memory or percent value");
    }
    if (percent > 100n) throw new InvalidValue("percentage argument must be less or equal to 100");
    return -percent;
  };
  return {
    ...traits,
    name,
    initial,
    parse: ([word]) => Number(read(word)),
    exact: ([word]) => exactText(read(word)),
    format: (value) => (value < 0 ? `${-value}%` : `${value}`),
    rewrite: (value, text) => [
      { text: value < 0 ? text : formatMemory(BigInt(text)), force: value !== initial },
    ],
  };
}

/** File permissions. */
export function octal<const Name extends string>(
  name: Name,
  initial: number,
  max: number,
  traits: Traits = {},
): Directive<Name, number> {
  return {
    ...traits,
    name,
    initial,
    parse([word = ""]) {
      const value = parseLong(word, 8);
      if (value === null) throw new InvalidValue("argument couldn't be parsed as an octal number");
      return Number(between(value, 0, max, 8));
    },
    format: (value) => value.toString(8),
    rewrite: (value, text) => [{ text, force: value !== initial }],
  };
}

function between(value: bigint, min: Bound, max: Bound, base = 10): bigint {
  if (value >= min && value <= max) return value;
  throw new InvalidValue(
    `argument must be between ${min.toString(base)} and ${max.toString(base)} inclusive`,
  );
}

function exactText(value: bigint): string | null {
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? null : value.toString();
}
