import { oneKey } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";
import { vadd, vrem, vsetattr } from "./vectors/changing.ts";
import { vrandmember, vrange } from "./vectors/naming.ts";
import { vcard, vdim, vemb, vgetattr, vinfo, vismember, vlinks } from "./vectors/reading.ts";
import { vsim } from "./vectors/searching.ts";

/** Vector set commands (Redis 8.0, where they are those of a module). */

type Row = Omit<CommandSpec, "since" | "group" | "categories" | "keys" | "flags">;

function reading(row: Row, since = "8.0.0"): CommandSpec {
  return {
    ...row,
    flags: ["readonly"],
    categories: [],
    keys: [oneKey("RO", "access")],
    since,
    group: "module",
  };
}

function writing(row: Row, access: "insert" | "update" | "delete", flags: CommandSpec["flags"]): CommandSpec {
  return { ...row, flags, categories: [], keys: [oneKey("RW", access)], since: "8.0.0", group: "module" };
}

export function vectorCommands(): CommandSpec[] {
  return [
    writing(
      {
        name: "vadd",
        arity: -5,
        summary: "Sets the vector of an element of a vector set, creating the set where there is none.",
        complexity: "O(log(N)), N elements",
        args: "key [REDUCE dim:integer] vector=(FP32 blob|VALUES values=(count:integer value:double...)) element [CAS] [quantization=(NOQUANT|BIN|Q8)] [EF effort:integer] [SETATTR attributes] [M links:integer]",
        run: vadd,
      },
      "update",
      ["write", "denyoom"],
    ),
    reading({
      name: "vcard",
      arity: 2,
      summary: "The number of elements of a vector set.",
      complexity: "O(1)",
      args: "key",
      run: vcard,
    }),
    reading({
      name: "vdim",
      arity: 2,
      summary: "The number of components of the vectors of a vector set.",
      complexity: "O(1)",
      args: "key",
      run: vdim,
    }),
    reading({
      name: "vemb",
      arity: -3,
      summary: "The vector of an element, as far as it is kept.",
      complexity: "O(1)",
      args: "key element [RAW]",
      run: vemb,
    }),
    reading({
      name: "vgetattr",
      arity: 3,
      summary: "The attributes of an element.",
      complexity: "O(1)",
      args: "key element",
      run: vgetattr,
    }),
    reading({
      name: "vinfo",
      arity: 2,
      summary: "What a vector set is like.",
      complexity: "O(1)",
      args: "key",
      run: vinfo,
    }),
    reading({
      name: "vismember",
      arity: 3,
      summary: "Whether a vector set has an element.",
      complexity: "O(1)",
      args: "key element",
      run: vismember,
    }),
    reading({
      name: "vlinks",
      arity: -3,
      summary: "The elements that an element is linked with, layer by layer.",
      complexity: "O(1)",
      args: "key element [WITHSCORES]",
      run: vlinks,
    }),
    reading({
      name: "vrandmember",
      arity: -2,
      summary: "Random elements of a vector set.",
      complexity: "O(N), N elements that are asked for, or all where those are a fifth of them or more",
      args: "key [count:integer]",
      tips: ["nondeterministic_output"],
      run: vrandmember,
    }),
    reading(
      {
        name: "vrange",
        arity: -4,
        summary: "The elements between two names, in the order of their names.",
        complexity: "O(log(N)+M), N elements, of which M are returned",
        args: "key start end [count:integer]",
        run: vrange,
      },
      "8.4.0",
    ),
    writing(
      {
        name: "vrem",
        arity: 3,
        summary: "Removes an element of a vector set.",
        complexity: "O(log(N)), N elements",
        args: "key element",
        run: vrem,
      },
      "delete",
      ["write"],
    ),
    writing(
      {
        name: "vsetattr",
        arity: 4,
        summary: "Sets or removes the attributes of an element.",
        complexity: "O(1)",
        args: "key element attributes",
        run: vsetattr,
      },
      "update",
      ["write"],
    ),
    reading({
      name: "vsim",
      arity: -4,
      summary: "The elements whose vectors are nearest to a vector.",
      complexity: "O(log(N)), N elements; O(N) with TRUTH",
      args: "key vector=(ELE element|FP32 blob|VALUES values=(count:integer value:double...)) [WITHSCORES] [WITHATTRIBS] [COUNT count:integer] [EPSILON distance:double] [EF effort:integer] [FILTER expression] [FILTER-EF effort:integer] [TRUTH] [NOTHREAD]",
      run: vsim,
    }),
  ];
}
