/** Vector sets as Redis writes them, put together by hand: what is read, and what is refused. */
import { describe, expect, test } from "bun:test";
import { join, payload, string } from "./payloads.ts";
import { Bench } from "./support.ts";

/** "vectorset", version 0. */
const ID = Uint8Array.fromHex("81bde72da2bb1eb400");

function length(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(value < 64 ? 1 : value < 16384 ? 2 : value < 2 ** 32 ? 5 : 9);
  const view = new DataView(bytes.buffer);
  if (bytes.length === 1) bytes[0] = Number(value);
  else if (bytes.length === 2) view.setUint16(0, 0x4000 | Number(value));
  else {
    bytes[0] = bytes.length === 5 ? 0x80 : 0x81;
    if (bytes.length === 5) view.setUint32(1, Number(value));
    else view.setBigUint64(1, BigInt(value));
  }
  return bytes;
}

const number = (value: number | bigint) => join(2, length(value));
const text = (value: string | Uint8Array) => join(5, string(value));

function bits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

interface Element {
  name: string;
  id: number;
  vector: number[];
  /** By layer. */
  links: number[][];
  version?: number;
  most?: number;
  worst?: number;
  extra?: number[];
}

function element({
  name,
  id,
  vector,
  links,
  version = 1,
  most = 32,
  worst = 0,
  extra = [],
}: Element): Uint8Array {
  const numbers: (number | bigint)[] = [id, (links.length - 1) | (version << 24)];
  for (const layer of links) {
    numbers.push(layer.length, most, ...layer);
    if (version > 0) numbers.push((bits(0.5) << 32n) | BigInt(worst));
  }
  numbers.push((bits(1) << 32n) | bits(2), ...extra);
  return join(
    text(name),
    text(Uint8Array.from(vector, (value) => value & 255)),
    number(numbers.length),
    ...numbers.map(number),
  );
}

interface Given {
  dimension?: number;
  count?: number;
  form?: number;
  flags?: number;
  end?: Uint8Array;
}

/** Of int8, unless `form` says otherwise. */
function given(
  elements: Element[],
  { dimension = 2, count, form = 1 | (16 << 8), flags = 0, end }: Given = {},
) {
  const head = [dimension, count ?? elements.length, form, flags].map(number);
  return payload(join(7, ID, ...head, ...elements.map(element), end ?? 0));
}

const A: Element = { name: "a", id: 1, vector: [127, 0], links: [[2, 3]] };
const B: Element = { name: "b", id: 2, vector: [0, 127], links: [[1, 3]] };
const C: Element = { name: "c", id: 3, vector: [-127, 0], links: [[2, 1]] };

describe("a vector set's payload", () => {
  test("is read, with both versions of elements", () => {
    for (const version of [0, 1]) {
      const bench = new Bench();
      expect(bench.restore(given([A, B, C].map((each) => ({ ...each, version }))))).toBe("+OK\r\n");
      expect(bench.run("VCARD", "k")).toBe(":3\r\n");
      expect(
        bench
          .run("VSIM", "k", "VALUES", "2", "2", "1")
          .split("\r\n")
          .filter((line) => /^[abc]$/.test(line)),
      ).toEqual(["a", "b", "c"]);
      expect(bench.run("VEMB", "k", "c")).toBe("*2\r\n$2\r\n-2\r\n$1\r\n0\r\n");
      expect(bench.run("VADD", "k", "VALUES", "2", "1", "1", "d")).toBe(":1\r\n");
      expect(bench.run("VINFO", "k")).toContain("hnsw-max-node-uid\r\n:4\r\n");
      expect(bench.run("VREM", "k", "b")).toBe(":1\r\n");
    }
  });

  test("is written as it was read", () => {
    const bench = new Bench();
    const bytes = given([A, B, C]);
    bench.restore(bytes);
    const written = bench.dump("k");
    // But for the footer.
    const body = (whole: Uint8Array) => Buffer.from(whole).toString("hex", 0, whole.length - 10);
    expect(body(written)).toBe(body(bytes));
    expect(bench.run("DEL", "k")).toBe(":1\r\n");
    expect(bench.restore(written)).toBe("+OK\r\n");
    expect(Buffer.from(bench.dump("k")).equals(Buffer.from(written))).toBe(true);
  });

  test("nodes with more links than they may have here lose some, both ways", () => {
    const count = 40;
    const star: Element[] = Array.from({ length: count }, (_, i) => ({
      name: `e${i}`,
      id: i + 1,
      vector: [127, i],
      links: [i === 0 ? Array.from({ length: count - 1 }, (_, other) => other + 2) : [1]],
      most: 64,
      worst: i === 0 ? 38 : 0,
    }));
    const bench = new Bench();
    expect(bench.restore(given(star))).toBe("+OK\r\n");
    expect(bench.run("VLINKS", "k", "e0")).toStartWith("*1\r\n*32\r\n");
    expect(bench.run("VLINKS", "k", "e39")).toStartWith("*1\r\n*0\r\n");
    for (let i = 0; i < count; i++) expect(bench.run("VREM", "k", `e${i}`)).toBe(":1\r\n");
    expect(bench.run("EXISTS", "k")).toBe(":0\r\n");
  });

  test.each<[string, Uint8Array]>([
    ["no components", given([A, B, C], { dimension: 0 })],
    ["too many components", given([A, B, C], { dimension: 65537 })],
    ["no elements", given([])],
    ["more elements than there are bytes", given([A, B, C], { count: 2 ** 40 })],
    ["fewer elements than it says", given([A, B, C], { count: 4 })],
    ["more elements than it says", given([A, B, C], { count: 2 })],
    ["an unknown form", given([A, B, C], { form: 3 | (16 << 8) })],
    ["vectors of another form", given([A, B, C], { form: 0 | (16 << 8) })],
    ["too few links", given([A, B, C], { form: 1 | (3 << 8) })],
    ["a projection that is not there", given([A, B, C], { flags: 1 })],
    ["attributes that are not there", given([A, B, C], { flags: 2 })],
    ["a name that is there twice", given([A, { ...B, name: "a" }, C])],
    ["an ID that is there twice", given([A, { ...B, id: 1 }, C])],
    ["an ID of zero", given([A, B, { ...C, id: 0 }])],
    ["a version to come", given([A, B, { ...C, version: 2 }])],
    ["a link to nobody", given([A, B, { ...C, links: [[2, 4]] }])],
    ["a link to itself", given([A, B, { ...C, links: [[2, 3]] }])],
    ["a link that is there twice", given([A, B, { ...C, links: [[1, 1]] }])],
    ["a link that leads one way", given([A, B, { ...C, links: [[1]] }])],
    ["a link to a layer that the other does not have", given([A, B, { ...C, links: [[1, 2], [1]] }])],
    ["more links than the most", given([A, B, { ...C, most: 1 }])],
    ["a farthest link that is not there", given([A, B, { ...C, worst: 2 }])],
    ["too many numbers", given([A, B, { ...C, extra: [1] }])],
    ["another end", given([A, B, C], { end: Uint8Array.of(1) })],
  ])("with %s is refused", (_, bytes) => {
    const bench = new Bench();
    expect(bench.restore(bytes)).toBe("-ERR Bad data format\r\n");
    expect(bench.run("EXISTS", "k")).toBe(":0\r\n");
  });
});
