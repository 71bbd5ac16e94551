import { StreamId } from "../../encodings/stream-id.ts";
import type { Stream } from "../../types/stream.ts";
import { type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";

/**
 * What XREADGROUP CLAIM looks for (Redis 8.4): pending entries that nobody has touched for long, the oldest delivery
 * first; before all others those that were given back (XNACK), in the order of that. Of deleted messages there are none.
 *
 * Pending entries lie in the order of their IDs, so finding the oldest means looking at all of them. That is done once
 * for a thousand: the oldest ones are kept beside the group,
 *
 *   candidates   (delivery time, ID), the oldest first; one that is no longer pending, or was delivered again, is passed
 *   bound        no entry that is not a candidate was delivered before
 *
 * and all of them are looked at again when candidates have run out and the bound is reached. New deliveries happen
 * now, behind the bound; where one is set back in time (XCLAIM with TIME or IDLE, XNACK), what is kept is forgotten.
 */
const KEPT = 1000;
/** Before all times: entries that were given back have their number from here on for a time. */
const BEFORE_ALL = -(2 ** 52);

interface Candidate {
  time: number;
  id: StreamId;
}

interface Oldest {
  candidates: Candidate[];
  /** The first candidate that has not been passed. */
  at: number;
  bound: number;
}

const entry = new PendingEntry();
const oldestOf = new WeakMap<ConsumerGroup, Oldest>();

/** The IDs of pending entries last delivered at `until` or before, at most `count`. They must then be delivered again. */
export function claimable(
  stream: Stream,
  group: ConsumerGroup,
  until: number,
  count: number,
  now: number,
): StreamId[] {
  if (count > KEPT) {
    forgetClaimable(group);
    return idsOf(collect(stream, group, until, count));
  }
  const known = oldestOf.get(group);
  if (known !== undefined) {
    const found = take(stream, group, known, until, count);
    if (found.length === count || known.bound > until) return found;
    if (firstOf(stream, group, known) !== null) return found;
  }
  // What has been taken is still among the oldest: nobody has claimed it yet.
  return take(stream, group, renew(stream, group, now), until, count);
}

/** When the pending entry that was left alone for longest was last delivered; Infinity where there is none. */
export function oldestDelivery(stream: Stream, group: ConsumerGroup, now: number): number {
  if (group.pending.size === 0) return Number.POSITIVE_INFINITY;
  const known = oldestOf.get(group);
  const first = known === undefined ? null : firstOf(stream, group, known);
  return (first ?? firstOf(stream, group, renew(stream, group, now)))?.time ?? Number.POSITIVE_INFINITY;
}

/** An entry was given a delivery time that is not now. */
export function forgetClaimable(group: ConsumerGroup): void {
  oldestOf.delete(group);
}

function momentOf(pending: PendingEntry): number {
  return pending.isReleased ? BEFORE_ALL + pending.releaseNumber : pending.time;
}

function renew(stream: Stream, group: ConsumerGroup, now: number): Oldest {
  const candidates = collect(stream, group, Number.POSITIVE_INFINITY, KEPT);
  const bound = candidates.length < KEPT ? now : candidates[KEPT - 1]!.time;
  const oldest = { candidates, at: 0, bound };
  oldestOf.set(group, oldest);
  return oldest;
}

/** The first candidate that is one still; those before it are passed. */
function firstOf(stream: Stream, group: ConsumerGroup, oldest: Oldest): Candidate | null {
  for (const { candidates } = oldest; oldest.at < candidates.length; oldest.at++) {
    const candidate = candidates[oldest.at]!;
    const { id, time } = candidate;
    if (group.pending.find(id, entry) && momentOf(entry) === time && stream.has(id)) return candidate;
  }
  return null;
}

function take(
  stream: Stream,
  group: ConsumerGroup,
  oldest: Oldest,
  until: number,
  count: number,
): StreamId[] {
  const found: StreamId[] = [];
  while (found.length < count) {
    const first = firstOf(stream, group, oldest);
    if (first === null || first.time > until) break;
    found.push(first.id);
    oldest.at++;
  }
  return found;
}

/** The oldest deliveries at `until` or before, at most `count`; of the same time in the order of IDs. */
function collect(stream: Stream, group: ConsumerGroup, until: number, count: number): Candidate[] {
  const found: Candidate[] = [];
  for (let more = group.pending.first(entry); more; more = group.pending.next(entry)) {
    const time = momentOf(entry);
    if (time > until || (found.length >= count && time >= found[found.length - 1]!.time)) continue;
    if (!stream.has(entry.readId())) continue;
    if (found.length >= count) found.pop();
    const candidate = { time, id: new StreamId().copy(entry.id) };
    // Mostly later deliveries have higher IDs.
    let at = found.length;
    if (at > 0 && found[at - 1]!.time > time) at = behind(found, time);
    if (at === found.length) found.push(candidate);
    else found.splice(at, 0, candidate);
  }
  return found;
}

function idsOf(candidates: readonly Candidate[]): StreamId[] {
  return candidates.map(({ id }) => id);
}

/** The index behind the candidates that are not later. */
function behind(found: readonly Candidate[], time: number): number {
  let low = 0;
  let high = found.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (found[middle]!.time <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
