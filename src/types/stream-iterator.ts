import type { LpItem } from "../encodings/listpack.ts";
import { StreamId } from "../encodings/stream-id.ts";
import { Place } from "../encodings/stream-index.ts";
import { NodeBytes } from "../encodings/stream-memory.ts";
import { EntryCursor } from "../encodings/stream-node.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import type { Stream } from "./stream.ts";

/**
 * Goes through the entries between two IDs, forwards or backwards; deleted ones are left out. The stream must not
 * change meanwhile. One instance can be started again and again.
 */
export class StreamIterator {
  private stream!: Stream;
  private readonly place = new Place();
  private readonly node = new NodeBytes();
  private readonly cursor = new EntryCursor();
  private readonly from = new StreamId();
  private readonly to = new StreamId();
  private reverse = false;
  private state: "new" | "inside" | "ended" = "ended";

  start(stream: Stream, from: StreamId, to: StreamId, reverse = false): this {
    this.stream = stream;
    this.from.copy(from);
    this.to.copy(to);
    this.reverse = reverse;
    this.state = "new";
    return this;
  }

  get id(): StreamId {
    return this.cursor.id;
  }

  /** Pairs of field and value in the entry. */
  get fieldCount(): number {
    return this.cursor.fieldCount;
  }

  /** Reads the entry's next pair. */
  readField(field: LpItem, value: LpItem): void {
    this.cursor.readField(field, value);
  }

  /** The listpack of the entry, in which `toField` and `toValue` go to its next field and value. */
  get bytes(): ByteStore {
    return this.node;
  }

  toField(): number {
    return this.cursor.toField();
  }

  toValue(): number {
    return this.cursor.toValue();
  }

  /** Goes to the next entry. */
  next(): boolean {
    if (this.state === "ended") return false;
    const { cursor, reverse } = this;
    let more = this.state === "new" ? this.enterFirst() : this.step();
    this.state = "inside";
    for (; more; more = this.step()) {
      if (cursor.deleted) continue;
      if (reverse ? cursor.id.compare(this.to) > 0 : cursor.id.compare(this.from) < 0) continue;
      if (reverse ? cursor.id.compare(this.from) >= 0 : cursor.id.compare(this.to) <= 0) return true;
      break;
    }
    this.state = "ended";
    return false;
  }

  private enterFirst(): boolean {
    const { nodes } = this.stream;
    const found = nodes.floor(this.reverse ? this.to : this.from, this.place);
    if (!found && (this.reverse || !nodes.first(this.place))) return false;
    return this.enterNode();
  }

  private enterNode(): boolean {
    const { rows, at } = this.place;
    this.cursor.open(this.node.bind(this.stream, rows, at), rows, at);
    return (this.reverse ? this.cursor.toLast() : this.cursor.toFirst()) || this.nextNode();
  }

  private step(): boolean {
    return (this.reverse ? this.cursor.previous() : this.cursor.next()) || this.nextNode();
  }

  private nextNode(): boolean {
    const { nodes } = this.stream;
    return (this.reverse ? nodes.previous(this.place) : nodes.next(this.place)) && this.enterNode();
  }
}
