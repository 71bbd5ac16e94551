/**
 * What happens to keys, for who wants to hear of it (push/notifications.ts). Commands tell, each what it did and in
 * Redis's words, by `Call.event`; what is no command's doing (expiry, eviction, a new key, a key not found) is told
 * where it happens. While nobody wants a class of events, telling costs one test. Client-side caching (push/tracking.ts)
 * learns from the same events which keys have changed.
 */

/** Beside the classes of NOTIFY: a change that there is no event for. */
export const UNTOLD = 1 << 20;
/** Together with a class: the event leaves what clients read of the key as it was. */
export const HARMLESS = 1 << 21;

export interface KeyEvents {
  /** Classes that somebody wants, bits of NOTIFY (config/special.ts); 0: none. */
  classes: number;
  /** Only for a class that is wanted; `kind` is that class. The key is `buf[start, end)`. */
  emit(kind: number, name: string, database: number, buf: Uint8Array, start: number, end: number): void;
  /** Somebody wants to know which fields of hashes an event was about; `emitFields` is to follow `emit` then. */
  readonly wantsFields: boolean;
  emitFields(
    kind: number,
    name: string,
    database: number,
    buf: Uint8Array,
    start: number,
    end: number,
    fields: readonly Uint8Array[],
  ): void;
}

/** Nobody listens. */
export function noEvents(): KeyEvents {
  return { classes: 0, emit: () => {}, wantsFields: false, emitFields: () => {} };
}
