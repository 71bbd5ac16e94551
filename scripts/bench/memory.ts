/**
 * Resident bytes per key: the growth of VmRSS over many keys of one form, in a fresh server each.
 */
import { type Contestant, inTurn, type Report } from "./contestants.ts";
import { type Encode, loadEncoded, Template } from "./loader.ts";
import type { Options } from "./options.ts";
import { residentBytes } from "./process.ts";

const KEY = "key:############";
/** Time for a server to finish what it put off: freeing, rehashing, collecting. */
const SETTLE_MS = 2000;
const WARM_ROUNDS = 5;

const plain = new Template(["SET", KEY, `value:${"#".repeat(26)}`]);
const expiring = new Template(["SET", KEY, `value:${"#".repeat(26)}`, "EX", "######"]);
/** 5 to 10 digits: at 10,000 and above Redis shares no integers. */
const integers = [5, 6, 7, 8, 9, 10].map((digits) => new Template(["SET", KEY, "#".repeat(digits)]));

const FORMS: { name: string; encode: Encode }[] = [
  { name: "16-byte key, 32-byte value", encode: (i, buffer, at) => plain.encode(buffer, at, [i, i]) },
  {
    name: "the same with expiry",
    encode: (i, buffer, at) => expiring.encode(buffer, at, [i, i, 100_000 + (i % 800_000)]),
  },
  {
    name: "16-byte key, integer value",
    encode(i, buffer, at) {
      const smallest = 10 ** (4 + (i % 6));
      return integers[i % 6]!.encode(buffer, at, [i, smallest + ((i * 7_919_317) % (9 * smallest))]);
    },
  },
];

/** What is to be loaded and counted. */
interface Load {
  items: number;
  commands: number;
  encode: Encode;
  /** Of each reply, see `loadEncoded`. */
  lines?: number;
  /** Load and drop so many of the commands first, several times: what a server needs to be at work is no data. */
  warmUp?: number;
  /** The command that gives the number of items afterwards. */
  stored: string[];
}

/** By how much resident memory grows with each item, on both sides. */
export function bytesEach(options: Options, { items, commands, encode, lines, warmUp = 0, stored }: Load) {
  return inTurn(options, [], async ({ port, process, wire }: Contestant) => {
    for (let round = 0; round < WARM_ROUNDS && warmUp > 0; round++) {
      await loadEncoded(port, warmUp, encode, lines);
      await wire.command("FLUSHALL");
    }
    if (warmUp > 0) await Bun.sleep(SETTLE_MS);
    const before = residentBytes(process.pid);
    await loadEncoded(port, commands, encode, lines);
    await Bun.sleep(SETTLE_MS);
    const after = residentBytes(process.pid);
    const count = await wire.command(...stored);
    if (count !== items) throw new Error(`${stored.join(" ")} is ${count} after ${items} items`);
    return { before, after, each: (after - before) / items };
  });
}

export async function memory(options: Options, report: Report): Promise<void> {
  const keys = options.memoryKeys;
  for (const { name, encode } of FORMS) {
    const results = await bytesEach(options, { items: keys, commands: keys, encode, stored: ["DBSIZE"] });
    report({
      section: "memory",
      name,
      unit: "bytes/key",
      redis: results.redis.each,
      redbun: results.redbun.each,
      goal: { kind: "ratio", atMost: 0.8 },
      details: { keys, results },
    });
  }
}
