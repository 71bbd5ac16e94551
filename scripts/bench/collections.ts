/**
 * Resident bytes of collections: many small ones, of which each is a key, and one big one of each type, of which
 * each element is an item. Redis keeps a small one in one block, so what counts there is what it spends around
 * it; a big one shows what an element costs beside its own bytes.
 */
import type { Report } from "./contestants.ts";
import { type Encode, Template } from "./loader.ts";
import { bytesEach } from "./memory.ts";
import type { Options } from "./options.ts";

interface Form {
  name: string;
  encode: Encode;
  /** Of each reply. */
  lines: number;
  /** At most this much of Redis's bytes. */
  atMost: number;
  /** Gives the number of items that are stored. */
  stored: string[];
}

const KEY = "key:############";
const VALUE = "value:##########";
const ENTRIES = 3;
/**
 * Commands before the measurement. What redbun's compiled code and heap take, about 10 MB whatever the data, would
 * be 10 bytes for each of a million elements.
 */
const WARM_UP = 20_000;

function small(name: string, words: string[]): Form {
  const template = new Template(words);
  const numbers = new Array<number>(words.length).fill(0);
  const encode: Encode = (i, buffer, at) => template.encode(buffer, at, numbers.fill(i));
  return { name, encode, lines: 1, atMost: 0.8, stored: ["DBSIZE"] };
}

function numbered(count: number, words: (n: number) => string[]): string[] {
  return Array.from({ length: count }, (_, n) => words(n + 1)).flat();
}

const SMALL: Form[] = [
  small("hash of 5 fields", ["HSET", KEY, ...numbered(5, (n) => [`field${n}`, VALUE])]),
  small("list of 3 elements", ["RPUSH", KEY, ...numbered(3, () => [VALUE])]),
  small("set of 1 member", ["SADD", KEY, VALUE]),
  small("sorted set of 5 members", ["ZADD", KEY, ...numbered(5, (n) => [String(n * 100), `${n}${VALUE}`])]),
];

const SMALL_STREAM = stream();

/** Three entries by three commands, with IDs that come in order. */
function stream(): Form {
  const templates = numbered(ENTRIES, (n) => [String(n)]).map(
    (n) => new Template(["XADD", KEY, `170000000000${n}-1`, "field", VALUE]),
  );
  const encode: Encode = (i, buffer, at) => {
    const key = Math.floor(i / ENTRIES);
    return templates[i % ENTRIES]!.encode(buffer, at, [key, key]);
  };
  return { name: `stream of ${ENTRIES} entries`, encode, lines: 2, atMost: 0.8, stored: ["DBSIZE"] };
}

function big(name: string, atMost: number, length: string, words: string[]): Form {
  const template = new Template(words);
  const encode: Encode = (i, buffer, at) => template.encode(buffer, at, [scattered(i), i]);
  return { name, encode, lines: words[0] === "XADD" ? 2 : 1, atMost, stored: [length, words[1]!] };
}

/** A score of 8 digits, so that a sorted set grows in all places and not at its end. */
function scattered(i: number): number {
  return Math.imul(i, 0x9e3779b1) >>> 6;
}

const BIG: Form[] = [
  big("hash", 0.9, "HLEN", ["HSET", "big", "########field", VALUE]),
  big("set", 0.9, "SCARD", ["SADD", "big", `########${VALUE}`]),
  big("sorted set", 0.9, "ZCARD", ["ZADD", "big", "########", VALUE]),
  big("list", 1.05, "LLEN", ["RPUSH", "big", `########${VALUE}`]),
  big("stream", 1.05, "XLEN", ["XADD", "big", "*", "field", `########${VALUE}`]),
];

export async function collections(options: Options, report: Report): Promise<void> {
  const keys = Math.ceil(options.collectionItems / 2);
  // Of three entries Redis makes 4.4 KB: fewer do.
  const streams = Math.ceil(options.collectionItems / 10);
  for (const form of SMALL) await one(options, report, form, keys, keys, "bytes/key");
  await one(options, report, SMALL_STREAM, streams, streams * ENTRIES, "bytes/key");
  for (const form of BIG) {
    const items = options.collectionItems;
    await one(options, report, { ...form, name: `${form.name} of ${items}` }, items, items, "bytes/item");
  }
}

async function one(
  options: Options,
  report: Report,
  { name, encode, lines, atMost, stored }: Form,
  items: number,
  commands: number,
  unit: string,
): Promise<void> {
  const results = await bytesEach(options, { items, commands, encode, lines, warmUp: WARM_UP, stored });
  report({
    section: "collections",
    name,
    unit,
    redis: results.redis.each,
    redbun: results.redbun.each,
    goal: { kind: "ratio", atMost },
    details: { items, results },
  });
}
