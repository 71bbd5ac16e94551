import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors, invalidExpire } from "../../resp/errors.ts";

/**
 * The options of SET and GETEX: conditions and expiry. One object is filled anew for each command.
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

const MAX_MS = 2 ** 63;

export class StringOptions {
  nx = false;
  xx = false;
  get = false;
  keepTtl = false;
  persist = false;
  /** Milliseconds since 1970, or -1: no expiry given. */
  expireAt = -1;

  /** Reads the options from argument `from` on; `set`: those of SET, else those of GETEX. */
  parse(call: Call, from: number, set: boolean, now: number): void {
    this.nx = this.xx = this.get = this.keepTtl = this.persist = false;
    this.expireAt = -1;
    let unitAt = 0;
    for (let i = from; i < call.argc; i++) {
      const free = unitAt === 0 && !this.keepTtl && !this.persist;
      if (set && call.is(i, NX) && !this.xx) this.nx = true;
      else if (set && call.is(i, XX) && !this.nx) this.xx = true;
      else if (set && call.is(i, GET)) this.get = true;
      else if (set && call.is(i, KEEPTTL) && unitAt === 0) this.keepTtl = true;
      else if (!set && call.is(i, PERSIST) && unitAt === 0) this.persist = true;
      else if (free && i + 1 < call.argc && isUnit(call, i)) unitAt = i++;
      else throw new CommandError(errors.syntax);
    }
    if (unitAt !== 0) {
      const seconds = call.is(unitAt, EX) || call.is(unitAt, EXAT);
      const relative = call.is(unitAt, EX) || call.is(unitAt, PX);
      this.expireAt = expiryArgument(call, unitAt + 1, seconds, relative, now, set ? "set" : "getex");
    }
  }
}

function isUnit(call: Call, i: number): boolean {
  return call.is(i, EX) || call.is(i, PX) || call.is(i, EXAT) || call.is(i, PXAT);
}

/** The moment that argument i gives; throws "invalid expire time" for what is not positive or too far. */
export function expiryArgument(
  call: Call,
  i: number,
  seconds: boolean,
  relative: boolean,
  now: number,
  command: string,
): number {
  const value = call.int(i);
  if (value <= 0 || (seconds && value > MAX_MS / 1000)) throw new CommandError(invalidExpire(command));
  const at = (seconds ? value * 1000 : value) + (relative ? now : 0);
  if (at >= MAX_MS) throw new CommandError(invalidExpire(command));
  return at;
}
