import { describe, expect, test } from "bun:test";
import { lzfCompress, lzfDecompress } from "../../../src/bytes/lzf.ts";
import { bytesOf, type Random, seeded } from "./random.ts";

function sample(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(random.below(random.below(10) === 0 ? 30000 : 300));
  const kind = random.below(4);
  for (let i = 0; i < bytes.length; i++) {
    if (kind === 1) bytes[i] = bytes[i]! & 3;
    if (kind === 2) bytes[i] = 0;
    if (kind === 3 && i > 20 && bytes[i]! > 20) bytes[i] = bytes[i - 1 - (bytes[i]! % 20)]!;
  }
  return bytes;
}

describe("lzf", () => {
  test("reads what Redis 7.2.6 wrote", () => {
    // The compressed string of a DUMP: 31 bytes for 400.
    const packed = Uint8Array.fromHex(
      "1474686520717569636b2062726f776e20666f782074e0ff13e168170178200b005969dee35b881453",
    ).slice(0, 31);
    const out = new Uint8Array(400);
    expect(lzfDecompress(packed, 0, packed.length, out, 0, 400)).toBe(400);
    expect(out).toEqual(bytesOf("the quick brown fox ".repeat(20)));
  });

  test("round trip, at any offset, without touching anything else", () => {
    const random = seeded("lzf");
    for (let i = 0; i < 1500; i++) {
      const bytes = sample(random);
      const from = random.below(4);
      const source = new Uint8Array(bytes.length + from + 3).fill(7);
      source.set(bytes, from);
      const room = bytes.length + (bytes.length >> 4) + 4;
      const packed = new Uint8Array(room + 4).fill(0xee);
      const size = lzfCompress(source, from, from + bytes.length, packed, 2, 2 + room);
      expect(size > 0).toBe(bytes.length > 0);
      expect([packed[0], packed[1], ...packed.subarray(2 + room)]).toEqual([0xee, 0xee, 0xee, 0xee]);
      const back = new Uint8Array(bytes.length + 2).fill(0xee);
      expect(lzfDecompress(packed, 2, 2 + size, back, 1, 1 + bytes.length)).toBe(bytes.length);
      expect(back.subarray(1, 1 + bytes.length)).toEqual(bytes);
      expect([back[0], back[back.length - 1]]).toEqual([0xee, 0xee]);
    }
  });

  test("the same input gives the same bytes, whatever came before", () => {
    const random = seeded("lzf again");
    const bytes = random.bytes(2000, "abcd");
    const first = new Uint8Array(2000);
    const size = lzfCompress(bytes, 0, 2000, first, 0, 2000);
    for (let i = 0; i < 50; i++) lzfCompress(sample(random), 0, 100, new Uint8Array(200), 0, 200);
    const second = new Uint8Array(2000);
    expect(lzfCompress(bytes, 0, 2000, second, 0, 2000)).toBe(size);
    expect(second).toEqual(first);
  });

  test("says 0 if the output does not fit", () => {
    const random = seeded("lzf room");
    for (let i = 0; i < 500; i++) {
      const bytes = sample(random);
      const room = random.below(bytes.length + 10);
      const packed = new Uint8Array(room + 4).fill(0xee);
      const size = lzfCompress(bytes, 0, bytes.length, packed, 0, room);
      expect(size).toBeLessThanOrEqual(room);
      expect([...packed.subarray(room)]).toEqual([0xee, 0xee, 0xee, 0xee]);
    }
    const noise = random.bytes(1000);
    expect(lzfCompress(noise, 0, 1000, new Uint8Array(996), 0, 996)).toBe(0);
  });

  test("corrupt input is refused, or decoded within the output", () => {
    const random = seeded("lzf corrupt");
    for (let i = 0; i < 3000; i++) {
      const bytes = sample(random);
      const packed = new Uint8Array(bytes.length * 2 + 64);
      const size = lzfCompress(bytes, 0, bytes.length, packed, 0, packed.length);
      if (size === 0) continue;
      for (let n = 0; n < 3; n++) packed[random.below(size)] = random.below(256);
      const out = new Uint8Array(bytes.length + 4).fill(0xee);
      const cut = random.below(3) === 0 ? random.below(size) : size;
      const length = lzfDecompress(packed, 0, cut, out, 2, 2 + bytes.length);
      expect(length).toBeGreaterThanOrEqual(-1);
      expect(length).toBeLessThanOrEqual(bytes.length);
      expect([out[0], out[1], out[out.length - 2], out[out.length - 1]]).toEqual([0xee, 0xee, 0xee, 0xee]);
    }
    const out = new Uint8Array(64);
    expect(lzfDecompress(Uint8Array.of(0x1f), 0, 1, out, 0, 64)).toBe(-1);
    expect(lzfDecompress(Uint8Array.of(0x00, 0x41, 0x20), 0, 3, out, 0, 64)).toBe(-1);
    expect(lzfDecompress(Uint8Array.of(0x00, 0x41, 0xe0, 0x01), 0, 4, out, 0, 64)).toBe(-1);
    expect(lzfDecompress(Uint8Array.of(0x00, 0x41, 0x20, 0x01), 0, 4, out, 0, 64)).toBe(-1);
    expect(lzfDecompress(Uint8Array.of(0x00, 0x41, 0x20, 0x00), 0, 4, out, 0, 3)).toBe(-1);
    expect(lzfDecompress(Uint8Array.of(0x00, 0x41, 0x20, 0x00), 0, 4, out, 0, 4)).toBe(4);
  });
});
