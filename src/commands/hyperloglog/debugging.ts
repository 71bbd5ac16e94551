import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { hllDecode, hllEncoding, hllRegisters, hllSelfTest, hllToDense } from "../../types/hyperloglog.ts";
import { type HyperLogLogDeps, hllAtForWrite, store } from "./values.ts";

/** PFDEBUG and PFSELFTEST: for Redis's own test suite. */

export function pfdebug(call: Call): void {
  const value = hllAtForWrite(call, 2);
  if (value === null) throw new CommandError("ERR The specified key does not exist");
  const { reply } = call;
  switch (call.text(1).toLowerCase()) {
    case "getreg": {
      const registers = hllRegisters(toDense(call, value));
      reply.array(registers.length);
      for (const register of registers) reply.int(register);
      return;
    }
    case "decode":
      if (hllEncoding(value) !== "sparse") throw new CommandError("ERR HLL encoding is not sparse");
      return reply.bulkText(hllDecode(value));
    case "encoding":
      return reply.simple(hllEncoding(value));
    case "todense":
      return reply.int(toDense(call, value) === value ? 0 : 1);
    default:
      throw new CommandError(`ERR Unknown PFDEBUG subcommand '${call.quoted(1, Number.POSITIVE_INFINITY)}'`);
  }
}

/** The dense form of the value under argument 2, which takes its place. */
function toDense(call: Call, value: Uint8Array): Uint8Array {
  const dense = hllToDense(value);
  if (dense === null) throw new CommandError(errors.hllCorrupted);
  if (dense !== value) {
    store(call, 2, dense);
    call.dirty++;
  }
  return dense;
}

export function pfselftest(call: Call, { config }: HyperLogLogDeps): void {
  const { random } = call.db.context;
  const failure = hllSelfTest(config.values.hllSparseMaxBytes, () => (random() >>> 0) / 4294967296);
  if (failure !== null) throw new CommandError(failure);
  call.reply.ok();
}
