import { HashTable } from "../encodings/hash-table.ts";
import type { KeyHint } from "../keyspace/context.ts";
import type { Database } from "../keyspace/database.ts";
import { ENC_OBJECT } from "../keyspace/record.ts";
import { Request } from "../resp/request.ts";

/**
 * Lookahead: the commands of a pipeline are read several at a time, and the memory that their keys will need
 * is fetched for all of them before the first is executed. The loads of one loop do not depend on each other,
 * so the processor waits for them together instead of once for each command: first the slots of the index
 * (nothing may branch on them yet: a branch guessed wrong would make it wait for each), then the records. What was
 * computed on the way, the key's hash, is handed to the command as a hint; with it, whether the command before was
 * for the same key, which then need not be looked for again.
 *
 * Argument 1 is taken for the key. Where it is none, a few loads are wasted. Where all are for one key, whose value is
 * a big hash or set, the same is done with its table and argument 2, the field or member.
 */
export const LOOKAHEAD = 32;
const NOTHING = new Uint8Array(0);
/** Smaller tables are in the processor's cache anyway. */
const BIG_TABLE = 128 * 1024;

export class Lookahead {
  readonly requests = Array.from({ length: LOOKAHEAD }, () => new Request());
  private readonly hashes = new Int32Array(LOOKAHEAD);
  /** The hashes without those of a key that stands next to itself: pipelines often fill one collection. */
  private readonly distinct = new Int32Array(LOOKAHEAD);
  private readonly positions = new Int32Array(LOOKAHEAD);
  /** Of the requests fetched: 1 where the key is that of the request before. */
  private readonly repeats = new Int32Array(LOOKAHEAD);
  /** The table that all requests fetched are for, and the hashes of their members; null: there is no such table. */
  private table: HashTable | null = null;
  private readonly members = new Int32Array(LOOKAHEAD);
  /** Keeps the engine from leaving out loads whose result nobody uses. */
  sum = 0;

  constructor(private readonly hint: KeyHint) {}

  /** Fetches what the first keys of these requests will need. */
  fetch(requests: readonly Request[], count: number, db: Database): void {
    const { hashes, distinct, positions, repeats } = this;
    const { index, records } = db;
    let keys = 0;
    let last = 0;
    // Two keys are compared where they are likely to be the same, and hashed where not.
    let same = false;
    for (let i = 0; i < count; i++) {
      const request = requests[i]!;
      same = same && sameKey(request, requests[i - 1]!);
      if (!same && request.argc >= 2) {
        const hash = index.hash(request.buf, request.start[1]!, request.end[1]!);
        if (hash !== last) distinct[keys++] = last = hash;
        else same = i > 0 && sameKey(request, requests[i - 1]!);
      }
      hashes[i] = last;
      repeats[i] = same ? 1 : 0;
    }
    this.table = null;
    if (keys === 1) this.fetchMembers(requests, count, db);
    if (keys < 2) return;
    let sum = 0;
    for (let i = 0; i < keys; i++) sum += index.touch(distinct[i]!);
    for (let i = 0; i < keys; i++) positions[i] = index.peek(distinct[i]!);
    for (let i = 0; i < keys; i++) if (positions[i] !== 0) sum += records.prefetch(positions[i]!);
    this.sum = sum;
  }

  private fetchMembers(requests: readonly Request[], count: number, { index, records }: Database): void {
    const position = index.peek(this.distinct[0]!);
    if (position === 0 || records.encoding(position) !== ENC_OBJECT) return;
    const value = records.objects.get(records.payloadLow(position));
    if (!(value instanceof HashTable) || value.count < BIG_TABLE) return;
    const { members } = this;
    for (let i = 0; i < count; i++) {
      const { argc, buf, start, end } = requests[i]!;
      if (argc > 2) members[i] = value.hashOf(buf, start[2]!, end[2]!);
    }
    this.sum = value.prefetch(members, count);
    this.table = value;
  }

  /** Before request `i` of those fetched is executed. */
  offer(request: Request, i: number): void {
    const { hint } = this;
    if (request.argc < 2) {
      hint.start = -1;
      return;
    }
    hint.buf = request.buf;
    hint.start = request.start[1]!;
    hint.hash = this.hashes[i]!;
    if (this.repeats[i] === 0) hint.foundIn = 0;
    if (this.table !== null && request.argc > 2)
      this.table.expect(request.buf, request.start[2]!, this.members[i]!);
  }

  /** Afterwards: the buffers will hold other keys. */
  withdraw(): void {
    this.hint.start = -1;
    if (this.table !== null) this.table.expect(NOTHING, -1, 0);
  }
}

/** Whether two requests have the same first argument; keys that differ mostly do so at their end. */
function sameKey(a: Request, b: Request): boolean {
  if (a.argc < 2 || b.argc < 2) return false;
  const { buf: bytes } = a;
  const { buf: others } = b;
  const first = a.start[1]!;
  let i = a.end[1]! - 1;
  let j = b.end[1]! - 1;
  if (bytes[i] !== others[j] || i - first !== j - b.start[1]!) return false;
  while (--i >= first) if (bytes[i] !== others[--j]) return false;
  return true;
}
