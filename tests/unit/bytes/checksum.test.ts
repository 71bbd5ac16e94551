import { describe, expect, test } from "bun:test";
import { crc16, keySlot } from "../../../src/bytes/crc16.ts";
import { Crc64, crc64 } from "../../../src/bytes/crc64.ts";
import { bytesOf, seeded } from "./random.ts";

const CHECK = bytesOf("123456789");

function slot(key: string): number {
  return keySlot(bytesOf(key), 0, key.length);
}

/** Bit by bit, reflected. */
function slowCrc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

describe("crc16", () => {
  test("known value", () => {
    expect(crc16(CHECK, 0, 9)).toBe(0x31c3);
  });

  test("key slots and hash tags", () => {
    // CLUSTER KEYSLOT of Redis.
    expect(slot("foo")).toBe(12182);
    expect(slot("bar")).toBe(5061);
    expect(slot("")).toBe(0);
    expect(slot("{user1000}.following")).toBe(slot("user1000"));
    expect(slot("{user1000}.following")).toBe(3443);
    expect(slot("foo{}{bar}")).toBe(crc16(bytesOf("foo{}{bar}"), 0, 10) & 16383);
    expect(slot("foo{{bar}}zap")).toBe(slot("{bar"));
    expect(slot("foo{bar}{zap}")).toBe(slot("bar"));
    expect(slot("foo{bar")).toBe(crc16(bytesOf("foo{bar"), 0, 7) & 16383);
  });

  test("stays within its offsets", () => {
    expect(keySlot(bytesOf("{x{bar}x}"), 2, 7)).toBe(slot("bar"));
    expect(keySlot(bytesOf("foo}"), 0, 3)).toBe(12182);
  });
});

describe("crc64", () => {
  test("known values", () => {
    expect(crc64(CHECK, 0, 9)).toBe(0xe9c6d914c4b8d9can);
    expect(crc64(CHECK, 0, 0)).toBe(0n);
  });

  test("is the footer of a DUMP of Redis 7.2.6", () => {
    const dump = Uint8Array.fromHex(
      "00c31f41901474686520717569636b2062726f776e20666f782074e0ff13e168170178200b005969dee35b881453",
    );
    const crc = new Crc64().update(dump, 0, dump.length - 8);
    expect(crc.equalsAt(dump, dump.length - 8)).toBe(true);
    expect(crc.equalsAt(dump, dump.length - 9)).toBe(false);
    const footer = new Uint8Array(9);
    expect(crc.writeTo(footer, 1)).toBe(9);
    expect(footer.subarray(1)).toEqual(dump.slice(-8));
  });

  test("any pieces give the bit by bit sum", () => {
    const random = seeded("crc64");
    for (let i = 0; i < 300; i++) {
      const bytes = random.bytes(random.below(100));
      const crc = new Crc64();
      for (let at = 0; at < bytes.length; ) {
        const next = Math.min(bytes.length, at + random.below(20));
        crc.update(bytes, at, next);
        at = next;
      }
      expect(crc.toBigInt()).toBe(slowCrc64(bytes));
      expect(crc64(bytes, 0, bytes.length)).toBe(slowCrc64(bytes));
      crc.reset();
      expect(crc.toBigInt()).toBe(0n);
    }
  });
});
