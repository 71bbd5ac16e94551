import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileReceiver } from "../../../src/replication/receiver.ts";

const directory = mkdtempSync(join(tmpdir(), "redbun-receiver-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const MARK = "0123456789abcdef0123456789abcdef01234567";
let count = 0;
const fresh = () => new FileReceiver(join(directory, String(count++)));
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** Feeds the text cut at these places; gives what of the last piece belonged to the snapshot, or -1. */
function feed(receiver: FileReceiver, text: string, cuts: readonly number[]): number {
  let at = 0;
  let taken = -1;
  for (const cut of [...cuts, text.length]) {
    taken = receiver.take(bytes(text.slice(at, cut)));
    if (taken >= 0) return taken + at;
    at = cut;
  }
  return taken;
}

test("a snapshot with a length is taken whole and not a byte more, wherever the wire is cut", () => {
  const text = "\n\n$11\r\nREDIS\r\n0011*1\r\n";
  for (let cut = 0; cut < text.length; cut++) {
    const receiver = fresh();
    const end = feed(receiver, text, [cut]);
    expect(text.slice(end)).toBe("*1\r\n");
    expect([receiver.total, receiver.received]).toEqual([11, 11]);
    const target = join(directory, "whole");
    receiver.finish(target);
    expect(readFileSync(target, "latin1")).toBe("REDIS\r\n0011");
  }
});

test("a snapshot without a length ends with its mark, wherever the wire is cut", () => {
  const body = `REDIS0011${MARK.slice(0, 39)}x${MARK.slice(0, 20)}`;
  const text = `\n$EOF:${MARK}\r\n${body}${MARK}`;
  for (let cut = 0; cut < text.length; cut++)
    for (const second of [Math.min(cut + 1, text.length), Math.floor((cut + text.length) / 2)]) {
      const receiver = fresh();
      expect(feed(receiver, text, [cut, second])).toBe(text.length);
      expect(receiver.received).toBe(body.length);
      const target = join(directory, "marked");
      receiver.finish(target);
      expect(readFileSync(target, "latin1").slice(0, body.length)).toBe(body);
    }
});

test("what is no snapshot is refused", () => {
  expect(() => fresh().take(bytes("-ERR no\r\n"))).toThrow(
    "MASTER aborted replication with an error: ERR no",
  );
  expect(() => fresh().take(bytes("+OK\r\n"))).toThrow("the first byte is not '$'");
  expect(() => fresh().take(bytes("$many\r\n"))).toThrow("no length");
  expect(() => fresh().take(bytes("x".repeat(2000)))).toThrow("too long a line");
});

test("a receiver that is not needed leaves no file", () => {
  const receiver = fresh();
  receiver.take(bytes("$100\r\nabc"));
  expect(existsSync(receiver.path)).toBe(true);
  receiver.discard();
  receiver.discard();
  expect(existsSync(receiver.path)).toBe(false);
});
