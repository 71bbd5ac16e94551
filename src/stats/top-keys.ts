/**
 * The heaviest of very many keys, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, 2005).
 *
 *   at         key -> its place in the heap
 *   heap       a binary heap of (key, weight), the lightest on top
 *
 * How it works. A key that is known becomes heavier. A new one takes the place of the lightest where all places are
 * taken, and takes over its weight, since it may have been seen and forgotten: a weight is never too low, and too high
 * by no more than that of the lightest place. While there are places for all keys, weights are exact.
 */
interface Entry {
  readonly key: string;
  weight: number;
}

export class TopKeys {
  /** What all keys weigh together. */
  total = 0;
  private readonly heap: Entry[] = [];
  private readonly at = new Map<string, number>();

  constructor(private readonly places: number) {}

  /** `key`: one character a byte. */
  add(key: string, weight: number): void {
    this.total += weight;
    const known = this.at.get(key);
    if (known !== undefined) {
      this.heap[known]!.weight += weight;
      this.sink(known);
    } else if (this.heap.length < this.places) {
      this.heap.push({ key, weight });
      this.rise(this.heap.length - 1);
    } else {
      const lightest = this.heap[0]!;
      this.at.delete(lightest.key);
      this.heap[0] = { key, weight: lightest.weight + weight };
      this.sink(0);
    }
  }

  /** The `count` heaviest, the heaviest first. */
  heaviest(count: number): readonly Readonly<Entry>[] {
    return [...this.heap].sort((a, b) => b.weight - a.weight).slice(0, count);
  }

  private put(entry: Entry, place: number): void {
    this.heap[place] = entry;
    this.at.set(entry.key, place);
  }

  private rise(place: number): void {
    const entry = this.heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.heap[parent]!.weight <= entry.weight) break;
      this.put(this.heap[parent]!, place);
      place = parent;
    }
    this.put(entry, place);
  }

  private sink(place: number): void {
    const { heap } = this;
    const entry = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.weight < heap[child]!.weight) child++;
      if (heap[child]!.weight >= entry.weight) break;
      this.put(heap[child]!, place);
      place = child;
    }
    this.put(entry, place);
  }
}
