import type { Blocking } from "../../blocking/blocking.ts";
import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ListLimits } from "../../types/list.ts";
import { ListValue } from "./values.ts";

/** What list commands need, and what several of them share. */
export interface ListDeps {
  readonly config: {
    readonly values: { readonly listMaxListpackSize: number; readonly listCompressDepth: number };
  };
  readonly debugSettings: { readonly packedThreshold: number };
  readonly blocking: Blocking;
}

/** The limits that hold now, wherever they are set. */
export function listLimits({
  config,
  debugSettings,
}: Pick<ListDeps, "config" | "debugSettings">): ListLimits {
  return {
    get listMaxListpackSize() {
      return config.values.listMaxListpackSize;
    },
    get listCompressDepth() {
      return config.values.listCompressDepth;
    },
    get packedThreshold() {
      return debugSettings.packedThreshold;
    },
  };
}

/** One for all list commands: where a list comes from or is changed, and where an element goes to. */
export interface Lists {
  readonly list: ListValue;
  readonly target: ListValue;
  readonly blocking: Blocking;
}

export function newLists(deps: ListDeps): Lists {
  const limits = listLimits(deps);
  return { list: new ListValue(limits), target: new ListValue(limits), blocking: deps.blocking };
}

const LEFT = latin1Bytes("left");
const RIGHT = latin1Bytes("right");
export const LPOP = latin1Bytes("LPOP");
export const RPOP = latin1Bytes("RPOP");

/** LEFT (true) or RIGHT in argument i. */
export function isLeft(call: Call, i: number): boolean {
  if (call.is(i, LEFT)) return true;
  if (!call.is(i, RIGHT)) throw new CommandError(errors.syntax);
  return false;
}

/** Argument i, an integer of at least this; throws `message` for anything else. */
export function atLeast(call: Call, i: number, least: number, message: string): number {
  const value = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (!(value >= least)) throw new CommandError(message);
  return value;
}
