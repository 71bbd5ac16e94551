import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { Pattern } from "./patterns.ts";

/** The options of SORT, in any order and number. */

const ASC = latin1Bytes("asc");
const DESC = latin1Bytes("desc");
const ALPHA = latin1Bytes("alpha");
const LIMIT = latin1Bytes("limit");
const STORE = latin1Bytes("store");
const BY = latin1Bytes("by");
const GET = latin1Bytes("get");

export interface SortLimits {
  inCluster(): boolean;
  mayReadAnyKey(call: Call): boolean;
}

export class SortOptions {
  descending = false;
  alpha = false;
  /** BY something constant: the elements stay in the order in which they are. */
  inOrder = false;
  /** LIMIT's offset, and its count (negative: all). */
  offset = 0;
  count = -1;
  /** The argument index of STORE's key; 0: none. */
  store = 0;
  by: Pattern | null = null;
  readonly get: Pattern[] = [];

  constructor(call: Call, readOnly: boolean, limits: SortLimits) {
    for (let i = 2; i < call.argc; i++) {
      const left = call.argc - i - 1;
      if (call.is(i, ASC)) this.descending = false;
      else if (call.is(i, DESC)) this.descending = true;
      else if (call.is(i, ALPHA)) this.alpha = true;
      else if (call.is(i, LIMIT) && left >= 2) {
        this.offset = call.int(++i);
        this.count = call.int(++i);
      } else if (!readOnly && call.is(i, STORE) && left >= 1) this.store = ++i;
      else if (call.is(i, BY) && left >= 1) this.setBy(new Pattern(call.bytes(++i)), call, limits);
      else if (call.is(i, GET) && left >= 1) {
        if (limits.inCluster()) throw new CommandError("ERR GET option of SORT denied in Cluster mode.");
        if (!limits.mayReadAnyKey(call))
          throw new CommandError("ERR GET option of SORT denied due to insufficient ACL permissions.");
        this.get.push(new Pattern(call.bytes(++i)));
      } else throw new CommandError(errors.syntax);
    }
  }

  private setBy(pattern: Pattern, call: Call, limits: SortLimits): void {
    this.by = pattern;
    // Once set it stays: a later BY with a `*` does not make the order matter again.
    if (pattern.isConstant) this.inOrder = true;
    else if (limits.inCluster()) throw new CommandError("ERR BY option of SORT denied in Cluster mode.");
    else if (!limits.mayReadAnyKey(call))
      throw new CommandError("ERR BY option of SORT denied due to insufficient ACL permissions.");
  }
}
