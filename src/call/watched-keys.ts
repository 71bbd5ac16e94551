/**
 * What is kept of keys that somebody watches, by their names (see `keyName`). Whether a key may be among them is told
 * from a number made of its length and its last bytes, without making its name: most keys that change are watched by
 * nobody.
 */
const NUMBERS = 4096;
const BYTES = 12;
const PRIME = 0x01000193;

export class WatchedKeys<T> extends Map<string, T> {
  /** How many names have each number. */
  private readonly counts = new Uint32Array(NUMBERS);

  /** Whether there may be a key `buf[start, end)`, in any database. */
  mayHave(buf: Uint8Array, start: number, end: number): boolean {
    let number = end - start;
    for (let i = Math.max(start, end - BYTES); i < end; i++) number = Math.imul(number ^ buf[i]!, PRIME);
    return this.counts[place(number)] !== 0;
  }

  override set(name: string, value: T): this {
    if (!this.has(name)) this.counts[placeOf(name)]!++;
    return super.set(name, value);
  }

  override delete(name: string): boolean {
    if (!super.delete(name)) return false;
    this.counts[placeOf(name)]!--;
    return true;
  }
}

function placeOf(name: string): number {
  const key = name.indexOf(":") + 1;
  let number = name.length - key;
  for (let i = Math.max(key, name.length - BYTES); i < name.length; i++)
    number = Math.imul(number ^ name.charCodeAt(i), PRIME);
  return place(number);
}

function place(number: number): number {
  return (number ^ (number >>> 15)) & (NUMBERS - 1);
}
