import type { Blocks } from "../memory/blocks.ts";
import type { ValueWatch } from "../memory/objects.ts";
import {
  type BlockSource,
  blockOf,
  fieldAt,
  OFFSET,
  partEnd,
  type Range,
  readPart,
  type Segment,
} from "./hash-table-segment.ts";

/**
 * Segments of a hash table for somebody who reads them bit by bit while the table changes: before a segment that he
 * has marked as `awaited` changes, he is told, and may take a copy. Long fields and values lie in blocks, which never
 * change; a copy leads to the same ones.
 */
export interface TableWatch extends ValueWatch {
  beforeSegment(segment: Segment): void;
}

export interface SegmentImage {
  readonly segment: Segment;
  readonly blocks: BlockSource;
  readonly hasValues: boolean;
}

export function imageOf(segment: Segment, blocks: Blocks, hasValues: boolean, copy: boolean): SegmentImage {
  if (!copy) return { segment, blocks, hasValues };
  const kept: Uint8Array[] = [];
  if (blocks.count > 0)
    for (const contents of segment.slots) {
      if (contents === 0) continue;
      const at = fieldAt(segment.bytes, contents & OFFSET);
      keep(blocks, blockOf(segment.bytes, at), kept);
      if (hasValues) keep(blocks, blockOf(segment.bytes, partEnd(segment.bytes, at)), kept);
    }
  return { segment: segment.clone(), blocks: { get: (id) => kept[id]! }, hasValues };
}

function keep(blocks: Blocks, id: number, into: Uint8Array[]): void {
  if (id !== 0) into[id] = blocks.get(id);
}

/** Reads the entry in a slot; false if there is none. */
export function readSlot(
  { segment, blocks, hasValues }: SegmentImage,
  slot: number,
  field: Range,
  value: Range,
): boolean {
  const { bytes } = segment;
  const offset = segment.offset(slot);
  if (offset === 0) return false;
  const at = fieldAt(bytes, offset);
  readPart(bytes, at, blocks, field);
  if (hasValues) readPart(bytes, partEnd(bytes, at), blocks, value);
  return true;
}
