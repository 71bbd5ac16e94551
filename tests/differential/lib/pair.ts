/**
 * A real redis-server and the server under test side by side: the same commands go to both, and the replies must
 * be the same bytes. What is known to differ between Redis versions is in differences.ts.
 */
import { findOracle, oracleVersion, startOracle } from "../../oracle.ts";
import { startServer } from "../../server.ts";
import { differenceOf } from "./differences.ts";
import type { Step } from "./script.ts";
import { type Arg, elements, show, showCommand, Wire } from "./wire.ts";

/** The version whose replies redbun gives; an older oracle is excused where the table says so. */
const [major, minor] = (findOracle() === null ? null : oracleVersion()) ?? [7, 2];
export const oracleIsOlder = major < 7 || (major === 7 && minor < 2);

interface Side {
  wire: Wire;
  port: number;
  stop(): Promise<unknown>;
}

export class Pair {
  private constructor(
    readonly oracle: Side,
    readonly subject: Side,
  ) {}

  static async start(args: string[] = []): Promise<Pair> {
    const [oracle, subject] = await Promise.all([startOracle(args), startServer(args)]);
    const [a, b] = await Promise.all([Wire.open(oracle.port), Wire.open(subject.port)]);
    return new Pair(
      { wire: a, port: oracle.port, stop: () => oracle.stop("SIGKILL") },
      { wire: b, port: subject.port, stop: () => subject.stop("SIGKILL") },
    );
  }

  async stop(): Promise<void> {
    this.oracle.wire.close();
    this.subject.wire.close();
    await Promise.all([this.oracle.stop(), this.subject.stop()]);
  }

  /** Sends a pipeline to both; pairs of replies, the oracle's first. */
  async both(commands: readonly (readonly Arg[])[]): Promise<[Buffer, Buffer][]> {
    const [expected, actual] = await Promise.all([
      this.oracle.wire.send(commands),
      this.subject.wire.send(commands),
    ]);
    return expected.map((reply, i) => [reply, actual[i]!]);
  }

  /** An empty data set and a session as new, in this protocol version. */
  async reset(resp: 2 | 3): Promise<void> {
    await this.both([["RESET"], ["FLUSHALL"], ["HELLO", String(resp)]]);
  }

  /** Runs the steps on both servers from an empty data set; what came out differently. */
  async run(steps: readonly Step[], resp: 2 | 3): Promise<string[]> {
    await this.reset(resp);
    const problems: string[] = [];
    let batch: Step[] = [];
    const before: [number, number] = [Number.NaN, Number.NaN];
    const flush = async () => {
      const replies = await this.both(batch.flatMap((step) => [step.args, CHANGES]));
      batch.forEach((step, i) => {
        const [expected, actual] = replies[i * 2]!;
        const changes = changesDiffer(replies[i * 2 + 1]!, before);
        if (!same(step, expected, actual)) {
          if (differenceOf(step.args, oracleIsOlder, "reply", expected.toString("latin1")) === null)
            problems.push(describe(step.args, expected, actual, resp));
        } else if (changes !== null && differenceOf(step.args, oracleIsOlder, "changes") === null)
          problems.push(`${showCommand(step.args)}   (RESP${resp}) counts other changes: ${changes}`);
      });
      batch = [];
    };
    for (const step of steps) {
      if (step.mode === "until") {
        await flush();
        await Promise.all([awaitReply(this.oracle.wire, step), awaitReply(this.subject.wire, step)]);
      } else if (step.mode === "alone") {
        await flush();
        batch.push(step);
        await flush();
      } else batch.push(step);
    }
    await flush();
    return problems;
  }
}

/** After each command: what it counts as changes decides what is saved and propagated. */
const CHANGES = ["INFO", "persistence"];

/** How many changes a command has made on either server, where that differs; `before` is brought up to date. */
function changesDiffer(replies: [Buffer, Buffer], before: [number, number]): string | null {
  const now = replies.map((reply) => Number(/changes_since_last_save:(\d+)/.exec(reply.toString())?.[1]));
  const [theirs, ours] = now.map((count, i) => count - before[i]!);
  before[0] = now[0]!;
  before[1] = now[1]!;
  return Number.isNaN(theirs) || theirs === ours ? null : `redis ${theirs}, redbun ${ours}`;
}

export function describe(args: readonly Arg[], expected: Buffer, actual: Buffer, resp: 2 | 3): string {
  return `${showCommand(args)}   (RESP${resp})\n    redis  ${show(expected)}\n    redbun ${show(actual)}`;
}

/** Whether the reply is what the step allows. */
function same(step: Step, expected: Buffer, actual: Buffer): boolean {
  if (expected.equals(actual)) return true;
  switch (step.mode) {
    case "kind":
      return kinds(expected) === kinds(actual);
    case "sorted":
      return sorted(expected).equals(sorted(actual));
    case "near":
      return near(expected, actual, step.number);
    default:
      return false;
  }
}

function kinds(reply: Buffer): string {
  const kind = String.fromCharCode(reply[0]!);
  if ("*~%>".includes(kind)) return `${kind}(${elements(reply).map(kinds).join("")})`;
  return kind === "$" && reply[1] === 45 ? "$-" : kind;
}

/** The elements in order, and those of elements too (SCAN). */
export function sorted(reply: Buffer): Buffer {
  if (!"*~%".includes(String.fromCharCode(reply[0]!))) return reply;
  const parts = elements(reply).map(sorted).sort(Buffer.compare);
  return Buffer.concat([reply.subarray(0, reply.indexOf(13)), ...parts]);
}

function near(expected: Buffer, actual: Buffer, tolerance: number): boolean {
  if (expected[0] !== 58 || actual[0] !== 58) return false;
  return Math.abs(integer(expected) - integer(actual)) <= tolerance;
}

function integer(reply: Buffer): number {
  return Number(reply.toString("latin1", 1, reply.length - 2));
}

async function awaitReply(wire: Wire, step: Step): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const [reply] = await wire.send([step.args]);
    if (integer(reply!) === step.number) return;
    if (Date.now() > deadline)
      throw new Error(`${showCommand(step.args)} stays ${show(reply!)} instead of ${step.number}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
