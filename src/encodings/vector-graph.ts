import { DistanceHeap } from "./distance-heap.ts";
import { COUNT, LINKS, LinkRows } from "./vector-links.ts";
import { grown, QUERY, type Quantization, VectorStore } from "./vector-store.ts";

/**
 * Vectors in a graph that leads to the nearest ones: a hierarchical navigable small world (Malkov and Yashunin, 2016).
 *
 *   layer 0    all nodes, each linked with up to 2 m others
 *   layer n    a quarter of the nodes of the layer below, each linked with up to m others
 *
 * A search goes from the entry, a node of the highest layer, to the node nearest to what is searched for, from there on
 * through the next layer, and on the lowest keeps the `ef` nearest that it comes across. All links go both ways, so that
 * a node can be taken out.
 *
 * A new node is linked with the nearest of those that a search finds, but not with one that is nearer to another it is
 * linked with already: links should lead in different directions. A node that has all the links it may have drops its
 * farthest one for a nearer, unless the dropped one would be left with too few.
 */
export const MAX_LEVEL = 16;
/** A node is on the next layer with this probability, by 32 random bits. */
const CLIMBS = 2 ** 30;
/** Nodes that a search for new neighbours of a node keeps, where the user did not say how many. */
export const DEFAULT_EFFORT = 200;

/** How much is given up for a link. */
const CAREFUL = 0;
const EAGER = 1;
const FORCED = 2;

/** Whether a node may be among the results. */
export type Accepts = (node: number) => boolean;

export class VectorGraph {
  readonly vectors: VectorStore;
  private base: LinkRows;
  private upper: LinkRows;
  private levels = new Uint8Array(4);
  private ids = new Float64Array(4);
  private visited = new Int32Array(4);
  private epoch = 0;
  private readonly spare: number[] = [];
  /** Behind the last number that was ever given. */
  end = QUERY + 1;
  /** Nodes there are. */
  size = 0;
  /** Where searches begin; QUERY: there is no node. */
  private entry = QUERY;
  maxLevel = 0;
  /** The highest ID that was given. */
  lastId = 0;
  /** What the last search has found, the nearest first. */
  readonly found: number[] = [];
  readonly distances: number[] = [];
  /** Is told of a node before its links, or what its number stands for, change. */
  changing: ((node: number) => void) | null = null;
  private readonly candidates = new DistanceHeap();
  private readonly results = new DistanceHeap(true);

  constructor(
    dimension: number,
    readonly quantization: Quantization,
    readonly m: number,
  ) {
    this.vectors = new VectorStore(dimension, quantization);
    this.vectors.reserve(QUERY);
    this.base = new LinkRows(2 * m);
    this.upper = new LinkRows(m);
  }

  get memoryUse(): number {
    const { base, upper, levels, ids, visited } = this;
    const fixed = levels.byteLength + ids.byteLength + visited.byteLength;
    return this.vectors.memoryUse + base.heldBytes + upper.heldBytes + fixed + this.spare.length * 8;
  }

  level(node: number): number {
    return this.levels[node]!;
  }

  id(node: number): number {
    return this.ids[node]!;
  }

  /** Whether there is a node of this number. */
  has(node: number): boolean {
    return this.ids[node]! !== 0;
  }

  /** The links of a node on a layer. */
  links(node: number, layer: number): { rows: LinkRows; row: number } {
    return { rows: this.rows(layer), row: this.row(node, layer) };
  }

  private rows(layer: number): LinkRows {
    return layer === 0 ? this.base : this.upper;
  }

  private row(node: number, layer: number): number {
    if (layer === 0) return node;
    let row = this.base.above(node);
    while (--layer > 0) row = this.upper.above(row);
    return row;
  }

  // ------------------------------------------------------------------ searching

  /**
   * Finds up to `ef` nodes near the vector of the number `to`, of those that `accepts` if it is given; then looks at no more
   * than `most` nodes, 0: at as many as it takes.
   */
  search(to: number, ef: number, accepts: Accepts | null = null, most = 0): void {
    this.found.length = this.distances.length = 0;
    if (this.entry !== QUERY) this.searchLayer(to, this.descend(to, 0), ef, 0, accepts, most);
  }

