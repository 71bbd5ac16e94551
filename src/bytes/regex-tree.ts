import { latin1Text } from "./ascii.ts";

/** Reads a regular expression: what regex.ts follows. Errors have TRE's words. */

export class RegexError extends Error {}

/** A set of bytes is 256 bits. `most` -1: any number. */
export type RegexNode =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: Uint8Array }
  | { readonly kind: "assert"; readonly what: number }
  | { readonly kind: "all" | "any"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "repeat"; readonly node: RegexNode; readonly least: number; readonly most: number };

const EMPTY: RegexNode = { kind: "empty" };
const MOST_REPETITIONS = 255;

/** What `\` and a letter stand for. */
const MACROS: Record<string, string> = {
  t: "\t",
  n: "\n",
  r: "\r",
  f: "\f",
  a: "\x07",
  e: "\x1b",
  w: "[[:alnum:]_]",
  W: "[^[:alnum:]_]",
  s: "[[:space:]]",
  S: "[^[:space:]]",
  d: "[[:digit:]]",
  D: "[^[:digit:]]",
};
/** Kinds of regex.ts: edge, no edge, begin and end of a word. */
const ASSERTIONS: Record<string, number> = { b: 2, B: 3, "<": 4, ">": 5 };

const CLASSES: Record<string, RegExp> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[^ -~\x80-\xff]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

export function regexTree(pattern: Uint8Array, ignoreCase: boolean): RegexNode {
  return new Reading(latin1Text(pattern), ignoreCase).all();
}

class Reading {
  private at = 0;
  private depth = 0;
  private lines = false;
  private literal = false;
  private groups = 0;
  /** The highest group that is referred to; -1: none is. */
  private reference = -1;

  constructor(
    private readonly text: string,
    private ignoreCase: boolean,
  ) {}

  all(): RegexNode {
    const node = this.alternatives();
    if (this.depth > 0) throw new RegexError("Missing ')'");
    if (this.reference > this.groups) throw new RegexError("Invalid back reference");
    if (this.reference >= 0) throw new BackReference();
    return node;
  }

  private get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** Up to the end of the group, whose parenthesis is left. */
  private alternatives(): RegexNode {
    const parts = [this.branch()];
    while (!this.ended && !this.literal && this.text[this.at] === "|") {
      this.at++;
      parts.push(this.branch());
    }
    return parts.length === 1 ? parts[0]! : { kind: "any", parts };
  }

  private branch(): RegexNode {
    const parts = [this.piece()];
    for (;;) {
      if (this.ended) break;
      const c = this.text[this.at];
      if (!this.literal && (c === "|" || (c === ")" && this.depth > 0))) break;
      parts.push(this.piece());
    }
    return parts.length === 1 ? parts[0]! : { kind: "all", parts };
  }

  private piece(): RegexNode {
    let node = this.atom();
    while (!this.ended && !this.literal) {
      const c = this.text[this.at]!;
      if (c === "{") {
        this.at++;
        node = this.bound(node);
      } else if (c === "*" || c === "+" || c === "?") {
        const after = this.text[this.at + 1];
        if (after === "*" || after === "+") throw new RegexError("Invalid use of repetition operators");
        this.at += after === "?" ? 2 : 1;
        node = { kind: "repeat", node, least: c === "+" ? 1 : 0, most: c === "?" ? 1 : -1 };
      } else break;
    }
    return node;
  }

  /** `{least,most}`. TRE's approximate matching is not there. */
  private bound(node: RegexNode): RegexNode {
    const rest = this.text.slice(this.at);
    const [whole, first, comma, second] = /^(\d*)(,?)(\d*)/.exec(rest)!;
    const least = first === "" ? (comma === "" ? -1 : 0) : Number(first);
    const most = comma === "" ? least : second === "" ? -1 : Number(second);
    if (most >= 0 && least > most) throw new RegexError("Invalid contents of {}");
    if (least > MOST_REPETITIONS || most > MOST_REPETITIONS)
      throw new RegexError(`Maximum repetition in {} larger than ${MOST_REPETITIONS}`);
    if (whole.length >= rest.length) throw new RegexError("Missing '}'");
    if (whole === "" || rest[whole.length] !== "}") throw new RegexError("Invalid contents of {}");
    this.at += whole.length + 1;
    if (this.text[this.at] === "?") this.at++;
    else if (this.text[this.at] === "*" || this.text[this.at] === "+")
      throw new RegexError("Invalid use of repetition operators");
    return least === 0 && most === 0 ? EMPTY : { kind: "repeat", node, least, most };
  }

  private atom(): RegexNode {
    if (this.ended) return EMPTY;
    const c = this.text[this.at]!;
    if (this.literal) {
      if (c === "\\" && this.text[this.at + 1] === "E") {
        this.literal = false;
        this.at += 2;
        return this.piece();
      }
      return this.character();
    }
    switch (c) {
      case "(":
        return this.group();
      case ")":
        return this.depth > 0 ? EMPTY : this.character();
      case "[":
        this.at++;
        return this.bracket();
      case "\\":
        return this.escape();
      case ".": {
        this.at++;
        const set = new Uint8Array(32).fill(255);
        if (this.lines) set[1]! &= ~(1 << 2);
        return { kind: "set", set };
      }
      case "^":
      case "$":
        this.at++;
        return { kind: "assert", what: c === "^" ? 0 : 1 };
      case "*":
      case "|":
      case "{":
      case "+":
      case "?":
        return EMPTY;
      default:
        return this.character();
    }
  }

