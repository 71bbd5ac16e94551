/**
 * Filters of vector searches (VSIM with FILTER): an expression over the attributes of an element.
 *
 *   .year >= 1980 and (.genre in ["drama", "noir"] or not .rated)
 *
 *   numbers, "strings", 'strings', null, [tuples of these], .fields of the element's JSON object
 *   by how closely they bind:  ! not   **   * / %   + -   > >= < <= == != in   and &&   or ||
 *
 * There are no errors once an expression is compiled: what is no number counts as 0, what is neither 0, "" nor null as
 * true. An element without attributes, without a field that the expression names, or with one that is an object, does
 * not match, whatever the expression says of it. Only fields of the object itself can be named.
 */
type Scalar = number | string | null;
export type Value = Scalar | readonly Scalar[];

type Item =
  | { kind: "value"; value: Value }
  | { kind: "field"; name: string }
  | { kind: "operator"; operator: Operator };

interface Operator {
  readonly name: string;
  readonly binds: number;
  readonly operands: 0 | 1 | 2;
  apply(a: Value, b: Value): Value;
}

const truth = (holds: boolean) => (holds ? 1 : 0);

function operator(
  names: string,
  binds: number,
  operands: Operator["operands"],
  apply: Operator["apply"],
): [string, Operator][] {
  return names.split(" ").map((name) => [name, { name, binds, operands, apply }]);
}

const nothing = () => 0;
const OPERATORS = new Map<string, Operator>([
  ...operator("( )", 7, 0, nothing),
  ...operator("! not", 6, 1, (_, b) => truth(!isTrue(b))),
  ...operator("**", 5, 2, (a, b) => numberOf(a) ** numberOf(b)),
  ...operator("*", 4, 2, (a, b) => numberOf(a) * numberOf(b)),
  ...operator("/", 4, 2, (a, b) => numberOf(a) / numberOf(b)),
  ...operator("%", 4, 2, (a, b) => numberOf(a) % numberOf(b)),
  ...operator("+", 3, 2, (a, b) => numberOf(a) + numberOf(b)),
  ...operator("-", 3, 2, (a, b) => numberOf(a) - numberOf(b)),
  ...operator(">", 2, 2, (a, b) => truth(numberOf(a) > numberOf(b))),
  ...operator(">=", 2, 2, (a, b) => truth(numberOf(a) >= numberOf(b))),
  ...operator("<", 2, 2, (a, b) => truth(numberOf(a) < numberOf(b))),
  ...operator("<=", 2, 2, (a, b) => truth(numberOf(a) <= numberOf(b))),
  ...operator("==", 2, 2, (a, b) => truth(areEqual(a, b))),
  ...operator("!=", 2, 2, (a, b) => truth(!areEqual(a, b))),
  ...operator("in", 2, 2, (a, b) => truth(isIn(a, b))),
  ...operator("and &&", 1, 2, (a, b) => truth(isTrue(a) && isTrue(b))),
  ...operator("or ||", 0, 2, (a, b) => truth(isTrue(a) || isTrue(b))),
]);

function isTuple(value: Value): value is readonly Scalar[] {
  return Array.isArray(value);
}

function isTrue(value: Value): boolean {
  return value !== 0 && value !== "" && value !== null;
}

function numberOf(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return 0;
  const number = Number(value);
  return Number.isNaN(number) ? 0 : number;
}

function areEqual(a: Value, b: Value): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  if (a === null || b === null) return a === b;
  return numberOf(a) === numberOf(b);
}

function isIn(a: Value, b: Value): boolean {
  if (isTuple(b)) return b.some((element) => areEqual(a, element));
  return typeof a === "string" && typeof b === "string" && b.includes(a);
}

/** The expression cannot be understood from this place on. */
export class FilterError extends Error {
  constructor(readonly position: number) {
    super(`error in a filter at ${position}`);
  }
}

export class Filter {
  private constructor(private readonly program: readonly Item[]) {}

  /** Of a text that is one character a byte; strings in it are UTF-8. Throws a FilterError. */
  static compile(text: string): Filter {
    return new Filter(inOrderOfExecution(new Tokens(text).all()));
  }

  /** Whether an element with these attributes, a JSON text, matches. */
  matches(attributes: string): boolean {
    let object: unknown;
    try {
      object = JSON.parse(attributes);
    } catch {
      return false;
    }
    if (typeof object !== "object" || object === null || Array.isArray(object)) return false;
    const stack: Value[] = [];
    for (const item of this.program) {
      if (item.kind === "value") stack.push(item.value);
      else if (item.kind === "field") {
        const value = fieldOf(object as Record<string, unknown>, item.name);
        if (value === undefined) return false;
        stack.push(value);
      } else {
        const b = stack.pop()!;
        stack.push(item.operator.apply(item.operator.operands === 2 ? stack.pop()! : null, b));
      }
    }
    return isTrue(stack[0]!);
  }
}

