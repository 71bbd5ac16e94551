import { doubleText } from "../bytes/double.ts";
import { writeInt64 } from "../bytes/int64.ts";
import { NODE_PLACES, NodeElement, nodeHas } from "../encodings/array-node.ts";
import { StreamId } from "../encodings/stream-id.ts";
import { Place } from "../encodings/stream-index.ts";
import { NodeBytes } from "../encodings/stream-memory.ts";
import { TYPE_ARRAY } from "../keyspace/record.ts";
import { OwnBytes } from "../memory/byte-store.ts";
import { type ArrayWatch, firstIndex, INDEX_END, SparseArray } from "../types/sparse-array.ts";
import { corrupt, RdbError } from "./format.ts";
import { NodeImages } from "./node-images.ts";
import type { Reading, ValueReader } from "./read-value.ts";
import type { RdbWriter } from "./writer.ts";
import { BigValueWriting, byteLimit } from "./writing.ts";

/**
 * Arrays (Redis 8.8):
 *
 *   ARRAY      elements; 0, or 1 and the index that was inserted last; for each element: index, kind, value
 *
 *   kind       0 string     1 integer (8 bytes)     2 double (8 bytes)     3 string of up to 7 bytes
 *
 * Redis keeps integers and decimals as such, and makes of a string (0) what it would have made of it when it was set:
 * strings are all that is written here.
 */
const STRING = 0;
const INTEGER = 1;
const DOUBLE = 2;
const SHORT_STRING = 3;
const MOST_SHORT = 7;
const ENDED = -1;
const EMPTY_NODE = new Uint8Array(NODE_PLACES / 8);

const place = new Place();
const node = new NodeBytes();
const id = new StreamId();
const element = new NodeElement();

// -------------------------------------------------------------------------------- writing

/** Nodes that change before they are written are kept as they were, as those of streams are. */
export class ArrayWriting extends BigValueWriting implements ArrayWatch {
  private readonly images = new NodeImages();
  /** Nodes behind this one were added since; before `written`, that number of IDs, all are done with. */
  private readonly lastNode = new StreamId();
  private readonly written = new StreamId();
  private begun = false;
  private readonly nothing: boolean;

  constructor(
    out: RdbWriter,
    private readonly array: SparseArray,
    watched: boolean,
  ) {
    super(out, array, watched);
    out.length(array.count);
    const { cursor } = array;
    out.length(cursor === null ? 0 : 1);
    if (cursor !== null) writeIndex(out, cursor);
    this.nothing = !array.nodes.last(place);
    if (!this.nothing) this.lastNode.read(place.rows, place.at);
    if (watched) array.watch = this;
  }

  step(elements: number): boolean {
    const most = byteLimit(this.out, elements);
    while (!this.nothing && !(this.begun && this.written.compare(this.lastNode) >= 0)) {
      if (elements <= 0 || this.out.bytes >= most) return false;
      const count = this.nextNode();
      if (count === ENDED) return true;
      elements -= Math.max(1, count);
    }
    return true;
  }

  /** Writes the next node, as it is or as it was; returns how many elements it has, or ENDED. */
  private nextNode(): number {
    const { array, written, begun } = this;
    const image = this.images.first;
    const more = begun ? array.nodes.behind(written, place) : array.nodes.first(place);
    this.begun = true;
    if (image !== undefined && (!more || image.id.compare(id.read(place.rows, place.at)) <= 0)) {
      this.images.drop();
      written.copy(image.id);
      return this.writeNode(new OwnBytes(image.bytes));
    }
    if (!more) return ENDED;
    written.read(place.rows, place.at);
    if (written.compare(this.lastNode) > 0) return ENDED;
    return this.writeNode(node.bind(array, place.rows, place.at));
  }

  private writeNode(bytes: OwnBytes | NodeBytes): number {
    const { out } = this;
    const first = firstIndex(this.written);
    const { buf } = bytes;
    let at = bytes.start + NODE_PLACES / 8;
    let count = 0;
    for (let i = 0; i < NODE_PLACES; i++) {
      if (!nodeHas(bytes, i)) continue;
      at = element.skip(buf, at);
      writeIndex(out, first + BigInt(i));
      out.length(STRING);
      out.string(buf, element.textStart, element.textEnd);
      count++;
    }
    return count;
  }

  beforeNode({ rows, at }: Place): void {
    this.keep(rows, at, false);
  }

  /** It was not there: unless there was another one before, which is kept, there is nothing to be written. */
  nodeAdded({ rows, at }: Place): void {
    this.keep(rows, at, true);
  }

  private keep(rows: Uint32Array, at: number, asNothing: boolean): void {
    const { images } = this;
    id.read(rows, at);
    if (this.nothing || id.compare(this.lastNode) > 0) return;
    if (this.begun && id.compare(this.written) <= 0) return;
    const kept = images.placeFor(id);
    if (kept < 0) return;
    node.bind(this.array, rows, at);
    const bytes = asNothing ? EMPTY_NODE : node.buf.slice(node.start, node.end);
    images.put(kept, id, bytes);
  }
}

function writeIndex(out: RdbWriter, index: bigint): void {
  out.length64(Number(index & 0xffffffffn), Number(index >> 32n));
}

// -------------------------------------------------------------------------------- reading

export class ArrayReading implements Reading {
  private readonly array = new SparseArray();
  private left: number;
  private readonly digits = new Uint8Array(32);

  constructor(private readonly to: ValueReader) {
    const { reader } = to;
    this.left = reader.countOf(3);
    if (this.left === 0) throw new RdbError("Empty array (count == 0) is invalid");
    const inserted = reader.length();
    if (inserted > 1) corrupt(`Invalid array insert_idx_flag ${inserted}`);
    if (inserted === 1) this.array.cursor = this.index();
  }

  step(elements: number): boolean {
    for (; this.left > 0 && elements > 0; this.left--, elements--) this.readElement();
    if (this.left > 0) return false;
    this.to.setObject(TYPE_ARRAY, this.array);
    return true;
  }

  abandon(): void {
    this.array.dispose();
  }

  private index(): bigint {
    const { reader } = this.to;
    reader.length64();
    const index = (BigInt(reader.high >>> 0) << 32n) | BigInt(reader.low >>> 0);
    if (index >= INDEX_END) corrupt(`Invalid array index ${index}`);
    return index;
  }

  private readElement(): void {
    const { reader } = this.to;
    const index = this.index();
    const kind = reader.length();
    if (kind === INTEGER) {
      reader.bytes(8);
      const view = new DataView(reader.data.buffer, reader.data.byteOffset + reader.start, 8);
      const end = writeInt64(this.digits, 0, view.getInt32(0, true), view.getInt32(4, true));
      this.array.set(index, this.digits, 0, end);
    } else if (kind === DOUBLE) {
      const text = doubleText(reader.double());
      const bytes = Buffer.from(/^-?\d+$/.test(text) ? `${text}.0` : text);
      this.array.set(index, bytes, 0, bytes.length);
    } else if (kind === STRING || kind === SHORT_STRING) {
      reader.string();
      const length = reader.end - reader.start;
      if (kind === SHORT_STRING && length > MOST_SHORT)
        corrupt(`Invalid small string length ${length} in array`);
      this.array.set(index, reader.data, reader.start, reader.end);
    } else corrupt(`Unknown array element type_tag ${kind}`);
  }
}
