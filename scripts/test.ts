/**
 * The one test command: `bun run test [paths or options of bun test]`. Runs `bun test` over tests/, one worker
 * per core, and ends with `N passed, N failed`. The counts are those of bun's own summary, since files that
 * fail to load appear nowhere else; the JUnit report says which tests were skipped. A run without a summary (a
 * test called process.exit, bun crashed) or without a test has failed, whatever its exit code.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./lib/launch.ts";

interface Counts {
  pass: number;
  fail: number;
  skip: number;
  todo: number;
}

const report = join(temporaryDirectory("redbun-test-"), "junit.xml");
const child = Bun.spawn(
  [
    process.execPath,
    "test",
    "--parallel",
    "--only-failures",
    "--timeout=60000", // of a test; bun does not take it from bunfig.toml
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: join(import.meta.dir, ".."), stdin: "inherit", stdout: "pipe", stderr: "pipe" },
);
process.on("exit", () => child.kill());
const [, summary, code] = await Promise.all([
  copy(child.stdout, process.stdout),
  copy(child.stderr, process.stderr),
  child.exited,
]);

const counts = readSummary(summary);
const skipped = counts.skip + counts.todo;
if (skipped > 0) console.log(`${skipped} skipped: ${skipReasons(report)}`);
const failed = Math.max(counts.fail, code === 0 && counts.pass > 0 ? 0 : 1);
if (failed > counts.fail) {
  console.log(
    counts.pass + counts.fail > 0 ? `bun test ended with code ${code}` : "no test ran, or bun test broke off",
  );
}
console.log(`${counts.pass} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Passes the stream on as it comes and gives its last part, which holds bun's summary. */
async function copy(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<string> {
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of from) {
    to.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-8192);
  }
  return tail;
}

/** Bun's summary: lines such as ` 12 pass` and ` 1 fail` before `Ran 13 tests across 4 files.` */
function readSummary(output: string): Counts {
  const counts: Counts = { pass: 0, fail: 0, skip: 0, todo: 0 };
  const plain = Bun.stripANSI(output);
  const end = plain.lastIndexOf("\nRan ");
  if (end < 0) return counts;
  const block = plain.slice(0, end).split("\n\n").at(-1) ?? "";
  for (const [, number, word] of block.matchAll(/^ *(\d+) (pass|fail|skip|todo)\b/gm)) {
    counts[word as keyof Counts] = Number(number);
  }
  return counts;
}

/** Groups the skipped tests of the report by the `[needs ...]` in their names. */
function skipReasons(path: string): string {
  const reasons = new Map<string, number>();
  const skippedCase = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<skipped([^>]*)\/>/g;
  for (const [, name, suites, detail] of readFileSync(path, "utf8").matchAll(skippedCase)) {
    const needs = /\[(needs [^\]]+)\]/.exec(`${name} ${suites}`)?.[1];
    const reason = needs ?? (detail?.includes("TODO") ? "marked todo" : "marked skip");
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => `${reason} (${count})`).join(", ") || "reason unknown";
}
