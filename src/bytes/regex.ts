import { RegexError, type RegexNode, regexTree } from "./regex-tree.ts";

/**
 * Extended regular expressions over bytes (POSIX, with what TRE adds to them), for ARGREP: whether a text has a match
 * anywhere. As all ways are followed at once, a text takes no more than its length times that of the expression,
 * whatever the expression; there are no back references for that reason.
 *
 *   program    SET s: one byte of set s, then the next instruction      ALSO n: the next one, and that at n
 *              GOTO n     ASSERT kind: what is before and behind        MATCH
 */
const SET = 0;
const ALSO = 1;
const GOTO = 2;
const ASSERT = 3;
const MATCH = 4;
/** Instructions that repetitions may come to. */
const MOST = 200_000;

const UNDERSCORE = 95;

export { RegexError };

export class Regex {
  private readonly codes: number[] = [];
  private readonly operands: number[] = [];
  private readonly sets: Uint8Array[] = [];
  private readonly marks: Uint32Array;
  private mark = 0;
  private readonly now: number[] = [];
  private readonly later: number[] = [];
  private readonly open: number[] = [];

  /** Throws RegexError. */
  constructor(pattern: Uint8Array, ignoreCase: boolean) {
    this.compile(regexTree(pattern, ignoreCase));
    this.emit(MATCH, 0);
    this.marks = new Uint32Array(this.codes.length);
  }

  private emit(code: number, operand: number): number {
    if (this.codes.length >= MOST) throw new RegexError("Out of memory");
    this.operands.push(operand);
    return this.codes.push(code) - 1;
  }

  private get end(): number {
    return this.codes.length;
  }

  private compile(node: RegexNode): void {
    switch (node.kind) {
      case "empty":
        return;
      case "set":
        this.emit(SET, this.sets.push(node.set) - 1);
        return;
      case "assert":
        this.emit(ASSERT, node.what);
        return;
      case "all":
        for (const part of node.parts) this.compile(part);
        return;
      case "any": {
        const ends: number[] = [];
        for (const [i, part] of node.parts.entries()) {
          const last = i === node.parts.length - 1;
          const fork = last ? -1 : this.emit(ALSO, 0);
          this.compile(part);
          if (last) break;
          ends.push(this.emit(GOTO, 0));
          this.operands[fork] = this.end;
        }
        for (const at of ends) this.operands[at] = this.end;
        return;
      }
      case "repeat":
        return this.repeat(node.node, node.least, node.most);
    }
  }

  private repeat(node: RegexNode, least: number, most: number): void {
    for (let i = 0; i < least; i++) this.compile(node);
    if (most < 0) {
      const fork = this.emit(ALSO, 0);
      this.compile(node);
      this.emit(GOTO, fork);
      this.operands[fork] = this.end;
      return;
    }
    const forks: number[] = [];
    for (let i = least; i < most; i++) {
      forks.push(this.emit(ALSO, 0));
      this.compile(node);
    }
    for (const at of forks) this.operands[at] = this.end;
  }

  /** Whether `buf[start, end)` has a match. */
  test(buf: Uint8Array, start: number, end: number): boolean {
    this.now.length = this.later.length = 0;
    for (let at = start; ; at++) {
      this.nextMark();
      const { now, later } = this;
      // A match may begin here too.
      if (this.follow(0, buf, start, at, end)) return true;
      for (const state of now) if (this.follow(state, buf, start, at, end)) return true;
      if (at >= end) return false;
      // `later` holds the sets that may come next; those that the byte is in lead on.
      const byte = buf[at]!;
      now.length = 0;
      for (const state of later)
        if ((this.sets[this.operands[state]!]![byte >>> 3]! & (1 << (byte & 7))) !== 0) now.push(state + 1);
      later.length = 0;
    }
  }

  private nextMark(): void {
    if (++this.mark < 0xffffffff) return;
    this.marks.fill(0);
    this.mark = 1;
  }

  /** Notes the sets that an instruction leads to without a byte; whether it leads to the end. */
  private follow(state: number, buf: Uint8Array, start: number, at: number, end: number): boolean {
    const { open, marks, mark, codes, operands, later } = this;
    open.push(state);
    while (open.length > 0) {
      const next = open.pop()!;
      if (marks[next] === mark) continue;
      marks[next] = mark;
      const operand = operands[next]!;
      switch (codes[next]) {
        case SET:
          later.push(next);
          break;
        case ALSO:
          open.push(operand, next + 1);
          break;
        case GOTO:
          open.push(operand);
          break;
        case ASSERT:
          if (holds(operand, buf, start, at, end)) open.push(next + 1);
          break;
        default:
          open.length = later.length = 0;
          return true;
      }
    }
    return false;
  }
}

export const AT = { begin: 0, end: 1, edge: 2, noEdge: 3, wordBegin: 4, wordEnd: 5 } as const;

/** As TRE has it: at both ends of the text there is an edge; a NUL is an end. */
function holds(what: number, buf: Uint8Array, start: number, at: number, end: number): boolean {
  const behind = at < end ? buf[at]! : 0;
  const wordBefore = at > start && isWord(buf[at - 1]!);
  const wordBehind = isWord(behind);
  switch (what) {
    case AT.begin:
      return at === start;
    case AT.end:
      return behind === 0;
    case AT.edge:
      return at === start || behind === 0 || wordBefore !== wordBehind;
    case AT.noEdge:
      return at !== start && behind !== 0 && wordBefore === wordBehind;
    case AT.wordBegin:
      return !wordBefore && wordBehind;
    default:
      return wordBefore && !wordBehind;
  }
}

function isWord(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= 97 && byte <= 122) ||
    byte === UNDERSCORE
  );
}
