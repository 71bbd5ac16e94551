/** Vector sets beside a map of names to vectors: elements, names in order, and a graph that is whole and leads somewhere. */
import { describe, expect, test } from "bun:test";
import { VectorGraph } from "../../../src/encodings/vector-graph.ts";
import { BIN, F32, INT8, QUERY, type Quantization } from "../../../src/encodings/vector-store.ts";
import { VectorSet } from "../../../src/types/vector-set.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

const SEEDS = { seed0: 1, seed1: 2 };

function newSet(dimension: number, quantization: Quantization, m = 16): VectorSet {
  return new VectorSet(SEEDS, new VectorGraph(dimension, quantization, m));
}

const integers = (random: Random) => () => random.below(2 ** 32);

function put(set: VectorSet, name: string, vector: Float32Array, random: Random, effort = 50): boolean {
  const bytes = bytesOf(name);
  return set.set(bytes, 0, bytes.length, vector.slice(), effort, integers(random));
}

function take(set: VectorSet, name: string): boolean {
  const bytes = bytesOf(name);
  return set.remove(bytes, 0, bytes.length);
}

function find(set: VectorSet, name: string): number {
  const bytes = bytesOf(name);
  return set.find(bytes, 0, bytes.length);
}

const text = (set: VectorSet) => Buffer.from(set.buf.subarray(set.start, set.end)).toString("latin1");

function nameOf(set: VectorSet, node: number): string {
  set.readName(node);
  return text(set);
}

function names(set: VectorSet): string[] {
  const all: string[] = [];
  set.inOrder(null, (node) => all.push(nameOf(set, node)) > 0);
  return all;
}

function aVector(random: Random, dimension: number): Float32Array {
  return Float32Array.from({ length: dimension }, () => random.below(2001) / 1000 - 1);
}

/** Every link has one back and knows the farthest; all that is on the lowest layer can be reached. */
function check(set: VectorSet): void {
  const { graph } = set;
  let entry = QUERY;
  let count = 0;
  for (let node = 1; node < graph.end; node++) {
    if (!graph.has(node)) continue;
    count++;
    if (entry === QUERY || graph.level(node) > graph.level(entry)) entry = node;
    for (let layer = 0; layer <= graph.level(node); layer++) {
      const { rows, row } = graph.links(node, layer);
      const links = Array.from({ length: rows.count(row) }, (_, i) => rows.link(row, i));
      expect(new Set(links).size).toBe(links.length);
      expect(links.length).toBeLessThanOrEqual(layer === 0 ? 2 * graph.m : graph.m);
      expect(links).not.toContain(node);
      for (const other of links) {
        expect(graph.has(other)).toBe(true);
        const back = graph.links(other, layer);
        expect(back.rows.indexOf(back.row, node)).toBeGreaterThanOrEqual(0);
      }
      const distances = links.map((other) => graph.vectors.distance(node, other));
      if (links.length > 0) {
        expect(rows.worstDistance(row)).toBe(Math.max(...distances));
        expect(distances[rows.worst(row)]).toBe(Math.max(...distances));
      }
    }
  }
  expect([graph.size, set.size, graph.maxLevel]).toEqual([
    count,
    count,
    count === 0 ? 0 : graph.level(entry),
  ]);
  // With one component there are two directions, and nothing leads from one to the other.
  if (count === 0 || set.dimension === 1) return;
  const reached = new Set([entry]);
  for (const node of reached) {
    const { rows, row } = graph.links(node, 0);
    for (let i = 0; i < rows.count(row); i++) reached.add(rows.link(row, i));
  }
  // A node may be cut off where many were removed, but hardly any is.
  expect(reached.size).toBeGreaterThanOrEqual(count * 0.98);
}

