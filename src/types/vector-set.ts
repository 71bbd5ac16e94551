import { NameOrder } from "../encodings/name-order.ts";
import { Cells } from "../encodings/sorted-set-cells.ts";
import { Members } from "../encodings/sorted-set-members.ts";
import type { VectorGraph } from "../encodings/vector-graph.ts";
import { BIN, F32, grown, INT8, QUERY, type Quantization } from "../encodings/vector-store.ts";
import { releaseInSteps } from "../memory/arena.ts";
import type { BigValue, ValueWatch } from "../memory/objects.ts";
import type { HashSeeds } from "./home.ts";

/**
 * The vector set type (Redis 8.0): elements, each with a vector and perhaps with attributes, a JSON text.
 *
 *   graph        the vectors, found by what they are near to    encodings/vector-graph.ts
 *   names        elements by their names, and in the order of their names; each knows its node
 *   attributes   of nodes that have some
 *   projection   where vectors come with more components than are kept: a row of factors for each that is
 *
 * The vectors of a set have the same number of components, the same form and as many links.
 */
export const DEFAULT_LINKS = 16;
export const LEAST_LINKS = 4;
export const MOST_LINKS = 4096;
export const MOST_COMPONENTS = 65536;
/** Factors of a projection, at most: 1 GiB. */
export const MOST_FACTORS = 2 ** 28;
const SET_BYTES = 600;
const NONE = 0;

export const QUANTIZATION_NAMES: Record<Quantization, string> = {
  [F32]: "f32",
  [INT8]: "int8",
  [BIN]: "bin",
};

/** Is told before an element, its vector, attributes or links, changes or goes. */
export interface VectorSetWatch extends ValueWatch {
  beforeNode(node: number): void;
}

let sets = 0;

export class VectorSet implements BigValue {
  /** Tells it from all others that this process has had. */
  readonly uid = sets++;
  private names = new Cells();
  private byName: Members;
  private order: NameOrder;
  /** Of each node: the cells with its name and its attributes, NONE if it has none. */
  private nameOf = new Uint32Array(4);
  private attributesOf = new Uint32Array(4);
  private texts = new Cells();
  /** Elements with attributes. */
  attributed = 0;
  /** Factors, row by row; null: vectors are kept as they come. */
  projection: Float32Array | null = null;
  /** Components that vectors come with where they are projected; else 0. */
  inputDimension = 0;
  private watcher: VectorSetWatch | null = null;
  /** The name or the text that was read last. */
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  constructor(
    private readonly seeds: HashSeeds,
    readonly graph: VectorGraph,
  ) {
    this.byName = new Members(seeds.seed0, seeds.seed1);
    this.order = new NameOrder(this.names);
  }

  get size(): number {
    return this.graph.size;
  }

  get dimension(): number {
    return this.graph.vectors.dimension;
  }

  get memoryUse(): number {
    const { graph, names, byName, order, texts, nameOf, attributesOf, projection } = this;
    const cells = names.heldBytes + texts.heldBytes + nameOf.byteLength + attributesOf.byteLength;
    return (
      SET_BYTES + graph.memoryUse + byName.heldBytes + order.memoryUse + cells + (projection?.byteLength ?? 0)
    );
  }

  get watch(): VectorSetWatch | null {
    return this.watcher;
  }

  set watch(watch: VectorSetWatch | null) {
    this.watcher = watch;
    this.graph.changing = watch === null ? null : (node) => watch.beforeNode(node);
  }

  // ------------------------------------------------------------------ elements

  /** The node of an element; QUERY: there is none. */
  find(buf: Uint8Array, start: number, end: number): number {
    const cell = this.byName.find(this.names, this.byName.hash(buf, start, end), buf, start, end);
    return cell === 0 ? QUERY : this.names.score(cell);
  }

  /** Points `buf`, `start` and `end` at a node's name. */
  readName(node: number): void {
    this.open(this.names, this.nameOf[node]!);
  }

  /** Points `buf`, `start` and `end` at a node's attributes; false where it has none. */
  readAttributes(node: number): boolean {
    const cell = this.attributesOf[node]!;
    if (cell === NONE) return false;
    this.open(this.texts, cell);
    return true;
  }

  private open(cells: Cells, cell: number): void {
    cells.open(cell);
    this.buf = cells.buf;
    this.start = cells.start;
    this.end = cells.end;
  }

  /**
   * Sets the vector of an element, which is the vector's to keep; whether there was none. `random` gives 32-bit integers.
   */
  set(
    name: Uint8Array,
    start: number,
    end: number,
    vector: Float32Array,
    effort: number,
    random: () => number,
  ): boolean {
    const before = this.find(name, start, end);
    const kept = this.projection === null ? vector : this.project(vector, this.projection);
    if (before === QUERY) {
      this.entitle(this.graph.insert(kept, effort, random), name, start, end);
      return true;
    }
    const cell = this.nameOf[before]!;
    const attributes = this.attributesOf[before]!;
    this.graph.remove(before);
    this.nameOf[before] = this.attributesOf[before] = NONE;
    const node = this.graph.insert(kept, effort, random);
    this.reserve(node);
    this.nameOf[node] = cell;
    this.attributesOf[node] = attributes;
    this.names.setScore(cell, node);
    return false;
  }

