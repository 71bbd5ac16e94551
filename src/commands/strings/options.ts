import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors, invalidExpire } from "../../resp/errors.ts";
import { momentAt } from "../expire/moment.ts";
import { comparisonOf } from "./comparing.ts";

/**
 * The options of SET, MSETEX and GETEX: conditions and expiry. One object is filled anew for each command.
 */
const NX = latin1Bytes("nx");
const XX = latin1Bytes("xx");
const GET = latin1Bytes("get");
const KEEPTTL = latin1Bytes("keepttl");
const PERSIST = latin1Bytes("persist");
const EX = latin1Bytes("ex");
const PX = latin1Bytes("px");
const EXAT = latin1Bytes("exat");
const PXAT = latin1Bytes("pxat");
const UNITS = [EX, PX, EXAT, PXAT];

/** Which command's options are read. */
export const FOR_SET = 0;
export const FOR_MSETEX = 1;
export const FOR_GETEX = 2;
export type OptionsOf = typeof FOR_SET | typeof FOR_MSETEX | typeof FOR_GETEX;

export class StringOptions {
  nx = false;
  xx = false;
  get = false;
  keepTtl = false;
  persist = false;
  /** The argument that names a comparison (IFEQ and its kin; what to compare with is behind it), 0: there is none. */
  comparisonAt = 0;
  /** The argument that names the unit of an expiry, 0: there is none. */
  private unitAt = 0;

  /** Reads the options from argument `from` on. */
  parse(call: Call, from: number, of: OptionsOf): void {
    this.nx = this.xx = this.get = this.keepTtl = this.persist = false;
    this.unitAt = this.comparisonAt = 0;
    const stores = of !== FOR_GETEX;
    for (let i = from; i < call.argc; i++) {
      if (stores && call.is(i, NX) && !this.xx) this.nx = true;
      else if (stores && call.is(i, XX) && !this.nx) this.xx = true;
      else if (of === FOR_SET && call.is(i, GET)) this.get = true;
      else if (stores && call.is(i, KEEPTTL) && this.unitAt === 0) this.keepTtl = true;
      else if (!stores && call.is(i, PERSIST) && this.unitAt === 0) this.persist = true;
      else if (i + 1 < call.argc && this.takesUnit(call, i)) this.unitAt = i++;
      else if (i + 1 < call.argc && of === FOR_SET && this.takesComparison(call, i)) this.comparisonAt = i++;
      else throw new CommandError(errors.syntax);
    }
  }

  /** A comparison may be given again, and the last one counts, but no other condition may stand before it. */
  private takesComparison(call: Call, i: number): boolean {
    const kind = comparisonOf(call, i);
    if (kind < 0 || this.nx || this.xx) return false;
    return this.comparisonAt === 0 || comparisonOf(call, this.comparisonAt) === kind;
  }

  /** A unit may be given again, and the last one counts, but not a second unit. */
  private takesUnit(call: Call, i: number): boolean {
    if (this.keepTtl || this.persist) return false;
    for (const unit of UNITS) if (call.is(i, unit)) return this.unitAt === 0 || call.is(this.unitAt, unit);
    return false;
  }

  /** The expiry was given as what is propagated: an absolute time in milliseconds. */
  givesMoment(call: Call): boolean {
    return this.unitAt > 0 && call.is(this.unitAt, PXAT);
  }

  /** The expiry given, in milliseconds since 1970, or -1; throws where it is none. */
  expireAt(call: Call, now: number, command: string): number {
    const { unitAt } = this;
    if (unitAt === 0) return -1;
    const seconds = call.is(unitAt, EX) || call.is(unitAt, EXAT);
    const relative = call.is(unitAt, EX) || call.is(unitAt, PX);
    return expiryArgument(call, unitAt + 1, seconds, relative ? now : 0, command);
  }
}

/** The moment that argument i gives from `base` on; throws "invalid expire time" if it is none or too far. */
export function expiryArgument(
  call: Call,
  i: number,
  seconds: boolean,
  base: number,
  command: string,
): number {
  const at = momentAt(call, i, seconds, base);
  if (!(at > base)) throw new CommandError(invalidExpire(command));
  return at;
}
