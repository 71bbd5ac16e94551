import { StreamId } from "../../encodings/stream-id.ts";
import type { Stream } from "../../types/stream.ts";
import { type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";

/**
 * What XREADGROUP CLAIM looks for (Redis 8.4): pending entries that nobody has touched for long, the oldest delivery
 * first; of deleted messages there are none. Pending entries lie in the order of their IDs, so all of them are looked
 * at; only as many as are wanted are kept.
 */
const entry = new PendingEntry();

interface Candidate {
  time: number;
  id: StreamId;
}

/** The IDs of pending entries last delivered at `until` or before, at most `count`. */
export function claimable(stream: Stream, group: ConsumerGroup, until: number, count: number): StreamId[] {
  const found: Candidate[] = [];
  for (let more = group.pending.first(entry); more; more = group.pending.next(entry)) {
    const { time } = entry;
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
  return found.map(({ id }) => id);
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

/** When the pending entry that was left alone for longest was last delivered; Infinity where there is none. */
export function oldestDelivery(stream: Stream, group: ConsumerGroup): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (let more = group.pending.first(entry); more; more = group.pending.next(entry))
    if (entry.time < oldest && stream.has(entry.readId())) oldest = entry.time;
  return oldest;
}
