import { Config } from "../config/config.ts";
import { Random } from "../host/random.ts";
import { corrupt, RdbError, TYPE_TEXTS } from "./format.ts";
import { skipModuleValue } from "./module.ts";
import { RdbParts } from "./parts.ts";
import { ValueReader } from "./read-value.ts";
import { RdbReader, type RdbSource } from "./reader.ts";
import { FileSource } from "./sources.ts";

/** `redbun check-rdb FILE`: reads a file as loading does, with everything looked at, and keeps nothing of it. */

/** Takes one line without its end. */
export type Print = (line: string) => void;

const ALL = Number.POSITIVE_INFINITY;

class Check {
  private readonly reader = new RdbReader(true);
  private readonly parts = new RdbParts(this.reader);
  private readonly values: ValueReader;
  private keys = 0;
  private expires = 0;
  private expired = 0;
  /** The key whose value is being read. */
  private key: string | null = null;

  constructor(
    source: RdbSource,
    private readonly print: Print,
    private readonly now: number,
  ) {
    this.reader.open(source);
    const random = new Random();
    const context = {
      limits: { ...new Config().values, packedThreshold: 0 },
      seeds: { seed0: random.int32(), seed1: random.int32() },
      random: random.int32,
    };
    this.values = new ValueReader(this.reader, context);
    this.values.deep = this.values.skipModules = true;
  }

  /** Whether the file is right. */
  run(name: string): boolean {
    this.info(`Checking RDB file ${name}`);
    try {
      this.parts.header();
      while (this.readPart());
      this.checkSum();
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      this.fail(error.message);
      return false;
    }
    this.info("\\o/ RDB looks OK! \\o/");
    this.statistics();
    return true;
  }

  private readPart(): boolean {
    const { parts } = this;
    this.key = null;
    switch (parts.next()) {
      case "end":
        return false;
      case "select":
        this.info(`Selecting DB ID ${parts.database}`);
        return true;
      case "aux":
        this.info(`AUX FIELD ${parts.name} = '${parts.value}'`);
        return true;
      case "module-aux":
        this.info(`MODULE AUX for: ${parts.name}`);
        skipModuleValue(this.reader, parts.name);
        return true;
      case "key":
        this.readValue();
        return true;
      default:
        return true;
    }
  }

  private readValue(): void {
    const { parts, values } = this;
    this.key = parts.keyText;
    this.keys++;
    try {
      if (!values.begin(parts.type)) while (!values.step(ALL));
    } finally {
      values.abandon();
    }
    if (!parts.hasExpiry) return;
    this.expires++;
    if (parts.expireAt < this.now) this.expired++;
  }

  private checkSum(): void {
    const { parts } = this;
    if (!parts.hasChecksum) return;
    parts.doing = "check-sum";
    switch (this.reader.readChecksum()) {
      case "none":
        return this.info("RDB file was saved with checksum disabled: no check performed.");
      case "wrong":
        return corrupt("RDB CRC error");
      default:
        this.info("Checksum OK");
    }
  }

  /** Bytes read: all of the RDB, where it is right. */
  get length(): number {
    return this.reader.offset;
  }

  private info(message: string): void {
    this.print(`[offset ${this.reader.offset}] ${message}`);
  }

  private fail(message: string): void {
    const { print, parts } = this;
    print("--- RDB ERROR DETECTED ---");
    this.info(message);
    print(`[additional info] While doing: ${parts.doing}`);
    if (this.key !== null) print(`[additional info] Reading key '${this.key}'`);
    if (parts.type >= 0)
      print(`[additional info] Reading type ${parts.type} (${TYPE_TEXTS[parts.type] ?? "unknown"})`);
    this.statistics();
  }

  private statistics(): void {
    this.print(`[info] ${this.keys} keys read`);
    this.print(`[info] ${this.expires} expires`);
    this.print(`[info] ${this.expired} already expired`);
  }
}

/** Checks what a source gives; true if it is right. */
export function checkSource(source: RdbSource, name: string, print: Print, now = Date.now()): boolean {
  return new Check(source, print, now).run(name);
}

/** Checks the RDB that a file begins with: its length, or null where it is not right. */
export function checkPreamble(path: string, print: Print, now = Date.now()): number | null {
  const source = FileSource.open(path);
  try {
    const check = new Check(source, print, now);
    return check.run(path) ? check.length : null;
  } finally {
    source.close();
  }
}

/** Checks a file; returns the exit code: 0 if it is right, else 1. */
export function checkRdb(path: string, print: Print, now = Date.now()): number {
  let source: FileSource;
  try {
    source = FileSource.open(path);
  } catch (error) {
    print(`Cannot open file ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  try {
    return checkSource(source, path, print, now) ? 0 : 1;
  } finally {
    source.close();
  }
}
