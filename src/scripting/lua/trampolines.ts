/**
 * A small WebAssembly module that stands between JavaScript and Lua's, put together here byte by byte:
 *
 *   f0 .. fN   what Lua calls as a C function: asks JavaScript (`dispatch`) and raises an error where that says -1
 *   invoke     how Lua's own pcall runs protected: calls, and catches what `throw` throws
 *   throw      how Lua's longjmp throws
 *   hook       Lua's count hook: asks whether to go on (0), to pause (1) or to raise an error (2)
 *   run        calls lua_pcall and tells JavaScript what came of it (`done`)
 *
 * These could be functions of JavaScript, and in other hosts of Lua they are. But a WebAssembly stack can only be put
 * aside (`WebAssembly.Suspending`) while there is no frame of JavaScript in it, so this module is what makes it
 * possible to pause a script in the middle of a pcall.
 *
 * It calls functions of Lua's module by way of its own table: the first entries are copies of that module's table,
 * since `invoke` is given an index into it, the last ones are those of `SLOTS`.
 */

/** C functions of JavaScript that there can be. */
export const FUNCTION_COUNT = 96;

/** Entries of Lua's own table, at most. */
const TABLE_COPY = 400;

/** Where in the table the functions stand that this module calls. */
export const SLOTS = {
  stackSave: TABLE_COPY,
  stackRestore: TABLE_COPY + 1,
  setThrew: TABLE_COPY + 2,
  lua_error: TABLE_COPY + 3,
  lua_pcall: TABLE_COPY + 4,
} as const;

const I32 = 0x7f;
const EMPTY_BLOCK = 0x40;
const op = {
  if: 0x04,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  constant: 0x41,
  equal: 0x46,
  lessThan: 0x48,
} as const;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function constant(value: number): number[] {
  const bytes: number[] = [op.constant];
  for (; value > 0x3f; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

const vector = (items: readonly number[][]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content];
const text = (value: string): number[] => [...unsigned(value.length), ...new TextEncoder().encode(value)];
const local = (index: number): number[] => [op.localGet, ...unsigned(index)];
const call = (index: number): number[] => [op.call, ...unsigned(index)];

/** Signatures: how many i32 go in, how many come out. */
const SIGNATURES = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [2, 0],
  [2, 1],
  [3, 0],
  [4, 0],
  [4, 1],
] as const;

function signature(parameters: number, results: number): number {
  return SIGNATURES.findIndex(([inwards, outwards]) => inwards === parameters && outwards === results);
}

const callSlot = (slot: number, parameters: number, results: number): number[] => [
  ...constant(slot),
  op.callIndirect,
  ...unsigned(signature(parameters, results)),
  0,
];

const IMPORTS = [
  { name: "dispatch", type: signature(2, 1) },
  { name: "check", type: signature(1, 1) },
  { name: "pause", type: signature(0, 0) },
  { name: "done", type: signature(1, 0) },
] as const;
const [DISPATCH, CHECK, PAUSE, DONE] = [0, 1, 2, 3];

interface Body {
  name: string;
  type: number;
  locals: number;
  code: number[];
}

function cFunction(id: number): Body {
  const raise = [...local(0), ...callSlot(SLOTS.lua_error, 1, 1), op.drop];
  const code = [
    ...constant(id),
    ...local(0),
    ...call(DISPATCH!),
    op.localTee,
    1,
    ...constant(0),
    op.lessThan,
    ...[op.if, EMPTY_BLOCK, ...raise, op.end],
    ...local(1),
  ];
  return { name: `f${id}`, type: signature(1, 1), locals: 1, code };
}

const OTHERS: readonly Body[] = [
  {
    name: "invoke",
    type: signature(3, 0),
    locals: 1,
    code: [
      ...callSlot(SLOTS.stackSave, 0, 1),
      ...[op.localSet, 3],
      ...[op.try, EMPTY_BLOCK],
      ...[...local(1), ...local(2), ...local(0), op.callIndirect, signature(2, 0), 0],
      ...[op.catch, 0],
      ...[...local(3), ...callSlot(SLOTS.stackRestore, 1, 0)],
      ...[...constant(1), ...constant(0), ...callSlot(SLOTS.setThrew, 2, 0)],
      op.end,
    ],
  },
  { name: "throw", type: signature(0, 0), locals: 0, code: [op.throw, 0] },
  {
    name: "hook",
    type: signature(2, 0),
    locals: 1,
    code: [
      ...[...local(0), ...call(CHECK!), op.localTee, 2, ...constant(1), op.equal],
      ...[op.if, EMPTY_BLOCK, ...call(PAUSE!), ...local(0), ...call(CHECK!), op.localSet, 2, op.end],
      ...[...local(2), ...constant(2), op.equal],
      ...[op.if, EMPTY_BLOCK, ...local(0), ...callSlot(SLOTS.lua_error, 1, 1), op.drop, op.end],
    ],
  },
  {
    name: "run",
    type: signature(4, 0),
    locals: 0,
    code: [
      ...[...local(0), ...local(1), ...local(2), ...local(3)],
      ...callSlot(SLOTS.lua_pcall, 4, 1),
      ...call(DONE!),
    ],
  },
];

/** The module; its exports are the functions above and the "table". */
export function trampolineModule(): Uint8Array<ArrayBuffer> {
  const bodies = [...OTHERS, ...Array.from({ length: FUNCTION_COUNT }, (_, id) => cFunction(id))];
  const code = bodies.map(({ locals, code }) => {
    const body = [...(locals === 0 ? [0] : [1, locals, I32]), ...code, op.end];
    return [...unsigned(body.length), ...body];
  });
  const types = SIGNATURES.map(([inwards, outwards]) => [
    0x60,
    ...vector(Array.from({ length: inwards }, () => [I32])),
    ...vector(Array.from({ length: outwards }, () => [I32])),
  ]);
  const exports = bodies.map(({ name }, i) => [...text(name), 0, ...unsigned(IMPORTS.length + i)]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector(IMPORTS.map(({ name, type }) => [...text("host"), ...text(name), 0, type]))),
    ...section(3, vector(bodies.map(({ type }) => [type]))),
    ...section(4, vector([[0x70, 0, ...unsigned(TABLE_COPY + 8)]])),
    ...section(13, vector([[0, signature(0, 0)]])),
    ...section(7, vector([...exports, [...text("table"), 1, 0]])),
    ...section(10, vector(code)),
  ]);
}
