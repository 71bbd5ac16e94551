import { MAX_LEVEL, VectorGraph } from "../encodings/vector-graph.ts";
import { BIN, F32, INT8, QUERY, type Quantization } from "../encodings/vector-store.ts";
import { TYPE_VECTOR_SET } from "../keyspace/record.ts";
import {
  DEFAULT_LINKS,
  LEAST_LINKS,
  MOST_COMPONENTS,
  MOST_FACTORS,
  MOST_LINKS,
  VectorSet,
  type VectorSetWatch,
} from "../types/vector-set.ts";
import { corrupt, MODULE_PART } from "./format.ts";
import { moduleId } from "./module.ts";
import type { Reading, ValueReader } from "./read-value.ts";
import { RdbWriter } from "./writer.ts";
import { BigValueWriting, byteLimit } from "./writing.ts";

/**
 * Vector sets (Redis 8.0), which for files are values of a module (module.ts) named "vectorset", of version 0. All numbers
 * are parts of their own:
 *
 *   VECTOR SET  components, elements, form | links << 8, flags;
 *               with PROJECTED: components that vectors come with, all factors (4 bytes each) as one string;
 *               elements, the end
 *
 *   element     name; with ATTRIBUTED: attributes, or an empty string; the vector's bytes;
 *               how many numbers follow; ID, level | version << 24;
 *               for each layer: links, most links, IDs, the farthest link | its distance (f32) << 32;
 *               the vector's length | range << 32 (f32 both)
 *
 * Version 0 of elements does not say which link is the farthest. Links go both ways.
 */
export const VECTOR_SET = "vectorset";
const PROJECTED = 1;
const ATTRIBUTED = 2;
const ELEMENT_VERSION = 1;

const floats = new Float32Array(2);
const words = new Uint32Array(floats.buffer);

// -------------------------------------------------------------------------------- writing

/** Elements that change before they are written are kept as they were. */
export class VectorSetWriting extends BigValueWriting implements VectorSetWatch {
  private readonly images = new Map<number, Uint8Array>();
  /** The next node to be written, and the number behind the last. */
  private node = QUERY + 1;
  private readonly end: number;
  /** Nodes with higher IDs were added since. */
  private readonly lastId: number;
  private readonly attributed: boolean;
  private readonly apart = new RdbWriter({ compress: false, checksum: false });

  constructor(
    out: RdbWriter,
    private readonly set: VectorSet,
    watched: boolean,
  ) {
    super(out, set, watched);
    const { graph, projection } = set;
    this.end = graph.end;
    this.lastId = graph.lastId;
    this.attributed = set.attributed > 0;
    const { low, high } = moduleId(VECTOR_SET, 0);
    out.length64(low, high);
    number(out, set.dimension);
    number(out, set.size);
    number(out, graph.quantization | (graph.m << 8));
    number(out, (projection === null ? 0 : PROJECTED) | (this.attributed ? ATTRIBUTED : 0));
    if (projection !== null) {
      number(out, set.inputDimension);
      plain(
        out,
        new Uint8Array(projection.buffer as ArrayBuffer, projection.byteOffset, projection.byteLength),
      );
    }
    if (watched) set.watch = this;
  }

  step(elements: number): boolean {
    const { out, set, images } = this;
    const most = byteLimit(out, elements);
    for (; this.node < this.end; this.node++) {
      if (elements <= 0 || out.bytes >= most) return false;
      const image = images.get(this.node);
      if (image !== undefined) {
        out.raw(image);
        images.delete(this.node);
      } else if (this.isOld(this.node)) writeElement(out, set, this.node, this.attributed);
      else continue;
      elements--;
    }
    out.length(MODULE_PART.EOF);
    return true;
  }

  beforeNode(node: number): void {
    if (node < this.node || node >= this.end || this.images.has(node) || !this.isOld(node)) return;
    this.apart.clear();
    writeElement(this.apart, this.set, node, this.attributed);
    this.images.set(node, this.apart.buf.slice(0, this.apart.pos));
  }

  private isOld(node: number): boolean {
    const { graph } = this.set;
    return graph.has(node) && graph.id(node) <= this.lastId;
  }
}

