import { oneKey } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";
import * as aggregating from "./arrays/aggregating.ts";
import * as elements from "./arrays/elements.ts";
import * as info from "./arrays/info.ts";
import * as inserting from "./arrays/inserting.ts";
import * as scanning from "./arrays/scanning.ts";

/** Array commands (Redis 8.8). */

type Row = Omit<CommandSpec, "since" | "group" | "categories" | "keys">;

function reading(row: Omit<Row, "flags">, fast = false): CommandSpec {
  const flags: CommandSpec["flags"] = fast ? ["readonly", "fast"] : ["readonly"];
  return {
    ...row,
    flags,
    categories: ["array"],
    keys: [oneKey("RO", "access")],
    since: "8.8.0",
    group: "array",
  };
}

function writing(row: Row, ...access: ("update" | "delete")[]): CommandSpec {
  return { ...row, categories: ["array"], keys: [oneKey("RW", ...access)], since: "8.8.0", group: "array" };
}

export function arrayCommands(): CommandSpec[] {
  return [
    reading(
      {
        name: "arcount",
        arity: 2,
        summary: "The number of elements of an array.",
        complexity: "O(1)",
        args: "key",
        run: elements.arcount,
      },
      true,
    ),
    writing(
      {
        name: "ardel",
        arity: -3,
        flags: ["write", "fast"],
        summary: "Removes elements of an array.",
        complexity: "O(N), N indexes",
        args: "key index:integer...",
        run: elements.ardel,
      },
      "delete",
    ),
    writing(
      {
        name: "ardelrange",
        arity: -4,
        flags: ["write"],
        summary: "Removes the elements of an array between indexes.",
        complexity: "O(N), N elements there are in the ranges",
        args: "key range=(start:integer end:integer)...",
        run: elements.ardelrange,
      },
      "delete",
    ),
    reading(
      {
        name: "arget",
        arity: 3,
        summary: "An element of an array.",
        complexity: "O(log N), N elements",
        args: "key index:integer",
        run: elements.arget,
      },
      true,
    ),
    reading({
      name: "argetrange",
      arity: 4,
      summary: "The elements of an array between two indexes, with nulls for those that are not there.",
      complexity: "O(N), N indexes",
      args: "key start:integer end:integer",
      run: elements.argetrange,
    }),
    reading({
      name: "argrep",
      arity: -6,
      summary: "The indexes of elements of an array whose text is as wanted.",
      complexity: "O(N), N elements between the indexes, times what it takes to look at one",
      args: "key start end predicate=(exact=(EXACT string)|match=(MATCH string)|glob=(GLOB pattern)|re=(RE pattern))... [options=(AND|OR|LIMIT limit:integer|WITHVALUES|NOCASE)...]",
      run: scanning.argrep,
    }),
    reading({
      name: "arinfo",
      arity: -2,
      summary: "Facts about an array.",
      complexity: "O(1)",
      args: "key [FULL]",
      run: info.arinfo,
    }),
    writing(
      {
        name: "arinsert",
        arity: -3,
        flags: ["write", "denyoom", "fast"],
        summary: "Writes elements behind the one that was inserted last.",
        complexity: "O(N), N values",
        args: "key value...",
        run: inserting.arinsert,
      },
      "update",
    ),
    reading({
      name: "arlastitems",
      arity: -3,
      summary: "The elements that were inserted last.",
      complexity: "O(N), N elements",
      args: "key count:integer [REV]",
      run: inserting.arlastitems,
    }),
    reading(
      {
        name: "arlen",
        arity: 2,
        summary: "The highest index of an array, plus one.",
        complexity: "O(1)",
        args: "key",
        run: elements.arlen,
      },
      true,
    ),
    reading(
      {
        name: "armget",
        arity: -3,
        summary: "Elements of an array.",
        complexity: "O(N), N indexes",
        args: "key index:integer...",
        run: elements.armget,
      },
      true,
    ),
    writing(
      {
        name: "armset",
        arity: -4,
        flags: ["write", "denyoom", "fast"],
        summary: "Sets elements of an array, creating it where there is none.",
        complexity: "O(N), N pairs",
        args: "key data=(index:integer value)...",
        run: elements.armset,
      },
      "update",
    ),
    reading(
      {
        name: "arnext",
        arity: 2,
        summary: "The index at which the next element is inserted.",
        complexity: "O(1)",
        args: "key",
        run: inserting.arnext,
      },
      true,
    ),
    reading({
      name: "arop",
      arity: -5,
      summary: "Sums, extremes, bits and counts of the elements of an array between two indexes.",
      complexity: "O(N), N elements between the indexes",
      args: "key start:integer end:integer operation=(SUM|MIN|MAX|AND|OR|XOR|match=(MATCH value)|USED)",
      run: aggregating.arop,
    }),
    writing(
      {
        name: "arring",
        arity: -4,
        flags: ["write", "denyoom"],
        summary: "Writes elements into an array of a fixed size, the new ones over the oldest.",
        complexity: "O(M), M values; O(N+M) where the size changes",
        args: "key size:integer value...",
        run: inserting.arring,
      },
      "update",
    ),
    reading({
      name: "arscan",
      arity: -4,
      summary: "The elements that an array has between two indexes.",
      complexity: "O(N), N elements between the indexes",
      args: "key start:integer end:integer [LIMIT limit:integer]",
      run: scanning.arscan,
    }),
    writing(
      {
        name: "arseek",
        arity: 3,
        flags: ["write", "fast"],
        summary: "Says at which index the next element is to be inserted.",
        complexity: "O(1)",
        args: "key index:integer",
        run: inserting.arseek,
      },
      "update",
    ),
    writing(
      {
        name: "arset",
        arity: -4,
        flags: ["write", "denyoom", "fast"],
        summary: "Sets neighbouring elements of an array, creating it where there is none.",
        complexity: "O(N), N values",
        args: "key index:integer value...",
        run: elements.arset,
      },
      "update",
    ),
  ];
}
