import { closeSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { latin1Text } from "../bytes/ascii.ts";
import { systemErrorText } from "../config/errors.ts";
import { decodeBytes } from "../config/text.ts";
import { CheckedFile, CheckFailure } from "./check-file.ts";
import { readManifest } from "./folder.ts";

/**
 * `redbun check-aof [--fix | --truncate-to-timestamp SECONDS] FILE`: whether an AOF will load, and what to cut off
 * so that it does. The file is a manifest (then all its files are checked), or a single AOF with or without an RDB
 * preamble. What it prints, and its exit codes, are those of redis-check-aof: scripts look for them.
 */

export interface CheckIo {
  print(text: string): void;
  /** The user's answer to a question: a line. */
  answer(): string;
  /** Checks the RDB that the file at this path begins with: its length, null where it is not in order. */
  checkRdb(path: string, print: (line: string) => void): number | null;
}

export const CHECK_AOF_USAGE =
  "Usage: redbun check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";

type Outcome = "valid" | "empty" | "cut" | "cut to timestamp";

interface Target {
  /** As it is printed. */
  name: string;
  path: string;
  last: boolean;
  rdb: boolean;
}

const LENGTH_LINE = 127;
const ANNOTATION_LINE = 1023;
/** Comments in front of a manifest's first line may be so long. */
const MANIFEST_HEAD = 64 * 1024;

/** Returns the exit code: 0 in order (or put in order), 1 not. */
export function checkAof(args: readonly string[], io: CheckIo): number {
  const options = parse(args);
  if (options === null) {
    io.print(`${CHECK_AOF_USAGE}\n`);
    return 1;
  }
  try {
    if (Number.isNaN(options.timestamp)) throw new CheckFailure("Invalid timestamp, aborting...");
    const check = new Check(io, options.fix, options.timestamp);
    if (isManifest(options.path)) check.multiPart(options.path);
    else check.oldStyle(options.path);
    return 0;
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    if (error.message !== "") io.print(`${error.message}\n`);
    return 1;
  }
}

/** `timestamp` is 0 where nothing is to be cut to one, NaN where it is no number. */
function parse(args: readonly string[]): { path: string; fix: boolean; timestamp: number } | null {
  if (args.length === 1) return { path: args[0]!, fix: false, timestamp: 0 };
  if (args.length === 2 && args[0] === "--fix") return { path: args[1]!, fix: true, timestamp: 0 };
  if (args.length === 3 && args[0] === "--truncate-to-timestamp")
    return {
      path: args[2]!,
      fix: false,
      timestamp: /^-?\d+$/.test(args[1]!) ? Number(args[1]) : Number.NaN,
    };
  return null;
}

class Check {
  private error = "";

  constructor(
    private readonly io: CheckIo,
    private readonly fix: boolean,
    private readonly timestamp: number,
  ) {}

  private say(line: string): void {
    this.io.print(`${line}\n`);
  }

  // ------------------------------------------------------------------ which files

  oldStyle(path: string): void {
    const rdb = isRdb(path);
    this.say("Start checking Old-Style AOF");
    this.report("AOF", path, this.single({ name: path, path, last: true, rdb }));
  }

  multiPart(path: string): void {
    this.say("Start checking Multi Part AOF");
    const manifest = readManifest(path, { warning: (message) => this.say(message) });
    if (manifest === null) throw new CheckFailure("");
    const { files } = manifest;
    let incrs = false;
    for (const [index, { name, type }] of files.entries()) {
      const file = join(dirname(path), decodeBytes(name));
      const rdb = type === "b" && isRdb(file);
      if (type === "b") this.say(`Start to check BASE AOF (${rdb ? "RDB" : "RESP"} format).`);
      else if (!incrs) {
        incrs = true;
        this.say("Start to check INCR files.");
      }
      const outcome = this.single({ name, path: file, last: index === files.length - 1, rdb });
      this.report(type === "b" ? "BASE AOF" : "INCR AOF", name, outcome);
    }
    this.say("All AOF files and manifest are valid");
  }

  private report(kind: string, name: string, outcome: Outcome): void {
    if (outcome === "valid") this.say(`${kind} ${name} is valid`);
    else if (outcome === "empty") this.say(`${kind} ${name} is empty`);
    else if (outcome === "cut") this.say(`Successfully truncated AOF ${name}`);
    else this.say(`Successfully truncated AOF ${name} to timestamp ${this.timestamp}`);
  }

  // ------------------------------------------------------------------ one file

  private single(target: Target): Outcome {
    const { name, path, rdb } = target;
    const file = CheckedFile.open(path, this.fix || this.timestamp !== 0);
    try {
      if (file.size === 0) return "empty";
      if (rdb) {
        const end = this.io.checkRdb(path, (line) => this.say(line));
        if (end === null) throw new CheckFailure("RDB preamble of AOF file is not sane, aborting.");
        this.say("RDB preamble is OK, proceeding with AOF tail...");
        file.seek(end);
      }
      const upTo = this.walk(file, target);
      if (upTo === null) return "cut to timestamp";
      return this.conclude(file, target, upTo);
    } catch (error) {
      if (error instanceof CheckFailure) throw error;
      throw new CheckFailure(`Failed to read from AOF ${name}, aborting... ${systemErrorText(error)}`);
    } finally {
      file.close();
    }
  }

  /** Where the file is good up to; null: it has been cut to the timestamp. */
  private walk(file: CheckedFile, target: Target): number | null {
    const transaction = { open: false };
    let upTo = file.offset;
    this.error = "";
    for (;;) {
      if (!transaction.open) upTo = file.offset;
      const first = file.peek();
      if (first === -1) break;
      if (first === 35) {
        const state = this.annotation(file, target);
        if (state === "cut") return null;
        if (state === "bad") break;
      } else if (first === 42) {
        if (!this.command(file, target.path, transaction)) break;
      } else {
        this.say(`AOF ${target.name} format error`);
        break;
      }
    }
    if (file.atEnd && transaction.open && this.error === "")
      this.fault(this.lastOffset, "Reached EOF before reading EXEC for MULTI");
    if (this.error !== "") this.say(this.error);
    return upTo;
  }

  private lastOffset = 0;

  private fault(offset: number, what: string): false {
    this.error = `0x${offset.toString(16).padStart(16)}: ${what}`;
    return false;
  }

  private conclude(file: CheckedFile, { name, last }: Target, upTo: number): Outcome {
    const { size, line } = file;
    const rest = size - upTo;
    if (rest === 0 && this.timestamp !== 0) {
      this.say(`Truncate nothing in AOF ${name} to timestamp ${this.timestamp}`);
      return "valid";
    }
    this.say(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${upTo}, ok_up_to_line=${line}, diff=${rest}`,
    );
    if (rest === 0) return "valid";
    if (!this.fix) throw new CheckFailure(`AOF ${name} is not valid. Use the --fix option to try fixing it.`);
    if (!last) throw new CheckFailure(`Failed to truncate AOF ${name} because it is not the last file`);
    this.say(`This will shrink the AOF ${name} from ${size} bytes, with ${rest} bytes, to ${upTo} bytes`);
    this.io.print("Continue? [y/N]: ");
    if (!/^y/i.test(this.io.answer())) throw new CheckFailure("Aborting...");
    if (!file.truncate(upTo)) throw new CheckFailure(`Failed to truncate AOF ${name}`);
    return "cut";
  }

  // ------------------------------------------------------------------ what is in a file

  private annotation(file: CheckedFile, { path, last }: Target): "ok" | "bad" | "cut" {
    const start = (this.lastOffset = file.offset);
    const text = file.readLine(ANNOTATION_LINE) ?? "";
    if (!text.endsWith("\n") && file.peek() === -1) {
      this.fault(start, "Reached EOF inside of an annotation");
      return "bad";
    }
    const { timestamp } = this;
    if (timestamp === 0 || !text.startsWith("#TS:")) return "ok";
    const stamp = /^#TS:\s*(-?\d+)\r/.exec(text)?.[1];
    if (stamp === undefined) throw new CheckFailure("Invalid timestamp annotation");
    if (Number(stamp) <= timestamp) return "ok";
    if (start === 0)
      throw new CheckFailure(`AOF ${path} has nothing before timestamp ${timestamp}, aborting...`);
    if (!last)
      throw new CheckFailure(
        `Failed to truncate AOF ${path} to timestamp ${timestamp} to offset ${start} because it is not the last file.\n` +
          "If you insist, please delete all files after this file according to the manifest file and delete the " +
          "corresponding records in manifest file manually. Then re-run redis-check-aof.",
      );
    if (!file.truncate(start))
      throw new CheckFailure(`Failed to truncate AOF ${path} to timestamp ${timestamp}`);
    return "cut";
  }

  private command(file: CheckedFile, path: string, transaction: { open: boolean }): boolean {
    const count = this.length(file, "*");
    if (count === null) return false;
    if (count < 1) return this.fault(this.lastOffset, `Expected at least one argument, got: ${count}`);
    for (let i = 0; i < count; i++) {
      const word = this.bulk(file);
      if (word === null) return false;
      if (i > 0) continue;
      if (word === "multi") {
        if (transaction.open) return this.fault(this.lastOffset, `Unexpected MULTI in AOF ${path}`);
        transaction.open = true;
      } else if (word === "exec") {
        if (!transaction.open) return this.fault(this.lastOffset, `Unexpected EXEC in AOF ${path}`);
        transaction.open = false;
      }
    }
    return true;
  }

  /** The number of a line such as "*3"; null: it is none, or the file ends. */
  private length(file: CheckedFile, prefix: string): number | null {
    const start = (this.lastOffset = file.offset);
    const text = file.readLine(LENGTH_LINE);
    if (text === null) return null;
    if (text[0] !== prefix) {
      this.fault(start, `Expected prefix '${prefix}', got: '${text[0]}'`);
      return null;
    }
    const digits = /^[+-]?\d*/.exec(text.slice(1))![0];
    const rest = text.slice(1 + digits.length, 3 + digits.length);
    if (!this.newline(file, start, rest)) return null;
    return Number(digits) || 0;
  }

  private newline(file: CheckedFile, start: number, text: string): boolean {
    if (text === "\r\n") {
      file.line++;
      return true;
    }
    const hex = (i: number) => (text.charCodeAt(i) || 0).toString(16).padStart(2, "0");
    return this.fault(start, `Expected \\r\\n, got: ${hex(0)}${hex(1)}`);
  }

  /** The first eight characters of a bulk, in lower case; null: it is not in order. */
  private bulk(file: CheckedFile): string | null {
    const length = this.length(file, "$");
    if (length === null) return null;
    if (length < 0 || length > Number.MAX_SAFE_INTEGER) {
      this.fault(
        this.lastOffset,
        `Expected to read string of ${length} bytes, which is not in the suitable range`,
      );
      return null;
    }
    const start = (this.lastOffset = file.offset);
    const wanted = length + 2;
    let word = "";
    let ending = "";
    const got = file.skip(wanted, (byte, index) => {
      if (index >= length) ending += String.fromCharCode(byte);
      else if (index < 8) word += String.fromCharCode(byte);
    });
    if (got !== wanted) {
      this.fault(start, `Expected to read ${wanted} bytes, got ${got} bytes`);
      return null;
    }
    return this.newline(file, start, ending) ? word.toLowerCase() : null;
  }
}

// ---------------------------------------------------------------------- what a file is

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new CheckFailure(`Cannot open file ${path}: ${systemErrorText(error)}`);
  }
}

function isRdb(path: string): boolean {
  const fd = open(path);
  const head = new Uint8Array(8);
  try {
    return readSync(fd, head, 0, 8, 0) === 8 && latin1Text(head, 0, 5) === "REDIS";
  } finally {
    closeSync(fd);
  }
}

/** By its first line that is no comment. */
function isManifest(path: string): boolean {
  const fd = open(path);
  const head = new Uint8Array(MANIFEST_HEAD);
  try {
    const text = latin1Text(head, 0, readSync(fd, head, 0, head.length, 0));
    const line = text.split("\n").find((candidate) => !candidate.startsWith("#"));
    return line?.startsWith("file") ?? false;
  } catch (error) {
    throw new CheckFailure(`Cannot read file: ${path}: ${systemErrorText(error)}`);
  } finally {
    closeSync(fd);
  }
}
