import type { StreamId } from "./stream-id.ts";

/**
 * Rows ordered by stream ID: the nodes of a stream, the pending entries of a group or consumer.
 *
 *   table:   chunks in order        chunk:  [ free ][ row ][ row ] ... [ row ][ free ]       up to 256 rows
 *                                                    first                     end
 *   row:     four columns of ID, then what the table's owner keeps beside it, all unsigned 32-bit numbers
 *
 * A search bisects the chunks by their first rows, then one chunk. Appending is O(1). Rows are inserted and
 * removed by moving the shorter side of one chunk, so that taking rows off the front costs nothing either. A
 * full chunk is split, small neighbours are joined: a table never copies more than a chunk at a time.
 *
 * A Place is a position in a table; it stays good until rows are inserted or removed, other than through it.
 */

const MAX_ROWS = 256;
const JOINED_ROWS = MAX_ROWS / 2;
const FIRST_ROWS = 1;
/** Bytes of a chunk's objects apart from its rows. */
const CHUNK_OVERHEAD = 96;

export class Place {
  chunk = 0;
  rows: Uint32Array = EMPTY;
  /** Where the row begins in `rows`. */
  at = 0;
  private part: Chunk = NO_CHUNK;

  set(index: number, chunk: Chunk, at: number): void {
    this.chunk = index;
    this.part = chunk;
    this.rows = chunk.rows;
    this.at = at;
  }

  /** To be called before the row is written to. */
  own(): void {
    if (this.part.shared > 0) this.rows = this.part.own();
  }
}

class Chunk {
  first = 0;
  end = 0;
  /** How many others the rows belong to as well: they must not be written to. */
  shared = 0;
  constructor(public rows: Uint32Array) {}

  /** Makes the rows its own, for changes. */
  own(): Uint32Array {
    this.shared = 0;
    this.rows = this.rows.slice();
    return this.rows;
  }
}

export interface RowRange {
  readonly rows: Uint32Array;
  readonly first: number;
  readonly end: number;
  /** Says that they are not needed any more. */
  release(): void;
}

/** A table's rows as they were: see IdTable.capture. */
export interface Captured {
  readonly size: number;
  readonly width: number;
  readonly parts: readonly RowRange[];
}

export class IdTable {
  private readonly chunks: Chunk[] = [];
  size = 0;
  /** Bytes held. */
  bytes = 0;

  constructor(
    /** Columns of a row, those of the ID included. */
    readonly width: number,
  ) {}

  // ------------------------------------------------------------------ going through the rows

  first(place: Place): boolean {
    if (this.size === 0) return false;
    this.put(place, 0, this.chunks[0]!.first);
    return true;
  }

  last(place: Place): boolean {
    if (this.size === 0) return false;
    const last = this.chunks.length - 1;
    this.put(place, last, this.chunks[last]!.end - 1);
    return true;
  }

  next(place: Place): boolean {
    place.at += this.width;
    if (place.at < this.chunks[place.chunk]!.end * this.width) return true;
    if (place.chunk + 1 >= this.chunks.length) return false;
    this.put(place, place.chunk + 1, this.chunks[place.chunk + 1]!.first);
    return true;
  }

  previous(place: Place): boolean {
    place.at -= this.width;
    if (place.at >= this.chunks[place.chunk]!.first * this.width) return true;
    if (place.chunk === 0) return false;
    this.put(place, place.chunk - 1, this.chunks[place.chunk - 1]!.end - 1);
    return true;
  }

  private put(place: Place, chunk: number, row: number): void {
    place.set(chunk, this.chunks[chunk]!, row * this.width);
  }

  // ------------------------------------------------------------------ searching

  /** The last row with this ID or a lower one. */
  floor(id: StreamId, place: Place): boolean {
    if (this.size === 0) return false;
    const c = this.chunkOf(id);
    const row = this.rowBehind(this.chunks[c]!, id) - 1;
    if (row < this.chunks[c]!.first) return false;
    this.put(place, c, row);
    return true;
  }

  /** The first row with this ID or a higher one. */
  ceiling(id: StreamId, place: Place): boolean {
    if (!this.floor(id, place)) return this.first(place);
    return compareRow(place.rows, place.at, id) === 0 || this.next(place);
  }

  /** The first row with a higher ID. */
  behind(id: StreamId, place: Place): boolean {
    return this.floor(id, place) ? this.next(place) : this.first(place);
  }

  /** The row with this ID. */
  find(id: StreamId, place: Place): boolean {
    return this.floor(id, place) && compareRow(place.rows, place.at, id) === 0;
  }

