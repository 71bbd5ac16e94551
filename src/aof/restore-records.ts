import { utf8 } from "../bytes/ascii.ts";
import { Crc64 } from "../bytes/crc64.ts";
import type { Database } from "../keyspace/database.ts";
import { ENC_BLOCK } from "../keyspace/record.ts";
import type { SnapshotSink } from "../keyspace/snapshot.ts";
import { Aside } from "../rdb/aside.ts";
import { beginPayload, payloadVersion, writePayload } from "../rdb/dump.ts";
import type { RdbVersion } from "../rdb/format.ts";
import { isBig } from "../rdb/save.ts";
import { RdbWriter, type WriterOptions } from "../rdb/writer.ts";
import { BIG_STRING, type ObjectWriting, StringWriting } from "../rdb/writing.ts";

/**
 * The base of an AOF without RDB preamble: one RESTORE a key, which any Redis since 7.0 reads as the command it is
 * (since 7.4 where fields of a hash expire).
 *
 *   FUNCTION LOAD source   ...   SELECT id   RESTORE key ttl payload REPLACE ABSTTL   ...
 *
 * The length of a payload stands in front of it, so that of a big value is put together in memory, in steps, before
 * it is written: it costs as much memory as it will take in the file. Records that come while it is written wait.
 */
const SELECT = "*2\r\n$6\r\nSELECT\r\n";
const RESTORE = "$7\r\nRESTORE\r\n";
const OPTIONS = "$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n";
const FORMAT: RdbVersion = 10;
const WRITING: WriterOptions = { compress: true, compressUpTo: BIG_STRING, checksum: true };
const CHUNK = 4096;
const LATER_CHUNK = 64 * 1024;
/** Bytes of a payload moved to the file in one step. */
const STEP_BYTES = 256 * 1024;

type Sink = (buf: Uint8Array, start: number, end: number) => void;

/** A big value whose payload is being put together, then written. */
interface Payload {
  readonly id: number;
  /** The command up to the payload's length. */
  readonly head: Uint8Array;
  readonly aside: Aside;
  readonly writing: ObjectWriting;
  readonly version: RdbVersion;
  readonly crc: Crc64;
  whole: boolean;
}

export class RestoreRecords implements SnapshotSink {
  private readonly payload = new RdbWriter(WRITING);
  private selected = -1;
  private readonly big: Payload[] = [];
  private later: Aside | null = null;
  private selectedLater = -1;
  private abandoned = false;

  /** `libraries`: sources of function libraries, which stand in front. */
  constructor(
    private readonly bytes: Sink,
    private readonly libraries: Iterable<Uint8Array> = [],
  ) {}

  begin(): void {
    for (const source of this.libraries) {
      sendText(this.bytes, `*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$${source.length}\r\n`);
      this.bytes(source, 0, source.length);
      sendText(this.bytes, "\r\n");
    }
  }

  private get idle(): boolean {
    return this.big.length === 0 && this.later === null;
  }

  record(db: Database, id: number, position: number): boolean {
    if (isBig(db, position)) {
      const aside = new Aside(WRITING, CHUNK);
      const head = headOf(db, position);
      const { type, writing } = beginPayload(aside.writer, db, position, FORMAT);
      const version = payloadVersion(type, FORMAT);
      this.big.push({ id, head, aside, writing, version, crc: new Crc64(), whole: false });
      return false;
    }
    if (this.later === null && this.big[0]?.whole !== true) {
      this.select(id);
      this.restore(db, position, this.bytes);
      return this.idle;
    }
    this.later ??= new Aside(WRITING, LATER_CHUNK);
    const { writer } = this.later;
    const sink: Sink = (buf, start, end) => writer.raw(buf, start, end);
    if (id !== this.selectedLater) sendText(sink, selectText(id));
    this.selectedLater = id;
    this.restore(db, position, sink);
    return false;
  }

  beforeChange({ records }: Database, position: number): void {
    if (this.big.length === 0 || records.encoding(position) !== ENC_BLOCK) return;
    const bytes = records.blocks.get(records.payloadLow(position));
    for (const { writing, whole } of this.big)
      if (!whole && writing instanceof StringWriting && writing.bytes === bytes) writing.beforeChange();
  }

  step(elements: number): boolean {
    const [current] = this.big;
    if (current !== undefined) this.stepBig(current, elements);
    else if (this.later?.drain(this.bytes, STEP_BYTES) === true) {
      this.selected = this.selectedLater;
      this.selectedLater = -1;
      this.later = null;
    }
    return this.idle;
  }

  private stepBig(current: Payload, elements: number): void {
    const { aside, writing, crc, id, version } = current;
    if (!current.whole) {
      if (!writing.step(elements)) return;
      writing.close();
      current.whole = true;
      aside.writer.byte(version & 255);
      aside.writer.byte(version >> 8);
      this.select(id);
      this.bytes(current.head, 0, current.head.length);
      sendText(this.bytes, `$${aside.writer.bytes + 8}\r\n`);
      return;
    }
    const counted: Sink = (buf, start, end) => {
      crc.update(buf, start, end);
      this.bytes(buf, start, end);
    };
    if (!aside.drain(counted, STEP_BYTES) || this.abandoned) return;
    const sum = new Uint8Array(8);
    crc.writeTo(sum, 0);
    this.bytes(sum, 0, 8);
    sendText(this.bytes, `\r\n${OPTIONS}`);
    this.big.shift();
  }

  abandon(): void {
    for (const { writing, whole } of this.big) if (!whole) writing.close();
    this.big.length = 0;
    this.later = null;
    this.abandoned = true;
  }

  end(): void {
    while (!this.step(Number.POSITIVE_INFINITY));
  }

  private select(id: number): void {
    if (id !== this.selected) sendText(this.bytes, selectText(id));
    this.selected = id;
  }

  private restore(db: Database, position: number, sink: Sink): void {
    const { payload } = this;
    const head = headOf(db, position);
    writePayload(payload, db, position, FORMAT);
    sink(head, 0, head.length);
    sendText(sink, `$${payload.pos}\r\n`);
    sink(payload.buf, 0, payload.pos);
    sendText(sink, `\r\n${OPTIONS}`);
  }
}

function selectText(id: number): string {
  return `${SELECT}$${String(id).length}\r\n${id}\r\n`;
}

/** The command up to the length of the payload. */
function headOf({ records }: Database, position: number): Uint8Array {
  const start = records.keyStart(position);
  const length = records.keyLength(position);
  const ttl = String(Math.max(0, records.expireAt(position)));
  return Buffer.concat([
    utf8(`*6\r\n${RESTORE}$${length}\r\n`),
    records.keyBytes(position).subarray(start, start + length),
    utf8(`\r\n$${ttl.length}\r\n${ttl}\r\n`),
  ]);
}

function sendText(sink: Sink, text: string): void {
  const bytes = utf8(text);
  sink(bytes, 0, bytes.length);
}
