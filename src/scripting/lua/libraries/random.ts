import type { LuaFunction, Machine } from "../machine.ts";
import { checkInt } from "./integers.ts";

/**
 * math.random as Redis has it: the generator of drand48 (X' = 0x5DEECE66D X + 11 modulo 2^48), the same sequence on
 * every machine from the same seed. A server begins with the seed that drand48 begins with.
 */
const LARGEST = 0x7fffffff;

export class LuaRandom {
  /** X as three words of 16 bits, the lowest first. */
  private low = 0x330e;
  private middle = 0xabcd;
  private high = 0x1234;

  seed(value: number): void {
    this.low = 0x330e;
    this.middle = value & 0xffff;
    this.high = (value >>> 16) & 0xffff;
  }

  /** 31 bits. */
  next(): number {
    const { low, middle, high } = this;
    const first = 0xe66d * low + 11;
    const second = 0xe66d * middle + 0xdeec * low + Math.floor(first / 0x10000);
    const third = 0xe66d * high + 0xdeec * middle + 5 * low + Math.floor(second / 0x10000);
    this.low = first % 0x10000;
    this.middle = second % 0x10000;
    this.high = third % 0x10000;
    return this.high * 0x8000 + (this.middle >>> 1);
  }
}

export function randomFunctions(machine: Machine, random: LuaRandom): Record<string, LuaFunction> {
  const { api } = machine;
  return {
    random: (L) => {
      const share = (random.next() % LARGEST) / LARGEST;
      const count = api.lua_gettop(L);
      if (count === 0) api.lua_pushnumber(L, share);
      else if (count === 1) {
        const upper = checkInt(machine, L, 1);
        if (upper < 1) return machine.argError(L, 1, "interval is empty");
        api.lua_pushnumber(L, Math.floor(share * upper) + 1);
      } else if (count === 2) {
        const lower = checkInt(machine, L, 1);
        const upper = checkInt(machine, L, 2);
        if (lower > upper) return machine.argError(L, 2, "interval is empty");
        api.lua_pushnumber(L, Math.floor(share * (upper - lower + 1)) + lower);
      } else return machine.fail(L, "wrong number of arguments");
      return 1;
    },
    randomseed: (L) => {
      random.seed(checkInt(machine, L, 1));
      return 0;
    },
  };
}
