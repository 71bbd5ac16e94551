/**
 * Random test data from a seed. The seed is printed, and taken from REDBUN_SEED to repeat a failure.
 */
export interface Random {
  /** An integer 0 .. limit-1. */
  below(limit: number): number;
  bytes(length: number, alphabet?: string): Uint8Array<ArrayBuffer>;
  pick<T>(items: readonly T[]): T;
}

export function seeded(name: string): Random {
  const seed = Number(process.env.REDBUN_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: REDBUN_SEED=${seed}`);
  // mulberry32
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    bytes: (length, alphabet) =>
      Uint8Array.from({ length }, () =>
        alphabet === undefined ? below(256) : alphabet.charCodeAt(below(alphabet.length)),
      ),
    pick: (items) => items[below(items.length)]!,
  };
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
