import { readSync } from "node:fs";
import { type CheckIo, checkAof } from "../aof/check.ts";
import { checkPreamble, checkRdb } from "../rdb/check.ts";

/** `redbun check-rdb FILE` and `redbun check-aof [--fix] FILE`: Redis's tools, with their exit codes. */

/** Runs a tool if the first argument names one; its exit code, or null. */
export function runCheck([tool, ...args]: readonly string[]): number | null {
  if (tool === "check-rdb") return rdb(args);
  if (tool === "check-aof") return checkAof(args, IO);
  return null;
}

function rdb(args: readonly string[]): number {
  const [path] = args;
  if (path !== undefined && args.length === 1) return checkRdb(path, printLine);
  process.stderr.write("Usage: redbun check-rdb <rdb-file-name>\n");
  return 1;
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

const IO: CheckIo = {
  print: (text) => void process.stdout.write(text),
  answer: readLine,
  checkRdb: checkPreamble,
};

function readLine(): string {
  const byte = new Uint8Array(1);
  let line = "";
  while (readSync(0, byte, 0, 1, null) === 1 && byte[0] !== 10) line += String.fromCharCode(byte[0]!);
  return line;
}