  /** All nodes, by their distance from `to`: the `count` nearest of those that `accepts`. */
  scan(to: number, count: number, accepts: Accepts | null): void {
    const { results, vectors } = this;
    results.clear();
    for (let node = QUERY + 1; node < this.end; node++) {
      if (!this.has(node) || (accepts !== null && !accepts(node))) continue;
      this.offer(node, vectors.distance(to, node), count);
    }
    this.takeResults();
  }

  /** The node nearest to `to` on the layer above this one, as far as a short search tells. */
  private descend(to: number, layer: number): number {
    let nearest = this.entry;
    for (let above = this.maxLevel; above > layer; above--) {
      this.searchLayer(to, nearest, 1, above, null, 0);
      nearest = this.found[0] ?? nearest;
    }
    return nearest;
  }

  private searchLayer(
    to: number,
    from: number,
    ef: number,
    layer: number,
    accepts: Accepts | null,
    most: number,
  ): void {
    const { candidates, results, vectors } = this;
    if (this.epoch === 0x7fffffff) {
      this.visited.fill(0);
      this.epoch = 0;
    }
    const epoch = ++this.epoch;
    const { visited } = this;
    const rows = this.rows(layer);
    candidates.clear();
    results.clear();
    const distance = vectors.distance(to, from);
    candidates.push(distance, from);
    visited[from] = epoch;
    if (from !== to && (accepts === null || accepts(from))) results.push(distance, from);
    for (let looked = 1; candidates.size > 0; looked++) {
      if (accepts !== null && most > 0 && looked >= most) break;
      if (results.size >= ef && candidates.topDistance > results.topDistance) break;
      const row = this.row(candidates.topNode, layer);
      candidates.pop();
      const page = rows.page(row);
      const at = rows.at(row);
      const end = at + LINKS + page[at + COUNT]!;
      for (let i = at + LINKS; i < end; i++) {
        const node = page[i]!;
        if (visited[node] === epoch) continue;
        visited[node] = epoch;
        const distance = vectors.distance(to, node);
        if (results.size >= ef && distance >= results.topDistance) continue;
        candidates.push(distance, node);
        if (node !== to && (accepts === null || accepts(node))) this.offer(node, distance, ef);
      }
    }
    this.takeResults();
  }

  private offer(node: number, distance: number, most: number): void {
    const { results } = this;
    if (results.size < most) results.push(distance, node);
    else if (distance < results.topDistance) results.replaceTop(distance, node);
  }

  private takeResults(): void {
    const { results, found, distances } = this;
    found.length = distances.length = results.size;
    for (let i = results.size - 1; i >= 0; i--) {
      found[i] = results.topNode;
      distances[i] = results.topDistance;
      results.pop();
    }
  }

  // ------------------------------------------------------------------ adding

  /** Adds a node; `random` gives 32-bit integers. The vector's length becomes 1. Returns its number. */
  insert(vector: Float32Array, effort: number, random: () => number): number {
    let level = 0;
    while (level < MAX_LEVEL && random() >>> 0 < CLIMBS) level++;
    const node = this.add(++this.lastId, level);
    this.vectors.set(node, vector);
    if (this.entry === QUERY) {
      this.entry = node;
      this.maxLevel = level;
      return node;
    }
    let from = this.descend(node, level);
    for (let layer = Math.min(level, this.maxLevel); layer >= 0; layer--) {
      this.searchLayer(node, from, effort, layer, null, 0);
      from = this.found[0] ?? from;
      this.linkNew(node, layer);
    }
    if (level > this.maxLevel) {
      this.entry = node;
      this.maxLevel = level;
    }
    return node;
  }

