import { RdbWriter, type WriterOptions } from "./writer.ts";

/** What is written while it is not its turn, in pieces. */
export class Aside {
  readonly writer: RdbWriter;
  private pieces: Uint8Array[] = [];
  private at = 0;

  constructor(options: WriterOptions, chunk: number) {
    const plain = { compress: options.compress, checksum: false };
    this.writer = new RdbWriter(plain, (buf, start, end) => this.pieces.push(buf.slice(start, end)), chunk);
  }

  /** Moves about so many bytes to the file; true when nothing is left. */
  drain(to: RdbWriter, bytes: number): boolean {
    this.writer.flush();
    const enough = to.bytes + bytes;
    while (this.at < this.pieces.length) {
      if (to.bytes >= enough) return false;
      to.raw(this.pieces[this.at]!);
      this.pieces[this.at++] = NOTHING;
    }
    this.pieces = [];
    this.at = 0;
    return true;
  }
}

const NOTHING = new Uint8Array(0);