function writeElement(out: RdbWriter, set: VectorSet, node: number, attributed: boolean): void {
  const { graph } = set;
  const { vectors } = graph;
  set.readName(node);
  text(out, set.buf, set.start, set.end);
  if (attributed) {
    const has = set.readAttributes(node);
    text(out, set.buf, set.start, has ? set.end : set.start);
  }
  plain(out, vectors.bytes(node));
  const level = graph.level(node);
  let numbers = 3 + 3 * (level + 1);
  for (let layer = 0; layer <= level; layer++) {
    const { rows, row } = graph.links(node, layer);
    numbers += rows.count(row);
  }
  number(out, numbers);
  number(out, graph.id(node));
  number(out, level | (ELEMENT_VERSION << 24));
  for (let layer = 0; layer <= level; layer++) {
    const { rows, row } = graph.links(node, layer);
    const count = rows.count(row);
    number(out, count);
    number(out, rows.most);
    for (let i = 0; i < count; i++) number(out, graph.id(rows.link(row, i)));
    floats[1] = rows.worstDistance(row);
    number64(out, rows.worst(row), words[1]!);
  }
  floats[0] = vectors.lengths[node]!;
  floats[1] = vectors.ranges[node]!;
  number64(out, words[0]!, words[1]!);
}

function number(out: RdbWriter, value: number): void {
  out.length(MODULE_PART.UINT);
  out.length(value);
}

function number64(out: RdbWriter, low: number, high: number): void {
  out.length(MODULE_PART.UINT);
  out.length64(low, high);
}

function text(out: RdbWriter, buf: Uint8Array, start: number, end: number): void {
  out.length(MODULE_PART.STRING);
  out.string(buf, start, end);
}

/** Bytes that hardly get shorter by being compressed. */
function plain(out: RdbWriter, bytes: Uint8Array): void {
  out.length(MODULE_PART.STRING);
  out.length(bytes.length);
  out.raw(bytes);
}

// -------------------------------------------------------------------------------- reading

/** Links are IDs at first, of nodes some of which are still to come. */
interface Loaded {
  readonly node: number;
  readonly layers: readonly Layer[];
}

interface Layer {
  /** IDs, then nodes. */
  readonly links: Float64Array;
  /** The index of the farthest one, UNKNOWN if the file does not say, and its distance. */
  readonly worst: number;
  readonly worstDistance: number;
}

const UNKNOWN = -1;

export class VectorSetReading implements Reading {
  private readonly set: VectorSet;
  private readonly attributed: boolean;
  private left: number;
  private readonly loaded: Loaded[] = [];
  /** Nodes by their IDs. */
  private readonly nodes = new Map<number, number>();
  private linked = 0;
  /** Of each link both ends add the same number: 0 where all links go both ways. */
  private unanswered = 0;
  private readonly salt: number;
  /** Links from one node to another that are to go: the other one had no room for the link back. */
  private readonly surplus: { readonly from: number; readonly to: number; readonly layer: number }[] = [];

  constructor(private readonly to: ValueReader) {
    this.salt = to.context.random();
    const dimension = this.number();
    if (dimension === 0 || dimension > MOST_COMPONENTS) corrupt(`Invalid vector dimension ${dimension}`);
    // An element is at least its name, its vector and seven numbers.
    this.left = this.number();
    if (this.left === 0 || this.left * 20 > to.reader.left) corrupt(`Invalid number of vectors ${this.left}`);
    const form = this.number();
    const quantization = (form & 255) as Quantization;
    if (quantization !== F32 && quantization !== INT8 && quantization !== BIN)
      corrupt(`Unknown quantization ${quantization}`);
    const m = (form >>> 8) & 0xffff || DEFAULT_LINKS;
    if (m < LEAST_LINKS || m > MOST_LINKS) corrupt(`Invalid number of links ${m}`);
    const flags = this.number();
    this.attributed = (flags & ATTRIBUTED) !== 0;
    this.set = new VectorSet(to.context.seeds, new VectorGraph(dimension, quantization, m));
    if ((flags & PROJECTED) !== 0) this.readProjection();
  }

  private readProjection(): void {
    const { reader } = this.to;
    const input = this.number();
    const { dimension } = this.set;
    if (input < dimension || input > MOST_COMPONENTS || input * dimension > MOST_FACTORS)
      corrupt(`Invalid projection from ${input} to ${dimension} components`);
    this.string();
    if (reader.end - reader.start !== input * dimension * 4) corrupt("Mismatching projection matrix length");
    this.set.inputDimension = input;
    this.set.projection = new Float32Array(reader.data.slice(reader.start, reader.end).buffer);
  }

  step(elements: number): boolean {
    for (; this.left > 0 && elements > 0; this.left--, elements--) this.readElement();
    for (; this.left === 0 && this.linked < this.loaded.length && elements > 0; this.linked++, elements--)
      this.resolve(this.loaded[this.linked]!);
    if (this.left > 0 || this.linked < this.loaded.length) return false;
    if (this.unanswered !== 0) corrupt("Vector set links that lead one way only");
    if (this.to.reader.length() !== MODULE_PART.EOF) corrupt("Vector set without an end");
    for (const { from, to, layer } of this.surplus) this.set.graph.drop(from, to, layer);
    this.to.setObject(TYPE_VECTOR_SET, this.set);
    return true;
  }

