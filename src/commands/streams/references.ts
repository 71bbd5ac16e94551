import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import type { StreamId } from "../../encodings/stream-id.ts";
import type { Stream, Trimming } from "../../types/stream.ts";

/**
 * Removing entries with regard to consumer groups (Redis 8.2):
 *
 *   keep     KEEPREF: entries go, and stay pending where they are; what all commands did before
 *   drop     DELREF: with an entry goes what is pending of it, in every group
 *   acked    ACKED: an entry goes only if no group has it pending or has yet to be given it
 *
 * Older servers know none of this, so effects are propagated: XACK for what was pending, XDEL and XTRIM for entries.
 */
export type ReferencePolicy = "keep" | "drop" | "acked";

const KEEPREF = latin1Bytes("keepref");
const DELREF = latin1Bytes("delref");
const ACKED = latin1Bytes("acked");
const XACK = latin1Bytes("XACK");
const XDEL = latin1Bytes("XDEL");
const XTRIM = latin1Bytes("XTRIM");
const MAXLEN = latin1Bytes("MAXLEN");
const EQUALS = latin1Bytes("=");

/** The policy that argument i names, or null. */
export function policyAt(call: Call, i: number): ReferencePolicy | null {
  return call.is(i, KEEPREF) ? "keep" : call.is(i, DELREF) ? "drop" : call.is(i, ACKED) ? "acked" : null;
}

/** The removals of one call. */
export class Removal {
  deleted = 0;
  /** Pending entries taken off lists. */
  acknowledged = 0;
  private lostFirst = false;
  /** What was taken off pending lists, by group; kept only where somebody is told. */
  private readonly acks = new Map<Uint8Array, Uint8Array[]>();
  private readonly ids: Uint8Array[] = [];

  constructor(
    private readonly call: Call,
    private readonly stream: Stream,
    private readonly policy: ReferencePolicy,
  ) {}

  /** Whether the entry may go; what is pending of it goes first, where that is the policy. */
  readonly mayDelete = (id: StreamId): boolean => {
    if (this.policy === "acked") return !this.stream.isReferenced(id);
    if (this.policy === "drop") for (const group of this.stream.groups) this.acknowledge(group, id);
    return true;
  };

  /** False where the group does not have it pending. */
  acknowledge(group: Stream["groups"][number], id: StreamId): boolean {
    if (!group.acknowledge(id)) return false;
    this.acknowledged++;
    if (!this.call.recording) return true;
    const known = this.acks.get(group.name);
    if (known === undefined) this.acks.set(group.name, [id.bytes()]);
    else known.push(id.bytes());
    return true;
  }

  /** Deletes the entry itself; false if there is none. */
  delete(id: StreamId): boolean {
    const { stream } = this;
    if (!stream.delete(id)) return false;
    this.deleted++;
    if (id.compare(stream.firstId) === 0) this.lostFirst = true;
    if (id.compare(stream.maxDeletedId) > 0) stream.maxDeletedId.copy(id);
    if (this.call.recording) this.ids.push(id.bytes());
    return true;
  }

  /** After entries were deleted by ID. */
  finish(): void {
    const { call, stream } = this;
    if (this.deleted > 0 && (this.lostFirst || stream.length === 0)) stream.refreshFirstId();
    call.dirty += this.deleted + this.acknowledged;
    if (this.deleted > 0) call.event(NOTIFY.stream, "xdel", 1);
    // Nobody who watches the key hears of acknowledgements.
    else call.besideContents = true;
    if (!call.recording) return;
    this.propagateAcks();
    if (this.ids.length > 0) call.propagate(XDEL, call.bytes(1), ...this.ids);
  }

  /** Trims the stream; returns how many entries went. */
  trim(options: Trimming): number {
    const { call, stream } = this;
    const onHole = (id: StreamId) => {
      if (call.recording) this.ids.push(id.bytes());
    };
    this.deleted = stream.trimEach(options, this.mayDelete, onHole);
    return this.deleted;
  }

  /** What trimming did: what went from the front is told by the length that is left, the others by ID. */
  propagateTrim(): void {
    const { call, stream, ids, deleted } = this;
    if (!call.recording) return;
    this.propagateAcks();
    const key = call.bytes(1);
    if (ids.length > 0) call.propagate(XDEL, key, ...ids);
    if (deleted > ids.length) call.propagate(XTRIM, key, MAXLEN, EQUALS, utf8(String(stream.length)));
  }

  private propagateAcks(): void {
    for (const [group, ids] of this.acks) this.call.propagate(XACK, this.call.bytes(1), group, ...ids);
  }
}