/** A field as expressions know it; undefined: there is none, or it is nothing that they know. */
function fieldOf(object: Record<string, unknown>, name: string): Value | undefined {
  if (!Object.hasOwn(object, name)) return undefined;
  const value = object[name];
  if (!Array.isArray(value)) return scalarOf(value);
  const tuple = value.map(scalarOf);
  return tuple.every((element) => element !== undefined) ? tuple : undefined;
}

function scalarOf(value: unknown): Scalar | undefined {
  if (typeof value === "boolean") return truth(value);
  return typeof value === "number" || typeof value === "string" || value === null ? value : undefined;
}

// -------------------------------------------------------------------------------- reading

const SPACE = /[ \t\n\v\f\r]*/y;
const NUMBER = /-?[\d.eE]+/y;
const FIELD = /\.([\w-]+)/y;
const WORD = /[A-Za-z+\-*%/!()<>=|&]+/y;
const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy;
const CONTROLS: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
const LONGEST_OPERATOR = 3;

class Tokens {
  private at = 0;

  constructor(private readonly text: string) {}

  all(): Item[] {
    const items: Item[] = [];
    for (this.skipSpace(); this.at < this.text.length; this.skipSpace()) items.push(this.next(items.at(-1)));
    return items;
  }

  private skipSpace(): void {
    this.take(SPACE);
  }

  /** Reads what matches here; null: nothing does. */
  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at = pattern.lastIndex;
    return match;
  }

  private next(before: Item | undefined): Item {
    const { text, at } = this;
    const first = text[at]!;
    // A minus belongs to a number where there is nothing that the number could be taken from.
    const begins = before === undefined || (before.kind === "operator" && before.operator.name !== ")");
    if (/\d/.test(first) || (begins && /-\d/.test(text.slice(at, at + 2))))
      return { kind: "value", value: this.number() };
    if (first === '"' || first === "'") return { kind: "value", value: this.string() };
    if (first === "[") return { kind: "value", value: this.tuple() };
    const field = this.take(FIELD);
    if (field !== null) return { kind: "field", name: field[1]! };
    return this.word();
  }

  private word(): Item {
    const { at } = this;
    const word = this.take(WORD)?.[0];
    if (word === undefined) throw new FilterError(at);
    if (word === "null") return { kind: "value", value: null };
    for (let length = Math.min(word.length, LONGEST_OPERATOR); length > 0; length--) {
      const operator = OPERATORS.get(word.slice(0, length));
      if (operator === undefined) continue;
      this.at = at + length;
      return { kind: "operator", operator };
    }
    throw new FilterError(this.at);
  }

  private number(): number {
    const number = Number(this.take(NUMBER)?.[0] ?? "?");
    if (Number.isNaN(number)) throw new FilterError(this.at);
    return number;
  }

  private string(): string {
    const string = this.take(STRING)?.[0];
    if (string === undefined) throw new FilterError(this.text.length);
    const content = string
      .slice(1, -1)
      .replace(/\\(.)/gs, (_, character: string) => CONTROLS[character] ?? character);
    return Buffer.from(content, "latin1").toString();
  }

  private tuple(): Scalar[] {
    const elements: Scalar[] = [];
    this.at++;
    for (;;) {
      this.skipSpace();
      const first = this.text[this.at];
      if (first === "]") break;
      if (first === '"' || first === "'") elements.push(this.string());
      else if (first !== undefined && /[\d-]/.test(first)) elements.push(this.number());
      else throw new FilterError(this.at);
      this.skipSpace();
      if (this.text[this.at] === "]") break;
      if (this.text[this.at] !== ",") throw new FilterError(this.at);
      this.at++;
    }
    this.at++;
    return elements;
  }
}

/** The items as a stack takes them: operators behind their operands (the shunting yard). */
function inOrderOfExecution(items: readonly Item[]): Item[] {
  const program: Item[] = [];
  const waiting: (Item & { kind: "operator" })[] = [];
  let values = 0;
  const execute = (): void => {
    const item = waiting.pop()!;
    const { operands } = item.operator;
    if (operands === 0 || values < operands) throw new FilterError(0);
    values -= operands - 1;
    program.push(item);
  };
  for (const item of items) {
    if (item.kind !== "operator") {
      program.push(item);
      values++;
      continue;
    }
    const { name, binds, operands } = item.operator;
    if (name === ")") {
      while (waiting.length > 0 && waiting.at(-1)!.operator.name !== "(") execute();
      if (waiting.pop() === undefined) throw new FilterError(0);
      continue;
    }
    // What stands before its operand, as "not", waits for it; of powers the right one comes first.
    if (name !== "(" && operands === 2) {
      const least = name === "**" ? binds + 1 : binds;
      while (
        waiting.length > 0 &&
        waiting.at(-1)!.operator.name !== "(" &&
        waiting.at(-1)!.operator.binds >= least
      )
        execute();
    }
    waiting.push(item);
  }
  while (waiting.length > 0) execute();
  if (values !== 1) throw new FilterError(0);
  return program;
}