  abandon(): void {
    this.set.dispose();
  }

  private number(): number {
    if (this.to.reader.length() !== MODULE_PART.UINT) corrupt("Vector set: not a number");
    return this.to.reader.length();
  }

  /** Into the reader's `low` and `high`. */
  private number64(): void {
    if (this.to.reader.length() !== MODULE_PART.UINT) corrupt("Vector set: not a number");
    this.to.reader.length64();
  }

  /** Into the reader's `data`. */
  private string(): void {
    if (this.to.reader.length() !== MODULE_PART.STRING) corrupt("Vector set: not a string");
    this.to.reader.string();
  }

  private readElement(): void {
    const { set } = this;
    const { graph } = set;
    const { reader } = this.to;
    this.string();
    const name = reader.data.slice(reader.start, reader.end);
    if (set.find(name, 0, name.length) !== QUERY) corrupt("Duplicate vector set element name");
    let attributes = NOTHING;
    if (this.attributed) {
      this.string();
      attributes = reader.data.slice(reader.start, reader.end);
    }
    this.string();
    if (reader.end - reader.start !== graph.vectors.bytesEach) corrupt("Mismatching vector dimension");
    const vector = reader.data.slice(reader.start, reader.end);
    let numbers = this.number();
    const next = (): number => {
      if (--numbers < 0) corrupt("Vector set node index loading error");
      return this.number();
    };
    const id = next();
    if (id === 0 || this.nodes.has(id)) corrupt("Vector set node index loading error");
    const head = next();
    const level = head & 255;
    const version = (head >>> 24) & 255;
    if (level > MAX_LEVEL || version > ELEMENT_VERSION) corrupt("Vector set node index loading error");
    const layers: Layer[] = [];
    for (let layer = 0; layer <= level; layer++) {
      const count = next();
      const most = next();
      if (count > most || most > 4 * MOST_LINKS || count * 2 > reader.left)
        corrupt("Vector set node index loading error");
      const links = new Float64Array(count);
      for (let i = 0; i < count; i++) links[i] = next();
      let worst = UNKNOWN;
      if (version > 0) {
        numbers--;
        this.number64();
        worst = reader.low >>> 0;
        words[1] = reader.high;
        if (count > 0 && worst >= count) corrupt("Vector set node index loading error");
      }
      layers.push({ links, worst, worstDistance: floats[1]! });
    }
    if (numbers !== 1) corrupt("Vector set node index loading error");
    this.number64();
    words[0] = reader.low;
    words[1] = reader.high;
    const node = graph.add(id, level);
    graph.vectors.setBytes(node, vector, 0);
    graph.vectors.lengths[node] = floats[0]!;
    graph.vectors.ranges[node] = floats[1]!;
    graph.adopt(node);
    set.entitle(node, name, 0, name.length);
    if (attributes.length > 0) set.setAttributes(node, attributes, 0, attributes.length);
    this.nodes.set(id, node);
    this.loaded.push({ node, layers });
  }

  /** Makes nodes of the IDs that a node is linked with. */
  private resolve({ node, layers }: Loaded): void {
    const { graph } = this.set;
    for (const [layer, { links, worst, worstDistance }] of layers.entries()) {
      const { rows, row } = graph.links(node, layer);
      const seen = new Set<number>();
      for (let i = 0; i < links.length; i++) {
        const other = this.nodes.get(links[i]!);
        if (other === undefined || other === node || seen.has(other) || graph.level(other) < layer)
          corrupt("Vector set link that leads nowhere");
        seen.add(other);
        links[i] = other;
        this.unanswered ^= this.mark(Math.min(node, other), Math.max(node, other), layer);
        // Redis lets some nodes have more links than others: here they cannot.
        if (i >= rows.most) this.surplus.push({ from: other, to: node, layer });
      }
      const known = worst !== UNKNOWN && worst < rows.most;
      rows.fill(row, links, known ? worst : 0, worstDistance);
      if (!known) graph.findWorst(node, layer);
    }
  }

  /** A number for a link that nobody can foresee. */
  private mark(a: number, b: number, layer: number): number {
    let hash = this.salt;
    for (const part of [a, b, layer]) {
      hash = Math.imul(hash ^ part, 0x85ebca6b);
      hash ^= hash >>> 13;
      hash = Math.imul(hash, 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
    return hash;
  }
}

const NOTHING = new Uint8Array(0);
