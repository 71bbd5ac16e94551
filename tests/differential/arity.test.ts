/**
 * Each command that redbun has, with one argument too few and one too many by the oracle's own table: both must
 * refuse with the same sentence. What the oracle does not know is left out.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { differenceOf } from "./lib/differences.ts";
import { describe as describeReply, oracleIsOlder, Pair } from "./lib/pair.ts";
import { elements } from "./lib/wire.ts";

const pair = findOracle() === null ? null : await Pair.start();

/** Full names ("client|id") of redbun's commands and the arity the oracle gives them. */
async function arities({ oracle, subject }: Pair): Promise<Map<string, number>> {
  const [list] = await subject.wire.send([["COMMAND", "LIST"]]);
  const names = elements(list!).map((reply) => bulkText(reply));
  const [info] = await oracle.wire.send([["COMMAND", "INFO", ...names]]);
  const found = new Map<string, number>();
  for (const reply of elements(info!)) addArity(reply, found);
  return found;
}

/** An entry of COMMAND INFO: name, arity, ..., subcommands (the tenth field). */
function addArity(entry: Buffer, into: Map<string, number>): void {
  const fields = elements(entry);
  if (fields.length < 10) return;
  const subcommands = elements(fields[9]!);
  into.set(bulkText(fields[0]!), Number(fields[1]!.toString("latin1", 1)));
  for (const subcommand of subcommands) addArity(subcommand, into);
}

function bulkText(reply: Buffer): string {
  return reply.toString("latin1").split("\r\n")[1] ?? "";
}

function wrongCalls(name: string, arity: number): string[][] {
  const words = name.split("|");
  const calls: string[][] = [];
  const call = (argc: number) => {
    if (argc >= words.length) calls.push([...words, ...Array(argc - words.length).fill("x")]);
  };
  call(Math.abs(arity) - 1);
  if (arity > 0) call(arity + 1);
  return calls;
}

describeWithOracle("differential arity", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test("too few and too many arguments", async () => {
    const known = await arities(pair!);
    expect(known.size).toBeGreaterThan(50);
    const present = new Set(known.keys());
    const calls = [...known].flatMap(([name, arity]) => wrongCalls(name, arity));
    const problems: string[] = [];
    const replies = await pair!.both(calls);
    calls.forEach((call, i) => {
      const [expected, actual] = replies[i]!;
      const unknownHere = actual.toString("latin1").startsWith("-ERR unknown subcommand");
      if (expected.equals(actual) || (unknownHere && present.has(call.slice(0, 2).join("|")))) return;
      if (differenceOf(call, oracleIsOlder) === null) problems.push(describeReply(call, expected, actual, 2));
    });
    expect(problems.join("\n")).toBe("");
  });
});
