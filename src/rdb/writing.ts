import type { Blocks } from "../memory/blocks.ts";
import type { BigValue, ValueWatch } from "../memory/objects.ts";
import type { RdbWriter } from "./writer.ts";

/** A value being written in steps. */
export interface ObjectWriting {
  /** Where it goes; what is written next may go elsewhere. */
  out: RdbWriter;
  /** Writes about so many elements more, but not many more than MOST_BYTES; true when all are written. */
  step(elements: number): boolean;
  /** Lets go of the value. */
  close(): void;
}

/**
 * A big value being written, in steps between which it may change: what is written is the value as it was when the
 * writing began. Each type has its own way to that end, all of which touch little at a time:
 *
 *   hash, set     before a segment of up to 800 entries changes that is not yet written, a copy of it is taken (64 KiB,
 *                 and long values as they are), which is written next
 *   sorted set    before a member gets another score or goes, it is written out of its turn; cells that were changed or
 *                 added are left out when the walk comes to them
 *   list          before a node changes that is not yet written, its bytes are kept until the walk comes there
 *   stream        the same with its nodes; rows of pending entries are copied before they change (stream-index.ts)
 *   array         the same with its nodes
 *   vector set    before an element changes (each new one changes those it is linked with) its bytes are kept
 *
 * The number of elements stands in front of them, and is that of the beginning. A value that leaves the key space
 * meanwhile is kept by the writing, which disposes of it in the end.
 *
 * Who writes in one go says so (`watched` false): then the value is left alone.
 */
export abstract class BigValueWriting implements ObjectWriting, ValueWatch {
  private inherited = false;

  constructor(
    public out: RdbWriter,
    private readonly value: BigValue,
    protected readonly watched: boolean,
  ) {}

  abstract step(elements: number): boolean;

  close(): void {
    if (!this.watched) return;
    (this.value as { watch: ValueWatch | null }).watch = null;
    if (this.inherited) this.value.dispose();
  }

  inherit(): void {
    this.inherited = true;
  }
}

/** After so many bytes a step ends, whatever elements it has left; not where it may take as many as it likes. */
export const MOST_BYTES = 128 * 1024;

export function byteLimit(out: RdbWriter, elements: number): number {
  return elements === Number.POSITIVE_INFINITY ? elements : out.bytes + MOST_BYTES;
}

/** Longer strings are written in pieces, and are not compressed, where there is no time for them as a whole. */
export const BIG_STRING = 1024 * 1024;

/** A string in a block of its own. Who is about to change it, or may be, says so: what is left is then copied. */
export class StringWriting implements ObjectWriting {
  private at = 0;
  private copied = false;

  constructor(
    public out: RdbWriter,
    private readonly blocks: Blocks,
    public bytes: Uint8Array,
    private readonly length: number,
  ) {
    out.length(length);
    blocks.readers++;
  }

  step(elements: number): boolean {
    const { out, bytes, at } = this;
    const end = elements === Number.POSITIVE_INFINITY ? this.length : Math.min(this.length, at + MOST_BYTES);
    out.raw(bytes, at, end);
    this.at = end;
    return end === this.length;
  }

  beforeChange(): void {
    if (this.copied) return;
    this.copied = true;
    this.bytes = this.bytes.slice();
  }

  close(): void {
    this.blocks.readers--;
  }
}
