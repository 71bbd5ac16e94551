import { type RdbSink, RdbWriter, type WriterOptions } from "./writer.ts";

/** What is written while it is not its turn, in pieces. */
export class Aside {
  readonly writer: RdbWriter;
  private pieces: Uint8Array[] = [];
  private at = 0;

  constructor(options: WriterOptions, chunk: number) {
    const plain = { ...options, checksum: false };
    this.writer = new RdbWriter(plain, (buf, start, end) => this.pieces.push(buf.slice(start, end)), chunk);
  }

  /** Hands about so many bytes on; true when nothing is left. */
  drain(to: RdbSink, bytes: number): boolean {
    this.writer.flush();
    while (this.at < this.pieces.length) {
      if (bytes <= 0) return false;
      const piece = this.pieces[this.at]!;
      to(piece, 0, piece.length);
      bytes -= piece.length;
      this.pieces[this.at++] = NOTHING;
    }
    this.pieces = [];
    this.at = 0;
    return true;
  }
}

const NOTHING = new Uint8Array(0);
