/**
 * Calls that a family's own generator draws: sent to both servers in pipelines, the replies compared in a normal form.
 * What lib/grammar.ts cannot make from COMMAND DOCS (scripts, rules of users, filters, values of directives) is drawn so.
 */
import type { Random } from "../../unit/bytes/random.ts";
import { describe, type Pair } from "./pair.ts";
import { type Arg, showCommand } from "./wire.ts";

export interface Call {
  args: readonly Arg[];
  /** What of the reply is determined; all of it if left out. */
  normal?: (reply: Buffer) => Buffer | string;
}

export interface Family {
  name: string;
  /** What stands there at the start of a round. */
  contents: (random: Random) => readonly (readonly Arg[])[];
  draw: (random: Random) => readonly Call[];
}

export const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 15);

/** The first call of a round that is answered differently, with what went before it; null if there is none. */
export async function roundOf(
  pair: Pair,
  family: Family,
  random: Random,
  resp: 2 | 3,
  count: number,
): Promise<string | null> {
  await pair.reset(resp);
  await pair.both(family.contents(random));
  const done: Call[] = [];
  for (let left = count; left > 0; left -= 25) {
    const batch = Array.from({ length: Math.min(25, left) }, () => family.draw(random)).flat();
    const replies = await pair.both(batch.map(({ args }) => args));
    for (const [i, { args, normal }] of batch.entries()) {
      const [expected, actual] = replies[i]!;
      if (expected.equals(actual)) continue;
      const [theirs, ours] = [expected, actual].map((reply) => Buffer.from(normal?.(reply) ?? reply));
      if (theirs!.equals(ours!)) continue;
      const before = [...done, ...batch.slice(0, i)].slice(-8);
      return `${describe(args, theirs!, ours!, resp)}\n${before.map((each) => `    before: ${showCommand(each.args)}`).join("\n")}`;
    }
    done.push(...batch);
  }
  return null;
}

/** Leaves a word out, adds, replaces or changes one, now and then. */
export function spoilt(random: Random, words: string[]): string[] {
  // Errors show a word up to its first NUL in Redis.
  if (random.below(5) > 0 || words.length < 3 || words.some((word) => word.includes("\0"))) return words;
  const i = 1 + random.below(words.length - 1);
  const changed = [...words];
  const how = random.below(4);
  if (how === 0) changed.splice(i, 1);
  else if (how === 1) changed.push(random.pick(["x", "1", words[i]!]));
  else if (how === 2) changed[i] = random.pick(["", "x", "-1", "LIST", "\xff"]);
  else changed[i] = changed[i]!.toLowerCase();
  return changed;
}
