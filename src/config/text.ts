// Configuration text: byte strings, and the quoting that redis.conf, inline commands and CONFIG REWRITE share.
//
// A byte string is a JavaScript string in which every char code is one byte (latin1), so that a binary
// password or an "\xff" in redis.conf survives unchanged. All text of this room is of this sort; what needs
// real text (a file name handed to the system) goes through decodeBytes.
//
//   token   := bare | "..." | '...'     a closing quote must be followed by a blank or the end
//   "..."   knows \xHH \n \r \t \b \a and backslash + any other character for itself
//   '...'   knows only \'

const HEX_PAIR = /^[0-9a-fA-F]{2}$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };
const ESCAPED: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

/** Text (for example from process.argv) to a byte string of its UTF-8 bytes. */
export function encodeBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A byte string back to text: needed for whatever leaves as text, as file names do. */
export function decodeBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function isBlank(character: string): boolean {
  return (character >= "\t" && character <= "\r") || character === " ";
}

/** Splits a line into arguments; null where quotes are unbalanced. A NUL byte ends the line. */
export function splitArguments(line: string): string[] | null {
  const words: string[] = [];
  if (line.includes("\0")) line = line.slice(0, line.indexOf("\0"));
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line[at]!)) at++;
    if (at >= line.length) return words;
    let word = "";
    let open = true;
    while (open) {
      const character = line[at];
      if (character === undefined || " \n\r\t".includes(character)) {
        open = false;
        at++;
      } else if (character === '"' || character === "'") {
        const quoted = character === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
        if (quoted === null) return null;
        word += quoted.text;
        at = quoted.end;
        open = false;
      } else {
        word += character;
        at++;
      }
    }
    words.push(word);
  }
}

interface Quoted {
  text: string;
  end: number;
}

function readDouble(line: string, at: number): Quoted | null {
  let text = "";
  for (; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') return closeQuote(line, at, text);
    if (character !== "\\" || at + 1 === line.length) {
      text += character;
    } else if (line[at + 1] === "x" && HEX_PAIR.test(line.slice(at + 2, at + 4))) {
      text += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16));
      at += 3;
    } else {
      const escaped = line[++at]!;
      text += ESCAPES[escaped] ?? escaped;
    }
  }
  return null;
}

function readSingle(line: string, at: number): Quoted | null {
  let text = "";
  for (; at < line.length; at++) {
    const character = line[at]!;
    if (character === "'") return closeQuote(line, at, text);
    if (character === "\\" && line[at + 1] === "'") {
      text += "'";
      at++;
    } else {
      text += character;
    }
  }
  return null;
}

function closeQuote(line: string, at: number, text: string): Quoted | null {
  const next = line[at + 1];
  return next !== undefined && !isBlank(next) ? null : { text, end: at + 1 };
}

/** A double-quoted token that splitArguments reads back as `value`. */
export function quoteArgument(value: string): string {
  let quoted = '"';
  for (const character of value) {
    const escaped = ESCAPED[character];
    if (escaped !== undefined) quoted += escaped;
    else if (character >= " " && character <= "~") quoted += character;
    else quoted += `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  }
  return `${quoted}"`;
}

/** CONFIG SET's own split of a value with several arguments: at every single space, no quotes. */
export function splitAtSpaces(value: string): string[] {
  return value === "" ? [] : value.split(" ");
}

/** Lines of redis.conf are trimmed of these four characters only. */
export function trimBlanks(line: string): string {
  return line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}