  /** The last chunk that begins with this ID or a lower one; the first if there is none. */
  private chunkOf(id: StreamId): number {
    const { chunks, width } = this;
    let low = 0;
    let high = chunks.length - 1;
    if (high > 0 && compareRow(chunks[high]!.rows, chunks[high]!.first * width, id) <= 0) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const chunk = chunks[middle]!;
      if (compareRow(chunk.rows, chunk.first * width, id) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first row of the chunk with a higher ID, or the chunk's end. */
  private rowBehind(chunk: Chunk, id: StreamId): number {
    const { rows } = chunk;
    const { width } = this;
    let low = chunk.first;
    let high = chunk.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRow(rows, middle * width, id) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // ------------------------------------------------------------------ inserting

  /** Adds a row; `place` is then at it. False if there is one with this ID, which is then the place. */
  insert(id: StreamId, place: Place): boolean {
    if (this.last(place)) {
      const order = compareRow(place.rows, place.at, id);
      if (order === 0) return false;
      if (order > 0) {
        if (this.find(id, place)) return false;
        this.insertInside(id, place);
        return true;
      }
    }
    this.append(id, place);
    return true;
  }

  /** Adds a row with an ID higher than all others; `place` is then at it. */
  append(id: StreamId, place: Place): void {
    const { width, chunks } = this;
    let chunk = chunks[chunks.length - 1];
    if (chunk !== undefined && chunk.shared > 0) chunk.own();
    if (chunk === undefined) chunk = this.addChunk(0, FIRST_ROWS);
    else if (chunk.end * width === chunk.rows.length) {
      const used = chunk.end - chunk.first;
      if (used * 2 <= chunk.end) this.rebuild(chunk, chunk.end);
      else if (chunk.end < MAX_ROWS) this.rebuild(chunk, chunk.end * 2);
      else chunk = this.addChunk(chunks.length, MAX_ROWS);
    }
    this.size++;
    this.put(place, chunks.length - 1, chunk.end++);
    id.write(place.rows, place.at);
  }

  /** Adds a row before the end of the table. */
  private insertInside(id: StreamId, place: Place): void {
    const { width } = this;
    let c = this.chunkOf(id);
    let chunk = this.chunks[c]!;
    if (chunk.first === 0 && chunk.end * width === chunk.rows.length) {
      if (chunk.end < MAX_ROWS) this.rebuild(chunk, chunk.end * 2);
      else {
        this.split(c);
        c = this.chunkOf(id);
        chunk = this.chunks[c]!;
      }
    }
    let row = this.rowBehind(chunk, id);
    if (chunk.shared > 0) chunk.own();
    const { rows } = chunk;
    const roomBehind = chunk.end * width < rows.length;
    if (roomBehind && (chunk.first === 0 || chunk.end - row <= row - chunk.first)) {
      rows.copyWithin((row + 1) * width, row * width, chunk.end * width);
      chunk.end++;
    } else {
      rows.copyWithin((chunk.first - 1) * width, chunk.first * width, row * width);
      chunk.first--;
      row--;
    }
    this.size++;
    this.put(place, c, row);
    id.write(rows, place.at);
  }

  /** Moves the upper half of a full chunk to one of its own. */
  private split(c: number): void {
    const { width } = this;
    const left = this.chunks[c]!;
    const right = this.addChunk(c + 1, MAX_ROWS);
    const middle = (left.first + left.end) >>> 1;
    right.rows.set(left.rows.subarray(middle * width, left.end * width));
    right.end = left.end - middle;
    left.end = middle;
  }

  private addChunk(index: number, capacity: number): Chunk {
    const chunk = new Chunk(new Uint32Array(capacity * this.width));
    if (index === this.chunks.length) this.chunks.push(chunk);
    else this.chunks.splice(index, 0, chunk);
    this.bytes += chunk.rows.byteLength + CHUNK_OVERHEAD;
    return chunk;
  }

  /** Moves a chunk's rows to the beginning, with room for `capacity` of them. */
  private rebuild(chunk: Chunk, capacity: number): void {
    const { width } = this;
    const old = chunk.rows;
    const cells = capacity * width;
    if (old.length === cells && chunk.shared === 0) old.copyWithin(0, chunk.first * width, chunk.end * width);
    else {
      chunk.rows = new Uint32Array(cells);
      chunk.shared = 0;
      chunk.rows.set(old.subarray(chunk.first * width, chunk.end * width));
      this.bytes += (cells - old.length) * 4;
    }
    chunk.end -= chunk.first;
    chunk.first = 0;
  }

  // ------------------------------------------------------------------ removing

  /** Removes the row; `place` is then at the row behind it. False if there is none. */
  remove(place: Place): boolean {
    const { width } = this;
    const chunk = this.chunks[place.chunk]!;
    const row = place.at / width;
    this.size--;
    if (chunk.end - chunk.first === 1) {
      this.dropChunk(place.chunk);
      if (place.chunk === this.chunks.length) return false;
      this.put(place, place.chunk, this.chunks[place.chunk]!.first);
      return true;
    }
    let next = row;
    if (chunk.shared > 0 && row > chunk.first && row < chunk.end - 1) chunk.own();
    if (row - chunk.first < chunk.end - 1 - row) {
      chunk.rows.copyWithin((chunk.first + 1) * width, chunk.first * width, row * width);
      chunk.first++;
      next++;
    } else {
      chunk.rows.copyWithin(row * width, (row + 1) * width, chunk.end * width);
      chunk.end--;
    }
    this.tidy(place, next - chunk.first);
    const { end } = this.chunks[place.chunk]!;
    if (place.at < end * width) return true;
    if (place.chunk + 1 === this.chunks.length) return false;
    this.put(place, place.chunk + 1, this.chunks[place.chunk + 1]!.first);
    return true;
  }

  /** Joins the place's chunk with a neighbour, or makes it smaller, where little is left in it. */
  private tidy(place: Place, offset: number): void {
    const { chunks } = this;
    const c = place.chunk;
    const count = (index: number) => chunks[index]!.end - chunks[index]!.first;
    const chunk = chunks[c]!;
    const used = chunk.end - chunk.first;
    if (used <= JOINED_ROWS) {
      if (c + 1 < chunks.length && used + count(c + 1) <= JOINED_ROWS) this.join(c);
      else if (c > 0 && used + count(c - 1) <= JOINED_ROWS) {
        offset += count(c - 1);
        this.join(c - 1);
        place.chunk = c - 1;
      } else if (chunks.length === 1 && chunk.rows.length > 8 * this.width) {
        if (used * 4 * this.width <= chunk.rows.length) this.rebuild(chunk, used * 2);
      }
    }
    this.put(place, place.chunk, chunks[place.chunk]!.first + offset);
  }

  /** Appends the next chunk's rows to this one's. */
  private join(c: number): void {
    const { width } = this;
    const left = this.chunks[c]!;
    const right = this.chunks[c + 1]!;
    const total = left.end - left.first + right.end - right.first;
    this.rebuild(left, Math.max(total, left.rows.length / width));
    left.rows.set(right.rows.subarray(right.first * width, right.end * width), left.end * width);
    left.end = total;
    this.dropChunk(c + 1);
  }

  private dropChunk(c: number): void {
    this.bytes -= this.chunks[c]!.rows.byteLength + CHUNK_OVERHEAD;
    if (c === 0) this.chunks.shift();
    else this.chunks.splice(c, 1);
  }

  /** Removes all rows with this value in a column. */
  removeWhere(column: number, value: number): void {
    const { width, chunks } = this;
    let kept = 0;
    for (const chunk of chunks) {
      if (chunk.shared > 0) chunk.own();
      const { rows } = chunk;
      let end = chunk.first;
      for (let row = chunk.first; row < chunk.end; row++) {
        if (rows[row * width + column] === value) continue;
        if (end !== row) rows.copyWithin(end * width, row * width, (row + 1) * width);
        end++;
      }
      this.size -= chunk.end - end;
      chunk.end = end;
      if (end > chunk.first) chunks[kept++] = chunk;
      else this.bytes -= rows.byteLength + CHUNK_OVERHEAD;
    }
    chunks.length = kept;
  }

  /** The rows as they are now, whatever happens to the table: a part is copied when it is first changed. */
  capture(): Captured {
    const parts = this.chunks.map((chunk) => {
      const { rows, first, end } = chunk;
      chunk.shared++;
      return { rows, first, end, release: () => void (chunk.rows === rows && chunk.shared--) };
    });
    return { size: this.size, width: this.width, parts };
  }

  clear(): void {
    this.chunks.length = 0;
    this.size = 0;
    this.bytes = 0;
  }

  clone(): IdTable {
    const copy = new IdTable(this.width);
    for (const chunk of this.chunks) {
      const twin = new Chunk(chunk.rows.slice());
      twin.first = chunk.first;
      twin.end = chunk.end;
      copy.chunks.push(twin);
    }
    copy.size = this.size;
    copy.bytes = this.bytes;
    return copy;
  }
}

const EMPTY = new Uint32Array(0);
const NO_CHUNK = new Chunk(EMPTY);

/** Negative, zero or positive, as the row's ID is lower, the same or higher. */
function compareRow(rows: Uint32Array, at: number, id: StreamId): number {
  return (
    rows[at]! - id.msHigh ||
    rows[at + 1]! - id.msLow ||
    rows[at + 2]! - id.seqHigh ||
    rows[at + 3]! - id.seqLow
  );
}
