import { randomHex } from "../host/random.ts";

/**
 * Which data set this is: the ID of the stream of writes that made it, and how many bytes of that stream it has
 * seen. A replica takes both over from its master, so that any two servers can tell whether one only lacks the end
 * of what the other has. A replica that becomes a master begins a stream of its own; the old one's ID is kept as the
 * second, good up to the offset at which they part (PSYNC2).
 */
const NO_ID = "0".repeat(40);

export class History {
  id = randomHex(40);
  /** Bytes of the stream up to now. */
  offset = 0;
  secondId = NO_ID;
  /** The first offset that the second ID does not stand for; -1: there is none. */
  secondOffset = -1;

  /** Goes on under an ID of its own; what was until now can still be asked for by the old one. */
  shift(id = randomHex(40)): void {
    this.secondId = this.id;
    this.secondOffset = this.offset + 1;
    this.id = id;
  }

  /** A new stream that has nothing in common with any other. */
  restart(): void {
    this.adopt(randomHex(40), this.offset);
  }

  /** This is now the data set of that stream at that offset. */
  adopt(id: string, offset: number): void {
    this.id = id;
    this.offset = offset;
    this.secondId = NO_ID;
    this.secondOffset = -1;
  }

  /** Whether somebody with this ID who asks for the byte at `offset` has lived through the same until then. */
  shares(id: string, offset: number): boolean {
    return id === this.id || (id === this.secondId && offset <= this.secondOffset);
  }
}
