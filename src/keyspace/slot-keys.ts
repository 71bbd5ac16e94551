import { keySlot, SLOT_COUNT } from "../bytes/crc16.ts";
import type { Records } from "./record.ts";

/**
 * Which keys are in which hash slot: kept on a cluster node only.
 *
 *   slot -> buckets: Int32Array[]          the bucket follows from the low bits of a key's hash
 *
 *   bucket:  [length][hash][hash] ...      unordered; about half full of BUCKET_AIM on average
 *
 * A slot holds the 32-bit hashes of its keys, some 6 bytes a key, not where their records lie: records move, hashes
 * stay, and from a hash the index finds the record. Buckets are added and taken away one at a time (linear hashing:
 * the new last bucket takes the half that belongs to it from just one other), so that a slot of millions of keys
 * never has to be rebuilt at once. A hash that two keys of a slot share is in there twice.
 */
const BUCKET_AIM = 64;
const FIRST_CAPACITY = 4;
const FIXED_BYTES = SLOT_COUNT * 12;
/** Slots share this until they have a key. */
const NONE: Int32Array[] = [];

export class SlotKeys {
  private readonly counts = new Int32Array(SLOT_COUNT);
  private readonly slots: Int32Array[][] = new Array<Int32Array[]>(SLOT_COUNT).fill(NONE);

  private total = 0;

  constructor(private readonly records: Records) {}

  /** The slot of this record's key. */
  slotOf(position: number): number {
    const { records } = this;
    const start = records.keyStart(position);
    return keySlot(records.keyBytes(position), start, start + records.keyLength(position));
  }

  /** How many keys the slot has. */
  count(slot: number): number {
    return this.counts[slot]!;
  }

  add(hash: number, slot: number): void {
    this.total++;
    let buckets = this.slots[slot]!;
    if (buckets === NONE) this.slots[slot] = buckets = [newBucket(FIRST_CAPACITY)];
    const count = ++this.counts[slot]!;
    append(buckets, bucketOf(hash, buckets.length), hash);
    if (count > buckets.length * BUCKET_AIM) split(buckets);
  }

  remove(hash: number, slot: number): void {
    const buckets = this.slots[slot]!;
    const bucket = buckets[bucketOf(hash, buckets.length)]!;
    const length = bucket[0]!;
    const at = bucket.indexOf(hash, 1);
    if (at < 1 || at > length) throw new Error("slot-keys: no such key in the slot");
    this.total--;
    bucket[at] = bucket[length]!;
    bucket[0] = length - 1;
    const count = --this.counts[slot]!;
    if (count === 0) this.slots[slot] = NONE;
    else if (buckets.length > 1 && count < (buckets.length * BUCKET_AIM) / 4) merge(buckets);
  }

  /** The different hashes of the slot's keys, until `visit` says that it is enough. */
  forEachHash(slot: number, visit: (hash: number) => boolean): void {
    for (const bucket of this.slots[slot]!) {
      const length = bucket[0]!;
      for (let i = 1; i <= length; i++) {
        const hash = bucket[i]!;
        if (bucket.indexOf(hash, 1) === i && !visit(hash)) return;
      }
    }
  }

  /** Bytes held, about. */
  get memoryUse(): number {
    return FIXED_BYTES + this.total * 8;
  }
}

function newBucket(capacity: number): Int32Array {
  return new Int32Array(capacity + 1);
}

/** The bucket of a hash among `count`: by as many bits as `count` needs, or by one less where there is none yet. */
function bucketOf(hash: number, count: number): number {
  const bits = 32 - Math.clz32(count - 1);
  const index = hash & ((1 << bits) - 1);
  return index < count ? index : index & ((1 << (bits - 1)) - 1);
}

function append(buckets: Int32Array[], index: number, hash: number): void {
  let bucket = buckets[index]!;
  const length = bucket[0]! + 1;
  if (length === bucket.length) {
    const larger = newBucket(length * 2);
    larger.set(bucket);
    buckets[index] = bucket = larger;
  }
  bucket[length] = hash;
  bucket[0] = length;
}

/** Adds a bucket, which takes its share from the one that had it. */
function split(buckets: Int32Array[]): void {
  const added = buckets.length;
  const from = added & ~(1 << (31 - Math.clz32(added)));
  const old = buckets[from]!;
  const length = old[0]!;
  buckets.push(newBucket(length));
  old[0] = 0;
  for (let i = 1; i <= length; i++) {
    const hash = old[i]!;
    append(buckets, bucketOf(hash, added + 1), hash);
  }
}

/** Takes the last bucket away; the one it came from gets its hashes back. */
function merge(buckets: Int32Array[]): void {
  const last = buckets.pop()!;
  for (let i = 1; i <= last[0]!; i++) append(buckets, bucketOf(last[i]!, buckets.length), last[i]!);
}
