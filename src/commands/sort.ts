import type { Acl } from "../acl/acl.ts";
import { noted, oneKey, unknownKeys } from "../call/key-specs.ts";
import { sortKeys, sortRoKeys } from "../call/keys.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { HashLimits } from "../types/hash.ts";
import type { SetLimits } from "../types/set.ts";
import { type ListDeps, listLimits } from "./lists/deps.ts";
import { type Sorting, sort } from "./sort/handlers.ts";
import { hashFields, sortSources } from "./sort/sources.ts";

export type SortDeps = Pick<ListDeps, "debugSettings"> & {
  readonly acl: Pick<Acl, "mayReadAnyKey">;
  readonly config: {
    readonly values: ListDeps["config"]["values"] &
      SetLimits &
      HashLimits & { readonly clusterEnabled: boolean };
  };
};

const OPTIONS =
  'key [BY by-pattern:pattern#1"pattern"] [LIMIT limit=(offset:integer count:integer)] ' +
  '[GET... get-pattern:pattern#1"pattern"] [order=(ASC|DESC)] [sorting=ALPHA]';

/** SORT and SORT_RO. */
export function sortCommands(deps: SortDeps): CommandSpec[] {
  const limits = listLimits(deps);
  const sorting: Sorting = {
    sources: sortSources(limits, deps.config.values),
    fields: hashFields(deps.config.values),
    limits,
    mayReadAnyKey: (call) => deps.acl.mayReadAnyKey(call),
    inCluster: () => deps.config.values.clusterEnabled,
  };
  return [
    {
      name: "sort",
      arity: -2,
      flags: ["write", "denyoom"],
      categories: ["set", "sortedset", "list", "dangerous"],
      keys: [
        oneKey("RO", "access"),
        noted(
          "Of BY and GET: their keys' names follow from the elements sorted",
          unknownKeys("RO", "access"),
        ),
        noted("Of STORE, which may stand anywhere among the options", unknownKeys("OW", "update")),
      ],
      since: "1.0.0",
      group: "generic",
      summary: "Sorts the elements of a list, set or sorted set and returns or stores them.",
      complexity: "O(N+M*log(M)), N elements of which M are returned; O(N) when not sorting",
      args: `${OPTIONS} [STORE destination:key#2]`,
      run: (call) => sort(call, sorting, false),
      getKeys: sortKeys,
    },
    {
      name: "sort_ro",
      arity: -2,
      flags: ["readonly"],
      categories: ["set", "sortedset", "list", "dangerous"],
      keys: [
        oneKey("RO", "access"),
        noted(
          "Of BY and GET: their keys' names follow from the elements sorted",
          unknownKeys("RO", "access"),
        ),
      ],
      since: "7.0.0",
      group: "generic",
      summary: "Sorts the elements of a list, set or sorted set and returns them.",
      complexity: "O(N+M*log(M)), N elements of which M are returned; O(N) when not sorting",
      args: OPTIONS,
      run: (call) => sort(call, sorting, true),
      getKeys: sortRoKeys,
    },
  ];
}
