import { VectorArena } from "../memory/vector-arena.ts";

/**
 * What two vectors come to, by SIMD: a WebAssembly module of three functions, put together here, over the memory that the
 * vectors are in. Where the processor has no SIMD that the engine could use, functions in JavaScript do the same.
 *
 *   (a, b, rounds, rest) => sum     a, b: addresses; of 64 bytes times `rounds`, and behind them 16 times `rest`
 *
 *   f32    the sum of the products
 *   int8   the same, of bytes with a sign
 *   bin    how many bits differ
 */
type Kernel = (a: number, b: number, rounds: number, rest: number) => number;
export const BLOCK = 16;
/** Blocks of a round: each has a sum of its own, so that they need not wait for one another. */
export const ROUND = 4;

/** Others in the same place where there is a new memory. */
export interface Kernels {
  f32: Kernel;
  int8: Kernel;
  bin: Kernel;
}

// -------------------------------------------------------------------------------- WebAssembly

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const END = 0x0b;
const [LOCAL_GET, LOCAL_SET, LOCAL_TEE] = [0x20, 0x21, 0x22];
const [I32_CONST, I32_EQZ, I32_ADD, I32_SUB, F32_ADD] = [0x41, 0x45, 0x6a, 0x6b, 0x92];
const [BLOCK_OF_CODE, LOOP, NOTHING, BR_IF] = [0x02, 0x03, 0x40, 0x0d];

/** An unsigned number in seven bits a byte. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

const simd = (code: number, ...rest: number[]) => [0xfd, ...leb(code), ...rest];
const XOR = simd(0x51);
const POPCOUNT = simd(0x62);
const ADD_PAIRS_8 = simd(0x7d);
const ADD_PAIRS_16 = simd(0x7f);
const LOW_8_TO_16 = simd(0x87);
const HIGH_8_TO_16 = simd(0x88);
const ADD_32 = simd(0xae);
const DOT_16 = simd(0xba);
const ADD_FLOATS = simd(0xe4);
const MULTIPLY_FLOATS = simd(0xe6);
const lane = (float: boolean, index: number) => simd(float ? 0x1f : 0x1b, index);

const [A, B, ROUNDS, REST, FIRST_SUM, X, Y] = [0, 1, 2, 3, 4, 8, 9];
const get = (local: number) => [LOCAL_GET, local];
const set = (local: number) => [LOCAL_SET, local];
/** Bytes `offset` behind the address in a local. */
const load = (local: number, offset: number) => [...get(local), ...simd(0x00, 4, ...leb(offset))];
/** A signed number in seven bits a byte, of those that need no more than two. */
const signed = (value: number) => (value < 64 ? [value] : [(value & 127) | 128, value >> 7]);
const advance = (local: number, bytes: number) => [
  ...[...get(local), I32_CONST, ...signed(bytes), I32_ADD, ...set(local)],
];

/** Does something as often as a local says, and goes on by so many bytes each time. */
const repeated = (times: number, bytes: number, body: number[]) => [
  ...[BLOCK_OF_CODE, NOTHING, ...get(times), I32_EQZ, BR_IF, 0],
  ...[LOOP, NOTHING, ...body, ...advance(A, bytes), ...advance(B, bytes)],
  ...[...get(times), I32_CONST, 1, I32_SUB, LOCAL_TEE, times, BR_IF, 0, END, END],
];

/** Adds what stands on the stack to one of the sums. */
const addTo = (sum: number, addition: number[]) => [
  ...get(FIRST_SUM + sum),
  ...addition,
  ...set(FIRST_SUM + sum),
];

function section(id: number, ...items: number[][]): number[] {
  const content = [...leb(items.length), ...items.flat()];
  return [id, ...leb(content.length), ...content];
}

const sized = (content: number[]) => [...leb(content.length), ...content];
const name = (text: string) => sized([...Buffer.from(text)]);

/** A function that goes over blocks; `block(i)` adds the one `i` blocks on to the sum of that number. */
function kernel(float: boolean, addition: number[], block: (i: number) => number[]): number[] {
  const round = Array.from({ length: ROUND }, (_, i) => block(i)).flat();
  const total = [
    ...[...get(FIRST_SUM), ...get(FIRST_SUM + 1), ...addition],
    ...[...get(FIRST_SUM + 2), ...get(FIRST_SUM + 3), ...addition, ...addition, ...set(X)],
    ...Array.from({ length: 4 }, (_, i) => [...get(X), ...lane(float, i)]).flat(),
    ...Array<number>(3).fill(float ? F32_ADD : I32_ADD),
  ];
  const locals = [1, ROUND + 2, V128];
  const loops = [...repeated(ROUNDS, ROUND * BLOCK, round), ...repeated(REST, BLOCK, block(0))];
  return sized([...locals, ...loops, ...total, END]);
}

