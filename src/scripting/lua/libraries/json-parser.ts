import { latin1Text } from "../../../bytes/ascii.ts";
import type { LuaState, Machine } from "../machine.ts";
import { strtod } from "./numbers.ts";
import { Output } from "./output.ts";

/** cjson.decode: one token after the other from a copy of the text that ends with a NUL, straight onto Lua's stack. */
export interface ParserSettings {
  readonly decodeMaxDepth: number;
  readonly decodeInvalidNumbers: boolean;
}

/** Named as errors name them. */
type Token =
  | "T_OBJ_BEGIN"
  | "T_OBJ_END"
  | "T_ARR_BEGIN"
  | "T_ARR_END"
  | "T_STRING"
  | "T_NUMBER"
  | "T_BOOLEAN"
  | "T_NULL"
  | "T_COLON"
  | "T_COMMA"
  | "T_END"
  | "T_ERROR";

const SINGLE: Record<number, Token> = {
  0: "T_END",
  44: "T_COMMA",
  58: "T_COLON",
  91: "T_ARR_BEGIN",
  93: "T_ARR_END",
  123: "T_OBJ_BEGIN",
  125: "T_OBJ_END",
};
/** What stands behind a backslash, u aside. */
const ESCAPED = new Uint8Array(256);
for (const [name, code] of Object.entries({ '"': 34, "\\": 92, "/": 47, b: 8, t: 9, n: 10, f: 12, r: 13 }))
  ESCAPED[name.charCodeAt(0)] = code;
const QUOTE = 34;
const BACKSLASH = 92;
const LOWER_U = 117;
/** Longer than any number that a double tells from its neighbours. */
const LONGEST_NUMBER = 2000;

export class JsonParser {
  private buf: Uint8Array = new Uint8Array(0);
  /** Where the text lies in Lua's memory. */
  private address = 0;
  private at = 0;
  private depth = 0;
  /** Where the last token begins, and what is wrong with it. */
  private index = 0;
  private wrong = "";
  private number = 0;
  private boolean = false;
  /** The last string: in the text itself, or, where something in it was escaped, in `unescaped`. */
  private stringStart = 0;
  private stringEnd = 0;
  private inPlace = false;
  private readonly unescaped = new Output();

  constructor(
    private readonly machine: Machine,
    private readonly settings: ParserSettings,
  ) {}

  decode(L: LuaState): number {
    const { machine } = this;
    machine.checkString(L, 1);
    const { heap, at, length } = machine;
    if (length >= 2 && (heap[at] === 0 || heap[at + 1] === 0))
      return machine.fail(L, "JSON parser does not support UTF-16 or UTF-32");
    // With the NUL that Lua puts behind every string.
    this.buf = heap.slice(at, at + length + 1);
    this.address = at;
    this.at = this.depth = 0;
    this.value(L, this.next());
    if (this.next() !== "T_END") this.unexpected(L, "the end", this.last);
    return 1;
  }

  private last: Token = "T_END";

  private next(): Token {
    return (this.last = this.read());
  }

  private unexpected(L: LuaState, expected: string, token: Token): never {
    const found = token === "T_ERROR" ? this.wrong : token;
    return this.machine.throw(L, `Expected ${expected} but found ${found} at character ${this.index + 1}`);
  }

  private error(wrong: string): Token {
    this.wrong = wrong;
    this.index = this.at;
    return "T_ERROR";
  }

  private read(): Token {
    const { buf } = this;
    let code = buf[this.at]!;
    while (code === 32 || code === 9 || code === 10 || code === 13) code = buf[++this.at]!;
    this.index = this.at;
    if (code === QUOTE) return this.readString();
    const single = SINGLE[code];
    if (single !== undefined) {
      if (code !== 0) this.at++;
      return single;
    }
    if (code === 45 || (code >= 48 && code <= 57)) return this.readNumber();
    if (this.word("true")) {
      this.boolean = true;
      return "T_BOOLEAN";
    }
    if (this.word("false")) {
      this.boolean = false;
      return "T_BOOLEAN";
    }
    if (this.word("null")) return "T_NULL";
    const { decodeInvalidNumbers } = this.settings;
    if (decodeInvalidNumbers && /^(\+|inf|nan)/i.test(this.text(3))) return this.readNumber();
    return this.error("invalid token");
  }

  private text(length: number): string {
    return latin1Text(this.buf, this.at, Math.min(this.buf.length, this.at + length));
  }

  private word(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.buf[this.at + i] !== word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }

  private readNumber(): Token {
    const { buf } = this;
    let end = this.at;
    let value = 0;
    while (buf[end]! >= 48 && buf[end]! <= 57 && end - this.at < 15) value = value * 10 + buf[end++]! - 48;
    const behind = buf[end]!;
    const plain = behind === 44 || behind === 93 || behind === 125 || behind === 0;
    if (plain && end > this.at && (buf[this.at] !== 48 || end === this.at + 1)) {
      this.at = end;
      this.number = value;
      return "T_NUMBER";
    }
    const text = this.text(LONGEST_NUMBER);
    if (!this.settings.decodeInvalidNumbers && /^(\+|-?(0[x0-9]|inf|nan))/i.test(text))
      return this.error("invalid number");
    const found = strtod(text);
    if (found === null) return this.error("invalid number");
    this.at += found.length;
    this.number = found.value;
    return "T_NUMBER";
  }