  /** Gives a new node its name. */
  entitle(node: number, name: Uint8Array, start: number, end: number): void {
    this.reserve(node);
    const cell = this.names.add(node, name, start, end);
    this.nameOf[node] = cell;
    this.attributesOf[node] = NONE;
    this.byName.insert(this.byName.hash(name, start, end), cell);
    this.order.insert(cell, name, start, end);
  }

  private reserve(node: number): void {
    if (node < this.nameOf.length) return;
    this.nameOf = grown(this.nameOf, node);
    this.attributesOf = grown(this.attributesOf, node);
  }

  /** Removes an element; whether it was there. */
  remove(name: Uint8Array, start: number, end: number): boolean {
    const node = this.find(name, start, end);
    if (node === QUERY) return false;
    this.graph.remove(node);
    this.setAttributes(node, name, 0, 0);
    const cell = this.nameOf[node]!;
    this.byName.remove(this.byName.hash(name, start, end), cell);
    this.order.remove(name, start, end);
    this.names.free(cell);
    this.nameOf[node] = NONE;
    return true;
  }

  /** Sets a node's attributes; none if they are empty. */
  setAttributes(node: number, text: Uint8Array, start: number, end: number): void {
    this.watcher?.beforeNode(node);
    const before = this.attributesOf[node]!;
    if (before !== NONE) {
      this.texts.free(before);
      this.attributed--;
    }
    this.attributesOf[node] = end > start ? this.texts.add(0, text, start, end) : NONE;
    if (end > start) this.attributed++;
  }

  // ------------------------------------------------------------------ vectors

  /** Makes vectors of so many components ones of as many as are kept. */
  projectFrom(inputDimension: number): void {
    this.inputDimension = inputDimension;
    this.projection = hadamard(inputDimension, this.dimension);
  }

  private project(vector: Float32Array, projection: Float32Array): Float32Array {
    const { fround } = Math;
    return Float32Array.from({ length: this.dimension }, (_, row) => {
      let sum = 0;
      const first = row * vector.length;
      for (let i = 0; i < vector.length; i++) sum = fround(sum + fround(projection[first + i]! * vector[i]!));
      return sum;
    });
  }

  /** Makes this vector what is searched for; it has as many components as are kept, or as vectors come with. */
  ask(vector: Float32Array): void {
    const { projection } = this;
    const whole = projection === null || vector.length === this.dimension;
    this.graph.vectors.set(QUERY, whole ? vector : this.project(vector, projection));
  }

  // ------------------------------------------------------------------ names

  /**
   * Visits the elements from the first whose name is not below `from` (null: from the first of all), in the order of their
   * names, until `visit` says false.
   */
  inOrder(from: Uint8Array | null, visit: (node: number) => boolean): void {
    const { order, names } = this;
    if (from === null) order.seekFirst();
    else order.seek(from, 0, from.length);
    for (let cell = order.next(); cell !== 0; cell = order.next()) if (!visit(names.score(cell))) return;
  }

  /** A random node; there must be one. `random` gives 32-bit integers. */
  random(random: () => number): number {
    return this.names.score(this.order.random(random));
  }

  // ------------------------------------------------------------------ as a whole

  clone(): VectorSet {
    const copy = new VectorSet(this.seeds, this.graph.clone());
    copy.names = this.names.clone();
    copy.byName = this.byName.clone();
    copy.order = this.order.clone(copy.names);
    copy.nameOf = this.nameOf.slice();
    copy.attributesOf = this.attributesOf.slice();
    copy.texts = this.texts.clone();
    copy.attributed = this.attributed;
    copy.projection = this.projection?.slice() ?? null;
    copy.inputDimension = this.inputDimension;
    return copy;
  }

  dispose(): void {
    const buffers: Uint8Array[] = [];
    this.graph.surrender(buffers);
    this.names.surrender(buffers);
    this.texts.surrender(buffers);
    this.byName.surrender(buffers);
    releaseInSteps(buffers);
  }
}

/**
 * Factors that mix all components into each of fewer ones: 1 or -1, as the row's and the column's number have an even or
 * an odd number of bits in common, by the square root of the columns.
 */
function hadamard(columns: number, rows: number): Float32Array {
  const factor = Math.fround(1 / Math.sqrt(columns));
  const factors = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let common = row & column;
      common ^= common >>> 8;
      common ^= common >>> 4;
      common ^= common >>> 2;
      common ^= common >>> 1;
      factors[row * columns + column] = (common & 1) === 0 ? factor : -factor;
    }
  }
  return factors;
}
