import type { KeyspaceContext } from "../keyspace/context.ts";

/**
 * A key's access clock in files and payloads: seconds since the last access, or the counter of LFU. Only what the
 * policy in force understands is written and read.
 */

const CLOCK_MAX = 0xffffff;

/** The access clock for an idle time in seconds or an LFU counter (-1: not given); -1: neither applies. */
export function clockOf({ access, clock }: KeyspaceContext, idle: number, frequency: number): number {
  if (access.countsUse) {
    if (frequency < 0) return -1;
    return ((Math.floor(clock.now / 60000) & 0xffff) << 8) | frequency;
  }
  if (idle < 0) return -1;
  const at = clock.lruClock - Math.min(idle, CLOCK_MAX);
  return at < 0 ? at + CLOCK_MAX : at;
}
