import { allKeys, keyAt, keyRange, noted, oneKey } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";

import * as counting from "./hyperloglog/counting.ts";
import * as debugging from "./hyperloglog/debugging.ts";
import type { HyperLogLogDeps } from "./hyperloglog/values.ts";

/** The HyperLogLog commands; the limit of the sparse form is read anew by each. */
export function hyperloglogCommands(deps: HyperLogLogDeps): CommandSpec[] {
  return [
    {
      name: "pfadd",
      arity: -2,
      flags: ["write", "denyoom", "fast"],
      categories: ["hyperloglog"],
      keys: [oneKey("RW", "insert")],
      since: "2.8.9",
      group: "hyperloglog",
      summary: "Adds elements to a HyperLogLog, creating it where there is none.",
      complexity: "O(1) for each element",
      args: "key [element...]",
      run: (call) => counting.pfadd(call, deps),
    },
    {
      name: "pfcount",
      arity: -2,
      flags: ["readonly", "may_replicate"],
      categories: ["hyperloglog"],
      keys: [noted("May update the cached estimate inside the value", allKeys("RW", "access"))],
      since: "2.8.9",
      group: "hyperloglog",
      summary: "Estimates how many different elements were added to one or several HyperLogLogs together.",
      complexity: "O(1) for one key, with a small constant; O(N) for N keys, with a large one",
      args: "key...",
      run: counting.pfcount,
    },
    {
      name: "pfdebug",
      arity: 3,
      flags: ["write", "denyoom", "admin"],
      categories: ["hyperloglog"],
      keys: [keyAt(2, "RW", "access")],
      since: "2.8.9",
      group: "hyperloglog",
      summary: "Internal: looks into a HyperLogLog.",
      complexity: "N/A",
      args: "subcommand key",
      run: debugging.pfdebug,
    },
    {
      name: "pfmerge",
      arity: -2,
      flags: ["write", "denyoom"],
      categories: ["hyperloglog"],
      keys: [oneKey("RW", "access", "insert"), keyRange(2, -1, 1, "RO", "access")],
      since: "2.8.9",
      group: "hyperloglog",
      summary: "Merges HyperLogLogs into one.",
      complexity: "O(N), N keys, with a large constant",
      args: "destkey:key [sourcekey:key#1...]",
      run: (call) => counting.pfmerge(call, deps),
    },
    {
      name: "pfselftest",
      arity: 1,
      flags: ["admin"],
      categories: ["hyperloglog"],
      since: "2.8.9",
      group: "hyperloglog",
      summary: "Internal: tests the HyperLogLog implementation.",
      complexity: "N/A",
      run: (call) => debugging.pfselftest(call, deps),
    },
  ];
}