  private readString(): Token {
    const { buf, unescaped } = this;
    this.at++;
    this.stringStart = this.at;
    while (buf[this.at] !== QUOTE && buf[this.at] !== BACKSLASH && buf[this.at] !== 0) this.at++;
    this.inPlace = buf[this.at] === QUOTE;
    if (!this.inPlace) {
      unescaped.clear();
      unescaped.bytes(buf, this.stringStart, this.at);
      for (let code = buf[this.at]!; code !== QUOTE; code = buf[this.at]!) {
        if (code === 0) return this.error("unexpected end of string");
        if (code !== BACKSLASH) {
          unescaped.byte(code);
          this.at++;
        } else if (buf[this.at + 1] === LOWER_U) {
          if (!this.readUnicode()) return this.error("invalid unicode escape code");
        } else {
          const meant = ESCAPED[buf[this.at + 1]!]!;
          if (meant === 0) return this.error("invalid escape code");
          unescaped.byte(meant);
          this.at += 2;
        }
      }
    }
    this.stringEnd = this.at++;
    return "T_STRING";
  }

  /** The code unit of \uXXXX at so many bytes from here, or -1. */
  private codeUnit(offset: number): number {
    const { buf } = this;
    const start = this.at + offset;
    if (buf[start] !== BACKSLASH || buf[start + 1] !== LOWER_U) return -1;
    const digits = latin1Text(buf, start + 2, Math.min(start + 6, buf.length));
    return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
  }

  private readUnicode(): boolean {
    let code = this.codeUnit(0);
    if (code < 0) return false;
    let length = 6;
    if ((code & 0xf800) === 0xd800) {
      const low = this.codeUnit(6);
      if ((code & 0x400) !== 0 || low < 0 || (low & 0xfc00) !== 0xdc00) return false;
      code = (((code & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000;
      length = 12;
    }
    this.at += length;
    const { unescaped } = this;
    if (code <= 0x7f) unescaped.byte(code);
    else {
      if (code <= 0x7ff) unescaped.byte((code >> 6) | 0xc0);
      else {
        if (code <= 0xffff) unescaped.byte((code >> 12) | 0xe0);
        else {
          unescaped.byte((code >> 18) | 0xf0);
          unescaped.byte(((code >> 12) & 0x3f) | 0x80);
        }
        unescaped.byte(((code >> 6) & 0x3f) | 0x80);
      }
      unescaped.byte((code & 0x3f) | 0x80);
    }
    return true;
  }

  private pushString(L: LuaState): void {
    const { machine } = this;
    if (this.inPlace)
      machine.api.lua_pushlstring(L, this.address + this.stringStart, this.stringEnd - this.stringStart);
    else machine.pushBytes(L, this.unescaped.buf, 0, this.unescaped.length);
  }

  private value(L: LuaState, token: Token): void {
    const { api } = this.machine;
    switch (token) {
      case "T_STRING":
        return this.pushString(L);
      case "T_NUMBER":
        return api.lua_pushnumber(L, this.number);
      case "T_BOOLEAN":
        return api.lua_pushboolean(L, this.boolean ? 1 : 0);
      case "T_OBJ_BEGIN":
        return this.object(L);
      case "T_ARR_BEGIN":
        return this.array(L);
      case "T_NULL":
        return api.lua_pushlightuserdata(L, 0);
      default:
        this.unexpected(L, "value", token);
    }
  }

  private descend(L: LuaState): void {
    this.depth++;
    if (this.depth <= this.settings.decodeMaxDepth && this.machine.api.lua_checkstack(L, 3) !== 0) return;
    this.machine.throw(L, `Found too many nested data structures (${this.depth}) at character ${this.at}`);
  }

  private object(L: LuaState): void {
    const { api } = this.machine;
    this.descend(L);
    api.lua_createtable(L, 0, 0);
    let token = this.next();
    if (token !== "T_OBJ_END")
      for (;;) {
        if (token !== "T_STRING") this.unexpected(L, "object key string", token);
        this.pushString(L);
        token = this.next();
        if (token !== "T_COLON") this.unexpected(L, "colon", token);
        this.value(L, this.next());
        api.lua_rawset(L, -3);
        token = this.next();
        if (token === "T_OBJ_END") break;
        if (token !== "T_COMMA") this.unexpected(L, "comma or object end", token);
        token = this.next();
      }
    this.depth--;
  }

  private array(L: LuaState): void {
    const { api } = this.machine;
    this.descend(L);
    api.lua_createtable(L, 0, 0);
    let token = this.next();
    if (token !== "T_ARR_END")
      for (let i = 1; ; i++) {
        this.value(L, token);
        api.lua_rawseti(L, -2, i);
        token = this.next();
        if (token === "T_ARR_END") break;
        if (token !== "T_COMMA") this.unexpected(L, "comma or array end", token);
        token = this.next();
      }
    this.depth--;
  }
}
