import { grown } from "./vector-store.ts";

/** Nodes by distance, as a binary heap in typed arrays: the nearest on top, or with `farthest` the farthest. */
export class DistanceHeap {
  private keys = new Float32Array(64);
  private nodes = new Int32Array(64);
  private readonly sign: number;
  size = 0;

  constructor(farthest = false) {
    this.sign = farthest ? -1 : 1;
  }

  clear(): void {
    this.size = 0;
  }

  get topDistance(): number {
    return this.keys[0]! * this.sign;
  }

  get topNode(): number {
    return this.nodes[0]!;
  }

  push(distance: number, node: number): void {
    if (this.size === this.keys.length) {
      this.keys = grown(this.keys, this.size);
      this.nodes = grown(this.nodes, this.size);
    }
    const { keys, nodes } = this;
    const key = distance * this.sign;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      nodes[at] = nodes[parent]!;
      at = parent;
    }
    keys[at] = key;
    nodes[at] = node;
  }

  /** Takes the top out. */
  pop(): void {
    const last = --this.size;
    if (last > 0) this.sink(this.keys[last]!, this.nodes[last]!, last);
  }

  /** Puts another node in the place of the top. */
  replaceTop(distance: number, node: number): void {
    this.sink(distance * this.sign, node, this.size);
  }

  private sink(key: number, node: number, size: number): void {
    const { keys, nodes } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      nodes[at] = nodes[child]!;
      at = child;
    }
    keys[at] = key;
    nodes[at] = node;
  }
}
