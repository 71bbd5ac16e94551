/**
 * From scripts to tests: each script runs once in RESP2 and once in RESP3 against a pair of servers that the
 * file's tests share. A script may name commands that it needs beyond its own family (to make values of other
 * types); where redbun does not have them yet, it is skipped and says so.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../../oracle.ts";
import { Pair } from "./pair.ts";
import { parseScript } from "./script.ts";

/** Scripts by name; `needs LPUSH: ...` at the beginning of a name asks for a command. */
export type Scripts = Record<string, string>;

const NEEDS = /^needs ([A-Z, ]+): /;

/** Call at the top level of a test file, once. */
export async function differential(family: string, scripts: Scripts, args: string[] = []): Promise<void> {
  const pair = findOracle() === null ? null : await Pair.start(args);
  const known = pair === null ? new Set<string>() : await commandsOf(pair);
  describeWithOracle(`differential ${family}`, () => {
    afterAll(async () => {
      await pair?.stop();
    });
    for (const [name, text] of Object.entries(scripts)) {
      const missing = (NEEDS.exec(name)?.[1] ?? "")
        .split(/[ ,]+/)
        .filter((command) => command !== "" && !known.has(command.toLowerCase()));
      const reason = missing.length > 0 ? ` [needs ${missing.join(", ")} in redbun]` : "";
      test.skipIf(missing.length > 0)(name.replace(NEEDS, "") + reason, async () => {
        const steps = parseScript(text);
        const problems = [...(await pair!.run(steps, 2)), ...(await pair!.run(steps, 3))];
        expect(problems.slice(0, 10).join("\n")).toBe("");
      });
    }
  });
}

async function commandsOf(pair: Pair): Promise<Set<string>> {
  const [reply] = await pair.subject.wire.send([["COMMAND", "LIST"]]);
  const words = reply!.toString("latin1").split("\r\n");
  return new Set(words.filter((word) => /^[a-z]/.test(word)));
}