  /** A node without links and without a vector yet. */
  add(id: number, level: number): number {
    const node = this.spare.pop() ?? this.end++;
    if (node >= this.ids.length) {
      this.ids = grown(this.ids, node);
      this.levels = grown(this.levels, node);
      this.visited = grown(this.visited, node);
    }
    this.vectors.reserve(node);
    this.ids[node] = id;
    this.levels[node] = level;
    this.visited[node] = 0;
    this.base.reserve(node);
    this.base.clear(node);
    let row = node;
    for (let layer = 1; layer <= level; layer++) {
      const above = this.upper.alloc();
      this.rows(layer - 1).setAbove(row, above);
      row = above;
    }
    this.size++;
    return node;
  }

  /** As loaded from a file: searches begin at the first node of the highest layer. */
  adopt(node: number): void {
    this.lastId = Math.max(this.lastId, this.ids[node]!);
    if (this.entry !== QUERY && this.levels[node]! <= this.maxLevel) return;
    this.entry = node;
    this.maxLevel = this.levels[node]!;
  }

  private linkNew(node: number, layer: number): void {
    const { m } = this;
    this.connect(node, layer, m, CAREFUL);
    const row = this.row(node, layer);
    const rows = this.rows(layer);
    if (layer > 0 || rows.count(row) >= m >> 1) return;
    this.connect(node, layer, m, EAGER);
    if (rows.count(row) < m >> 2) this.connect(node, layer, Math.max(1, m >> 2), FORCED);
  }

  /** Links a node with some of those found, until it has so many links. */
  private connect(node: number, layer: number, wanted: number, eagerness: number): void {
    const { found, distances } = this;
    const rows = this.rows(layer);
    const row = this.row(node, layer);
    for (let i = 0; i < found.length && rows.count(row) < wanted && !rows.isFull(row); i++) {
      const other = found[i]!;
      const distance = distances[i]!;
      if (other === node || rows.indexOf(row, other) >= 0) continue;
      if (eagerness === CAREFUL && !this.isDiverse(rows, row, other, distance)) continue;
      if (rows.isFull(this.row(other, layer)) && !this.makeRoom(other, layer, distance, eagerness)) continue;
      this.link(node, other, layer, distance);
    }
  }

  /** Whether no node that is linked is nearer to another one than that is to the node itself. */
  private isDiverse(rows: LinkRows, row: number, other: number, distance: number): boolean {
    const count = rows.count(row);
    for (let i = 0; i < count; i++)
      if (this.vectors.distance(other, rows.link(row, i)) < distance) return false;
    return true;
  }

  /** Takes one of its links from a node that has as many as it may; false: it can spare none for this one. */
  private makeRoom(node: number, layer: number, distance: number, eagerness: number): boolean {
    const { m } = this;
    const rows = this.rows(layer);
    const row = this.row(node, layer);
    if (eagerness === CAREFUL && distance >= rows.worstDistance(row)) return false;
    const least = eagerness === CAREFUL ? m >> 1 : m >> 2;
    let dropped = rows.link(row, rows.worst(row));
    if (rows.count(this.row(dropped, layer)) <= least) {
      if (eagerness !== FORCED) return false;
      dropped = this.sparable(rows, row, layer);
      if (dropped === QUERY) return false;
    }
    this.unlink(node, dropped, layer);
    return true;
  }

  /** Of the nodes that a node is linked with, the one with the most links; QUERY: none has another. */
  private sparable(rows: LinkRows, row: number, layer: number): number {
    let best = QUERY;
    let most = 1;
    const count = rows.count(row);
    for (let i = 0; i < count; i++) {
      const node = rows.link(row, i);
      const links = rows.count(this.row(node, layer));
      if (links <= most) continue;
      best = node;
      most = links;
    }
    return best;
  }

  /** Links two nodes that both have room. */
  private link(a: number, b: number, layer: number, distance: number): void {
    this.changing?.(a);
    this.changing?.(b);
    const rows = this.rows(layer);
    rows.add(this.row(a, layer), b, distance);
    rows.add(this.row(b, layer), a, distance);
  }

  private unlink(a: number, b: number, layer: number): void {
    this.drop(a, b, layer);
    this.drop(b, a, layer);
  }

  /** Takes the link from one node to another out, but not the one back. */
  drop(from: number, node: number, layer: number): void {
    this.changing?.(from);
    const rows = this.rows(layer);
    const row = this.row(from, layer);
    const index = rows.indexOf(row, node);
    if (index >= 0 && rows.removeAt(row, index)) this.findWorst(from, layer);
  }

