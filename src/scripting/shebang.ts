import { latin1Text } from "../bytes/ascii.ts";
import { FLAGS } from "../call/spec.ts";
import { splitArguments } from "../config/text.ts";

/**
 * The first line of a script or a library, `#!lua name=value ...`, and the flags that it may set
 * (https://redis.io/docs/latest/develop/interact/programmability/lua-api/#script_flags).
 */
export const SCRIPT_FLAGS = {
  "no-writes": 1 << 0,
  "allow-oom": 1 << 1,
  "allow-stale": 1 << 2,
  "no-cluster": 1 << 3,
  "allow-cross-slot-keys": 1 << 4,
} as const;

export type ScriptFlag = keyof typeof SCRIPT_FLAGS;
export const SCRIPT_FLAG_NAMES: readonly ScriptFlag[] = [
  "no-writes",
  "allow-oom",
  "allow-stale",
  "no-cluster",
  "allow-cross-slot-keys",
];

/** A script without a shebang, which may do what it likes until it does. */
export const COMPATIBLE = 1 << 5;

const NEWLINE = 10;

export interface Shebang {
  engine: string;
  options: string[];
  /** Bytes in front of the line's end, which belongs to the source that follows. */
  length: number;
}

/** Null: there is none; "unended": there is no line behind it; "malformed": its quotes do not match. */
export function readShebang(
  source: Uint8Array,
  start: number,
  end: number,
): Shebang | null | "unended" | "malformed" {
  if (source[start] !== 35 || source[start + 1] !== 33 || end - start < 2) return null;
  const at = source.indexOf(NEWLINE, start);
  if (at < 0 || at >= end) return "unended";
  const parts = splitArguments(latin1Text(source, start, at));
  if (parts === null || parts.length === 0) return "malformed";
  return { engine: parts[0]!, options: parts.slice(1), length: at - start };
}

/** The flags of an EVAL script and where its source begins; a text is the error. */
export function scriptShebang(
  source: Uint8Array,
  start: number,
  end: number,
): { flags: number; length: number } | string {
  const shebang = readShebang(source, start, end);
  if (shebang === null) return { flags: COMPATIBLE, length: 0 };
  if (shebang === "unended") return "ERR Invalid script shebang";
  if (shebang === "malformed") return "ERR Invalid engine in script shebang";
  if (shebang.engine !== "#!lua") return `ERR Unexpected engine in script shebang: ${shebang.engine}`;
  let flags = 0;
  for (const option of shebang.options) {
    if (!option.startsWith("flags=")) return `ERR Unknown lua shebang option: ${option}`;
    const names = option.slice("flags=".length);
    for (const name of names === "" ? [] : names.split(",")) {
      const flag = SCRIPT_FLAG_NAMES.find((each) => each === name);
      if (flag === undefined) return `ERR Unexpected flag in script shebang: ${name}`;
      flags |= SCRIPT_FLAGS[flag];
    }
  }
  return { flags, length: shebang.length };
}

/** The flags of the command that runs a script, where the script says itself what it will do. */
export function commandFlags(flags: number, script: number): number {
  if ((script & COMPATIBLE) !== 0) return flags;
  let out = flags & ~(FLAGS.stale | FLAGS.denyoom | FLAGS.write | FLAGS.may_replicate);
  if ((script & (SCRIPT_FLAGS["allow-oom"] | SCRIPT_FLAGS["no-writes"])) === 0) out |= FLAGS.denyoom;
  if ((script & SCRIPT_FLAGS["no-writes"]) === 0) out |= FLAGS.write;
  if ((script & SCRIPT_FLAGS["allow-stale"]) !== 0) out |= FLAGS.stale;
  return out;
}
