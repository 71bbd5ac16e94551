import type { LuaFunction, LuaState, Machine } from "../machine.ts";

/**
 * The library `bit` (https://bitop.luajit.org/api.html): numbers as signed 32-bit integers. A number becomes one by
 * adding 2^52 + 2^51 to it, which rounds it and leaves its low 32 bits in the double's low word.
 */
const MAGIC = 6755399441055744;
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

function toBit(value: number): number {
  double[0] = value + MAGIC;
  return words[0]!;
}

export function bitFunctions(machine: Machine): Record<string, LuaFunction> {
  const { api } = machine;
  const argument = (L: LuaState, index: number): number => toBit(api.luaL_checknumber(L, index));
  const answer = (L: LuaState, value: number): number => {
    api.lua_pushnumber(L, value);
    return 1;
  };
  const all =
    (combine: (a: number, b: number) => number): LuaFunction =>
    (L) => {
      let bits = argument(L, 1);
      for (let i = api.lua_gettop(L); i > 1; i--) bits = combine(bits, argument(L, i));
      return answer(L, bits);
    };
  const shift =
    (move: (bits: number, by: number) => number): LuaFunction =>
    (L) => {
      const bits = argument(L, 1);
      return answer(L, move(bits, argument(L, 2) & 31));
    };
  return {
    tobit: (L) => answer(L, argument(L, 1)),
    bnot: (L) => answer(L, ~argument(L, 1)),
    band: all((a, b) => a & b),
    bor: all((a, b) => a | b),
    bxor: all((a, b) => a ^ b),
    lshift: shift((bits, by) => bits << by),
    rshift: shift((bits, by) => (bits >>> by) | 0),
    arshift: shift((bits, by) => bits >> by),
    rol: shift((bits, by) => (bits << by) | (bits >>> ((32 - by) & 31))),
    ror: shift((bits, by) => (bits >>> by) | (bits << ((32 - by) & 31))),
    bswap: (L) => {
      const bits = argument(L, 1);
      return answer(L, (bits >>> 24) | ((bits >>> 8) & 0xff00) | ((bits & 0xff00) << 8) | (bits << 24));
    },
    tohex: (L) => {
      const bits = argument(L, 1);
      const wanted = api.lua_type(L, 2) === -1 ? 8 : argument(L, 2);
      const count = wanted < 0 ? Math.min(8, wanted === -0x80000000 ? 8 : -wanted) : Math.min(8, wanted);
      const digits = count === 0 ? "" : (bits >>> 0).toString(16).padStart(8, "0").slice(-count);
      machine.pushText(L, wanted < 0 ? digits.toUpperCase() : digits);
      return 1;
    },
  };
}