describe.each([
  ["f32", F32],
  ["int8", INT8],
  ["bin", BIN],
] as const)("a vector set of %s", (form, quantization) => {
  test("is a map from names to vectors, whatever is added, replaced and removed", () => {
    const random = seeded(`vector set ${form}`);
    for (const [dimension, m] of [
      [1, 4],
      [7, 4],
      [70, 16],
    ] as const) {
      const set = newSet(dimension, quantization, m);
      const model = new Map<string, { vector: Float32Array; attributes: string }>();
      for (let step = 0; step < 1500; step++) {
        const name = `${random.below(400)}`.padStart(random.below(20) === 0 ? 300 : 1, "x");
        const kind = random.below(step % 500 < 300 ? 10 : 14);
        if (kind < 5) {
          const vector = aVector(random, dimension);
          expect(put(set, name, vector, random)).toBe(!model.has(name));
          model.set(name, { vector, attributes: model.get(name)?.attributes ?? "" });
        } else if (kind < 8) {
          const node = find(set, name);
          expect(node !== QUERY).toBe(model.has(name));
          if (node === QUERY) continue;
          const attributes = random.pick(["", "{}", `{"n":${step}}`]);
          set.setAttributes(node, bytesOf(attributes), 0, attributes.length);
          model.get(name)!.attributes = attributes;
        } else expect(take(set, name)).toBe(model.delete(name));
      }
      check(set);
      const same = (other: VectorSet) => {
        expect(names(other)).toEqual(
          [...model.keys()].sort((a, b) => Buffer.compare(bytesOf(a), bytesOf(b))),
        );
        expect(other.attributed).toBe(
          [...model.values()].filter(({ attributes }) => attributes !== "").length,
        );
        for (const [name, { vector, attributes }] of model) {
          const node = find(other, name);
          expect(nameOf(other, node)).toBe(name);
          expect(other.readAttributes(node) ? text(other) : "").toBe(attributes);
          const kept = other.graph.vectors.read(node);
          const largest = Math.max(...vector.map(Math.abs));
          for (const [i, component] of vector.entries()) {
            if (quantization === BIN) expect(kept[i]!).toBe(component > 0 ? 1 : -1);
            else expect(kept[i]!).toBeCloseTo(component, quantization === F32 ? 5 : largest === 0 ? 5 : 1);
          }
        }
      };
      same(set);
      const copy = set.clone();
      check(copy);
      same(copy);
      for (const name of [...model.keys()]) {
        expect(take(set, name)).toBe(true);
        if (random.below(40) === 0) check(set);
      }
      expect([set.size, set.graph.maxLevel, names(set).length, set.attributed]).toEqual([0, 0, 0, 0]);
      expect(put(set, "again", aVector(random, dimension), random)).toBe(true);
      check(set);
      same(copy);
    }
  });

  test("finds most of the nearest", () => {
    const random = seeded(`nearest of ${form}`);
    const set = newSet(32, quantization);
    const centres = Array.from({ length: 30 }, () => aVector(random, 32));
    const near = () => {
      const centre = random.pick(centres);
      return centre.map((component) => component + (random.below(2001) / 1000 - 1) * 0.5);
    };
    for (let i = 0; i < 3000; i++) put(set, `e${i}`, near(), random, 100);
    for (let i = 0; i < 3000; i += 3) expect(take(set, `e${i}`)).toBe(true);
    for (let i = 0; i < 3000; i += 2) put(set, `e${i}`, near(), random, 100);
    check(set);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      set.ask(near());
      set.graph.scan(QUERY, 10, null);
      const farthest = set.graph.distances[9]!;
      expect(set.graph.distances).toEqual(set.graph.distances.toSorted((a, b) => a - b));
      set.graph.search(QUERY, 100);
      expect(set.graph.distances).toEqual(set.graph.distances.toSorted((a, b) => a - b));
      found += set.graph.distances.slice(0, 10).filter((distance) => distance <= farthest).length;
    }
    expect(found).toBeGreaterThan(950);
  });
});

test("a search with a filter finds what matches, and ends where it was told to", () => {
  const random = seeded("filtered");
  const set = newSet(8, F32);
  for (let i = 0; i < 2000; i++) put(set, `e${i}`, aVector(random, 8), random);
  const rare = (node: number) => nameOf(set, node).endsWith("77");
  set.ask(aVector(random, 8));
  set.graph.search(QUERY, 20, rare, 0);
  const found = set.graph.found.map((node) => nameOf(set, node));
  expect(found.length).toBe(20);
  set.graph.scan(QUERY, 20, rare);
  expect(found).toEqual(set.graph.found.map((node) => nameOf(set, node)));
  let looked = 0;
  set.graph.search(QUERY, 20, () => ++looked < 0, 50);
  expect(looked).toBeLessThan(50 * 33);
  expect(set.graph.found).toEqual([]);
});

test("distances: the same direction, a right angle, the opposite direction", () => {
  for (const quantization of [F32, INT8, BIN] as const) {
    const random = seeded("distances");
    const set = newSet(64, quantization);
    const vector = aVector(random, 64);
    put(set, "a", vector, random);
    put(
      set,
      "same",
      vector.map((component) => component * 7),
      random,
    );
    put(
      set,
      "opposite",
      vector.map((component) => -component * 0.1),
      random,
    );
    put(
      set,
      "right",
      vector.map((_, i) => (i % 2 === 0 ? vector[i + 1]! : -vector[i - 1]!)),
      random,
    );
    const from = (name: string) => set.graph.vectors.distance(find(set, "a"), find(set, name));
    expect(from("same")).toBeCloseTo(0, 1);
    expect(from("opposite")).toBeCloseTo(2, 1);
    if (quantization !== BIN) expect(from("right")).toBeCloseTo(1, 1);
    put(set, "zero", new Float32Array(64), random);
    if (quantization !== BIN) expect(from("zero")).toBe(1);
  }
});

test("a projection keeps what is near near", () => {
  const random = seeded("projection");
  const set = newSet(50, INT8);
  set.projectFrom(300);
  const vectors = Array.from({ length: 300 }, () => aVector(random, 300));
  for (const [i, vector] of vectors.entries()) put(set, `e${i}`, vector, random);
  let first = 0;
  for (const [i, vector] of vectors.entries()) {
    set.ask(vector.map((component) => component + (random.below(200) / 1000 - 0.1)));
    set.graph.search(QUERY, 50);
    if (nameOf(set, set.graph.found[0]!) === `e${i}`) first++;
  }
  expect(first).toBeGreaterThan(285);
});

test("random elements: all have the same chance, also where most were removed", () => {
  const random = seeded("random elements");
  const set = newSet(2, F32, 4);
  for (let i = 0; i < 3000; i++) put(set, `e${i}`, aVector(random, 2), random, 10);
  for (let i = 0; i < 2950; i++) take(set, `e${i}`);
  const counts = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const node = set.random(integers(random));
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  expect(counts.size).toBe(50);
  for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(120);
});

test("memory: of small sets, and of each element of large ones", () => {
  const random = seeded("vector memory");
  const small = newSet(3, INT8);
  put(small, "a", aVector(random, 3), random);
  expect(small.memoryUse).toBeLessThan(12_000);
  const large = newSet(64, INT8);
  for (let i = 0; i < 5000; i++) put(large, `element:${i}`, aVector(random, 64), random, 20);
  expect(large.memoryUse / 5000).toBeLessThan(400);
});