  private character(): RegexNode {
    const set = new Uint8Array(32);
    this.include(set, this.text.charCodeAt(this.at++));
    return { kind: "set", set };
  }

  private include(set: Uint8Array, byte: number): void {
    add(set, byte);
    if (!this.ignoreCase) return;
    const c = String.fromCharCode(byte);
    if (/[a-z]/i.test(c)) add(set, byte ^ 32);
  }

  private group(): RegexNode {
    if (this.text[this.at + 1] === "?") return this.flags();
    this.at++;
    this.groups++;
    return this.inside();
  }

  private inside(): RegexNode {
    this.depth++;
    const node = this.alternatives();
    if (this.ended) throw new RegexError("Missing ')'");
    this.at++;
    this.depth--;
    return node;
  }

  /** `(?i)` for the rest of the group, `(?i:...)` for what it holds, `(?#...)`: a comment. */
  private flags(): RegexNode {
    const { ignoreCase, lines } = this;
    let on = true;
    this.at += 2;
    for (;;) {
      if (this.ended) throw new RegexError("Invalid regexp");
      const c = this.text[this.at++]!;
      if (c === "i") this.ignoreCase = on;
      else if (c === "n") this.lines = on;
      else if (c === "-") on = false;
      else if (c === "#") {
        const close = this.text.indexOf(")", this.at);
        if (close < 0) throw new RegexError("Invalid regexp");
        this.at = close + 1;
        break;
      } else if (c === ":") {
        const node = this.inside();
        this.ignoreCase = ignoreCase;
        this.lines = lines;
        return node;
      } else if (c === ")") break;
      else if (c !== "r" && c !== "U") throw new RegexError("Invalid regexp");
    }
    const node = this.alternatives();
    this.ignoreCase = ignoreCase;
    this.lines = lines;
    return node;
  }

  private escape(): RegexNode {
    const c = this.text[this.at + 1];
    if (c === undefined) throw new RegexError("Trailing backslash");
    const macro = MACROS[c];
    if (macro !== undefined) {
      this.at += 2;
      return new Reading(macro, this.ignoreCase).all();
    }
    this.at += 2;
    if (c === "Q") {
      this.literal = true;
      return this.atom();
    }
    const what = ASSERTIONS[c];
    if (what !== undefined) return { kind: "assert", what };
    if (c >= "0" && c <= "9") {
      this.reference = Math.max(this.reference, Number(c));
      return EMPTY;
    }
    const set = new Uint8Array(32);
    if (c !== "x") {
      add(set, c.charCodeAt(0));
      return { kind: "set", set };
    }
    const code = this.hex();
    // What no byte has matches nothing.
    if (code < 256) add(set, code);
    return { kind: "set", set };
  }

  private hex(): number {
    const rest = this.text.slice(this.at);
    if (rest[0] !== "{") {
      const [digits] = /^[0-9a-f]{0,2}/i.exec(rest)!;
      this.at += digits.length;
      return Number.parseInt(digits || "0", 16);
    }
    const parts = /^\{([0-9a-f]{0,8})\}/i.exec(rest);
    if (parts === null) throw new RegexError("Missing '}'");
    this.at += parts[0].length;
    return Number.parseInt(parts[1]! || "0", 16);
  }

  private bracket(): RegexNode {
    const { text } = this;
    const set = new Uint8Array(32);
    const negated = text[this.at] === "^";
    if (negated) this.at++;
    const first = this.at;
    for (;;) {
      if (this.ended) throw new RegexError("Missing ']'");
      const c = text[this.at]!;
      const after = text[this.at + 1];
      if (c === "]" && this.at > first) break;
      if (after === "-" && text[this.at + 2] !== undefined && text[this.at + 2] !== "]") {
        const low = text.charCodeAt(this.at);
        const high = text.charCodeAt(this.at + 2);
        if (low > high) throw new RegexError("Invalid character range");
        for (let byte = low; byte <= high; byte++) this.include(set, byte);
        this.at += 3;
      } else if (c === "[" && (after === "." || after === "="))
        throw new RegexError("Unknown collating element");
      else if (c === "[" && after === ":") this.characterClass(set);
      else {
        if (c === "-" && after !== undefined && after !== "]" && this.at !== first)
          throw new RegexError("Invalid character range");
        this.include(set, text.charCodeAt(this.at++));
      }
    }
    this.at++;
    if (negated) for (let i = 0; i < set.length; i++) set[i]! ^= 255;
    return { kind: "set", set };
  }

  private characterClass(set: Uint8Array): void {
    const close = this.text.indexOf(":", this.at + 2);
    const test = close < 0 ? undefined : CLASSES[this.text.slice(this.at + 2, close)];
    if (test === undefined) throw new RegexError("Unknown character class name");
    for (let byte = 0; byte < 256; byte++) if (test.test(String.fromCharCode(byte))) this.include(set, byte);
    this.at = close + 2;
  }
}

/** The expression refers to what a group has matched. */
export class BackReference extends RegexError {}

function add(set: Uint8Array, byte: number): void {
  set[byte >>> 3]! |= 1 << (byte & 7);
}