const floatKernel = kernel(true, ADD_FLOATS, (i) => [
  ...[...load(A, BLOCK * i), ...load(B, BLOCK * i), ...MULTIPLY_FLOATS],
  ...addTo(i, ADD_FLOATS),
]);

const byteKernel = kernel(false, ADD_32, (i) => [
  ...[...load(A, BLOCK * i), ...set(X), ...load(B, BLOCK * i), ...set(Y)],
  ...[...get(X), ...LOW_8_TO_16, ...get(Y), ...LOW_8_TO_16, ...DOT_16, ...addTo(i, ADD_32)],
  ...[...get(X), ...HIGH_8_TO_16, ...get(Y), ...HIGH_8_TO_16, ...DOT_16, ...addTo(i, ADD_32)],
]);

const bitKernel = kernel(false, ADD_32, (i) => [
  ...[...load(A, BLOCK * i), ...load(B, BLOCK * i), ...XOR, ...POPCOUNT, ...ADD_PAIRS_8, ...ADD_PAIRS_16],
  ...addTo(i, ADD_32),
]);

const OPERANDS = [4, I32, I32, I32, I32];

function moduleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, ...OPERANDS, 1, F32], [0x60, ...OPERANDS, 1, I32]),
    ...section(2, [...name(""), ...name("memory"), 2, 0, 0]),
    ...section(3, [0], [1], [1]),
    ...section(7, [...name("f32"), 0, 0], [...name("int8"), 0, 1], [...name("bin"), 0, 2]),
    ...section(10, floatKernel, byteKernel, bitKernel),
  ]);
}

// -------------------------------------------------------------------------------- JavaScript

const WORD = 4;

function plainKernels(arena: VectorArena): Kernels {
  return {
    f32(a, b, rounds, rest) {
      const { floats } = arena;
      let sum = 0;
      const end = a / WORD + ((rounds * ROUND + rest) * BLOCK) / WORD;
      for (let i = a / WORD, j = b / WORD; i < end; i += 2, j += 2)
        sum += floats[i]! * floats[j]! + floats[i + 1]! * floats[j + 1]!;
      return Math.fround(sum);
    },
    int8(a, b, rounds, rest) {
      const { integers } = arena;
      let sum = 0;
      const end = a + (rounds * ROUND + rest) * BLOCK;
      for (let i = a, j = b; i < end; i += 4, j += 4) {
        sum = (sum + integers[i]! * integers[j]! + integers[i + 1]! * integers[j + 1]!) | 0;
        sum = (sum + integers[i + 2]! * integers[j + 2]! + integers[i + 3]! * integers[j + 3]!) | 0;
      }
      return sum;
    },
    bin(a, b, rounds, rest) {
      const { words } = arena;
      let sum = 0;
      const end = a / WORD + ((rounds * ROUND + rest) * BLOCK) / WORD;
      for (let i = a / WORD, j = b / WORD; i < end; i++, j++) {
        let bits = words[i]! ^ words[j]!;
        bits -= (bits >>> 1) & 0x55555555;
        bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
        sum += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
      }
      return sum;
    },
  };
}

/** Memory, and what compares vectors that are in it. */
export interface VectorSpace {
  readonly arena: VectorArena;
  readonly kernels: Kernels;
}

let shared: VectorSpace | null = null;

/** The one that all vector sets of this thread are in. */
export function vectorSpace(): VectorSpace {
  if (shared === null) {
    const arena = new VectorArena();
    shared = { arena, kernels: kernelsOf(arena) };
  }
  return shared;
}

/** The functions over an arena's memory, whichever it has at the moment; `plain`: those in JavaScript. */
export function kernelsOf(arena: VectorArena, plain = false): Kernels {
  const bytes = moduleBytes();
  if (plain || !WebAssembly.validate(bytes)) return plainKernels(arena);
  const module = new WebAssembly.Module(bytes);
  const kernels = {} as Kernels;
  arena.onMemory = (memory) => {
    Object.assign(kernels, new WebAssembly.Instance(module, { "": { memory } }).exports);
  };
  arena.onMemory(arena.memory);
  return kernels;
}
