import { quoteArgument, splitArguments, trimBlanks } from "../config/text.ts";

/**
 * The manifest of a multi-part AOF: which files make up the data set, in the order in which they are loaded.
 *
 *   file appendonly.aof.2.base.rdb seq 2 type b      at most one base: the state as of the last rewrite
 *   file appendonly.aof.1.incr.aof seq 1 type h      history: superseded, to be deleted
 *   file appendonly.aof.2.incr.aof seq 2 type i      incremental files: what happened since, one after the other
 *
 * A line holds pairs of key and value, unknown keys are skipped; a file name with blanks or unprintable bytes
 * is quoted; lines that begin with # are comments. Names are byte strings, one character a byte, as all text of
 * the configuration. The sentences are Redis 7's own: its tools and tests look for them.
 */

export type AofFileType = "b" | "h" | "i";

export interface AofFile {
  readonly name: string;
  readonly seq: number;
  readonly type: AofFileType;
}

/** Bytes of a line with its newline, at most. */
const LINE_MAX = 1024;

/** What is wrong with a manifest; `text` is the line at fault where Redis quotes it. */
export class ManifestError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly text: string | null,
  ) {
    super(message);
  }
}

export class Manifest {
  base: AofFile | null = null;
  incrs: AofFile[] = [];
  history: AofFile[] = [];
  baseSeq = 0;
  incrSeq = 0;
  /** Differs from the file. */
  dirty = false;

  /** Base and incremental files: what there is to load. */
  get files(): AofFile[] {
    return this.base === null ? this.incrs : [this.base, ...this.incrs];
  }

  clone(): Manifest {
    const copy = new Manifest();
    copy.base = this.base;
    copy.incrs = [...this.incrs];
    copy.history = [...this.history];
    copy.baseSeq = this.baseSeq;
    copy.incrSeq = this.incrSeq;
    copy.dirty = this.dirty;
    return copy;
  }

  format(): string {
    const files = [...(this.base === null ? [] : [this.base]), ...this.history, ...this.incrs];
    return files.map(formatLine).join("");
  }

  /** Names the next base file; the one before becomes history. */
  nextBase(filename: string, format: "rdb" | "aof"): AofFile {
    if (this.base !== null) this.history.unshift({ ...this.base, type: "h" });
    const seq = ++this.baseSeq;
    this.dirty = true;
    return (this.base = { name: `${filename}.${seq}.base.${format}`, seq, type: "b" });
  }

  /** Names the next incremental file. */
  nextIncr(filename: string): AofFile {
    const seq = ++this.incrSeq;
    const file: AofFile = { name: `${filename}.${seq}.incr.aof`, seq, type: "i" };
    this.incrs.push(file);
    this.dirty = true;
    return file;
  }

  /** A base file that was there before there were manifests. */
  adoptBase(name: string): void {
    this.base = { name, seq: 1, type: "b" };
    this.baseSeq = 1;
    this.dirty = true;
  }

  /** After a rewrite: the incremental files before it become history, all but the last `keep`. */
  retireIncrs(keep: number): void {
    const retired = this.incrs.splice(0, Math.max(0, this.incrs.length - keep));
    this.history.unshift(...retired.map(({ name, seq }) => ({ name, seq, type: "h" as const })));
    if (retired.length > 0) this.dirty = true;
  }

  /** Takes the history off the manifest, for deletion. */
  takeHistory(): AofFile[] {
    const history = this.history;
    if (history.length > 0) this.dirty = true;
    this.history = [];
    return history;
  }

  /** Reads a manifest's text (a byte string); throws ManifestError. */
  static parse(text: string): Manifest {
    const manifest = new Manifest();
    if (text === "") throw new ManifestError("Found an empty AOF manifest", 0, null);
    let number = 0;
    for (let at = 0; at < text.length; ) {
      const newline = text.indexOf("\n", at);
      const line = newline < 0 ? text.slice(at) : text.slice(at, newline + 1);
      at += line.length;
      number++;
      if (line.startsWith("#")) continue;
      if (newline < 0 || line.length > LINE_MAX)
        throw new ManifestError("The AOF manifest file contains too long line", number, null);
      manifest.add(parseLine(trimBlanks(line), number), number, trimBlanks(line));
    }
    return manifest;
  }

  private add(file: { name: string; seq: number; type: string }, line: number, text: string): void {
    const { name, seq, type } = file;
    if (type === "b") {
      if (this.base !== null) throw new ManifestError("Found duplicate base file information", line, text);
      this.base = { name, seq, type };
      this.baseSeq = seq;
    } else if (type === "h") this.history.push({ name, seq, type });
    else if (type === "i") {
      const last = this.incrs.at(-1)?.seq ?? 0;
      if (seq <= last) throw new ManifestError("Found a non-monotonic sequence number", line, text);
      this.incrs.push({ name, seq, type });
      this.incrSeq = seq;
    } else throw new ManifestError("Unknown AOF file type", line, text);
  }
}

function parseLine(text: string, line: number): { name: string; seq: number; type: string } {
  const words = text === "" ? null : splitArguments(text);
  const invalid = () => new ManifestError("Invalid AOF manifest file format", line, text);
  if (words === null || words.length < 6 || words.length % 2 !== 0) throw invalid();
  let name = "";
  let seq = 0;
  let type = "";
  for (let i = 0; i < words.length; i += 2) {
    const key = words[i]!.toLowerCase();
    const value = words[i + 1]!;
    if (key === "file") {
      if (/[/\\]/.test(value)) throw new ManifestError("File can't be a path, just a filename", line, text);
      name = value;
    } else if (key === "seq") seq = Number.parseInt(value, 10) || 0;
    else if (key === "type") type = value.slice(0, 1);
  }
  if (name === "" || seq === 0 || type === "") throw invalid();
  return { name, seq, type };
}

function formatLine({ name, seq, type }: AofFile): string {
  return `file ${needsQuotes(name) ? quoteArgument(name) : name} seq ${seq} type ${type}\n`;
}

/** What would not read back as one bare word. */
function needsQuotes(name: string): boolean {
  return name === "" || /[^!-~]|[\\"']/.test(name);
}