  /** Finds out which of a node's links is the farthest. */
  findWorst(node: number, layer: number): void {
    const rows = this.rows(layer);
    const row = this.row(node, layer);
    let worst = 0;
    let farthest = 0;
    const count = rows.count(row);
    for (let i = 0; i < count; i++) {
      const distance = this.vectors.distance(node, rows.link(row, i));
      if (distance <= farthest) continue;
      worst = i;
      farthest = distance;
    }
    rows.setWorst(row, worst, farthest);
  }

  // ------------------------------------------------------------------ removing

  /** Takes a node out; those that were linked with it are linked with others. */
  remove(node: number): void {
    this.changing?.(node);
    const level = this.levels[node]!;
    const left: number[][] = [];
    for (let layer = 0; layer <= level; layer++) {
      const { rows, row } = this.links(node, layer);
      const neighbours = Array.from({ length: rows.count(row) }, (_, i) => rows.link(row, i));
      for (const neighbour of neighbours) this.drop(neighbour, node, layer);
      left.push(neighbours);
    }
    this.ids[node] = 0;
    this.size--;
    if (node === this.entry) this.replaceEntry();
    for (let row = this.base.above(node); row !== 0; ) {
      const above = this.upper.above(row);
      this.upper.free(row);
      row = above;
    }
    for (const [layer, neighbours] of left.entries()) this.reconnect(neighbours, layer);
    this.spare.push(node);
  }

  /** Searches begin at a node of the highest layer there is: all are looked at, which is seldom needed. */
  private replaceEntry(): void {
    const { levels, end } = this;
    this.entry = QUERY;
    this.maxLevel = 0;
    for (let node = QUERY + 1; node < end; node++) {
      if (!this.has(node) || (this.entry !== QUERY && levels[node]! <= this.maxLevel)) continue;
      this.entry = node;
      this.maxLevel = levels[node]!;
    }
  }

  /** Gives nodes that have lost a link another one: the nearest pairs first, then whoever can be found. */
  private reconnect(nodes: readonly number[], layer: number): void {
    const rows = this.rows(layer);
    const pairs: { a: number; b: number; distance: number }[] = [];
    for (const [i, a] of nodes.entries())
      for (const b of nodes.slice(i + 1))
        if (rows.indexOf(this.row(a, layer), b) < 0)
          pairs.push({ a, b, distance: this.vectors.distance(a, b) });
    pairs.sort((x, y) => x.distance - y.distance);
    const alone = new Set(nodes);
    for (const { a, b, distance } of pairs) {
      if (!alone.has(a) || !alone.has(b)) continue;
      this.link(a, b, layer, distance);
      alone.delete(a);
      alone.delete(b);
    }
    for (const node of alone) {
      const row = this.row(node, layer);
      const count = rows.count(row);
      if (this.size < 2) return;
      this.searchLayer(node, this.descend(node, layer), DEFAULT_EFFORT, layer, null, 0);
      this.connect(node, layer, count + 1, count > this.m >> 1 ? EAGER : FORCED);
    }
  }

  // ------------------------------------------------------------------ as a whole

  clone(): VectorGraph {
    const copy = new VectorGraph(this.vectors.dimension, this.quantization, this.m);
    copy.vectors.copy(this.vectors);
    copy.base = this.base.clone();
    copy.upper = this.upper.clone();
    copy.levels = this.levels.slice();
    copy.ids = this.ids.slice();
    copy.visited = new Int32Array(this.visited.length);
    copy.spare.push(...this.spare);
    copy.end = this.end;
    copy.size = this.size;
    copy.entry = this.entry;
    copy.maxLevel = this.maxLevel;
    copy.lastId = this.lastId;
    return copy;
  }

  /** Gives the vectors' memory back, and hands over the other buffers, to be released. */
  surrender(into: Uint8Array[]): void {
    this.vectors.dispose();
    this.base.surrender(into);
    this.upper.surrender(into);
  }
}
