import { keyAt, keyRange, noted, oneKey } from "../call/key-specs.ts";
import { bitfieldKeys } from "../call/keys.ts";
import type { CommandSpec } from "../call/spec.ts";

import * as bits from "./bitmaps/bits.ts";
import * as fields from "./bitmaps/fields.ts";
import * as ranges from "./bitmaps/ranges.ts";
import type { StringLimits } from "./strings/setting.ts";

/** The bitmap commands; `limits` says how long a string may become. */
export function bitmapCommands(limits: StringLimits): CommandSpec[] {
  return [
    {
      name: "bitcount",
      arity: -2,
      flags: ["readonly"],
      categories: ["bitmap"],
      keys: [oneKey("RO", "access")],
      since: "2.6.0",
      group: "bitmap",
      summary: "Counts the bits that are set.",
      complexity: "O(N)",
      args: "key [range=(start:integer end:integer [unit=(BYTE|BIT)@7.0.0])]",
      history: [["7.0.0", "Option `BYTE|BIT`."]],
      run: ranges.bitcount,
    },
    {
      name: "bitfield",
      arity: -2,
      flags: ["write", "denyoom"],
      categories: ["bitmap"],
      keys: [
        noted("Reads, writes or both, by its operations", oneKey("RW", "access", "update", "variable_flags")),
      ],
      since: "3.2.0",
      group: "bitmap",
      summary: "Reads, writes and increments integers of any width inside a string.",
      complexity: "O(1) for each operation",
      args: "key [operation=(GET get-block=(encoding offset:integer)|write=([OVERFLOW overflow-block=(WRAP|SAT|FAIL)] write-operation=(SET set-block=(encoding offset:integer value:integer)|INCRBY incrby-block=(encoding offset:integer increment:integer))))...]",
      run: (call) => fields.bitfield(call, limits),
      getKeys: bitfieldKeys,
    },
    {
      name: "bitfield_ro",
      arity: -2,
      flags: ["readonly", "fast"],
      categories: ["bitmap"],
      keys: [oneKey("RO", "access")],
      since: "6.0.0",
      group: "bitmap",
      summary: "Reads integers of any width inside a string.",
      complexity: "O(1) for each operation",
      args: "key [GET... get-block=(encoding offset:integer)]",
      run: (call) => fields.bitfieldRo(call, limits),
    },
    {
      name: "bitop",
      arity: -4,
      flags: ["write", "denyoom"],
      categories: ["bitmap"],
      keys: [keyAt(2, "OW", "update"), keyRange(3, -1, 1, "RO", "access")],
      since: "2.6.0",
      group: "bitmap",
      summary: "Combines strings bit by bit and stores the result.",
      complexity: "O(N)",
      args: "operation=(AND|OR|XOR|NOT|DIFF@8.2.0|DIFF1@8.2.0|ANDOR@8.2.0|ONE@8.2.0) destkey:key key#1...",
      history: [["8.2.0", "Operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`."]],
      run: ranges.bitop,
    },
    {
      name: "bitpos",
      arity: -3,
      flags: ["readonly"],
      categories: ["bitmap"],
      keys: [oneKey("RO", "access")],
      since: "2.8.7",
      group: "bitmap",
      summary: "Finds the first bit that is set, or clear.",
      complexity: "O(N)",
      args: "key bit:integer [range=(start:integer [end-unit-block=(end:integer [unit=(BYTE|BIT)@7.0.0])])]",
      history: [["7.0.0", "Option `BYTE|BIT`."]],
      run: ranges.bitpos,
    },
    {
      name: "getbit",
      arity: 3,
      flags: ["readonly", "fast"],
      categories: ["bitmap"],
      keys: [oneKey("RO", "access")],
      since: "2.2.0",
      group: "bitmap",
      summary: "The bit at an offset.",
      complexity: "O(1)",
      args: "key offset:integer",
      run: (call) => bits.getbit(call, limits),
    },
    {
      name: "setbit",
      arity: 4,
      flags: ["write", "denyoom"],
      categories: ["bitmap"],
      keys: [oneKey("RW", "access", "update")],
      since: "2.2.0",
      group: "bitmap",
      summary: "Sets or clears the bit at an offset and returns the former one.",
      complexity: "O(1)",
      args: "key offset:integer value:integer",
      run: (call) => bits.setbit(call, limits),
    },
  ];
}
