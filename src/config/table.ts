// The table of all directives of Redis 7.2, and what follows from it: the type of `config.values` (one property
// a directive, named in camel case) and the look-up of a row by name or alias. The rows are in directives/*.

import { dataDirectives } from "./directives/data.ts";
import { networkDirectives } from "./directives/network.ts";
import { persistenceDirectives } from "./directives/persistence.ts";
import { replicationDirectives } from "./directives/replication.ts";
import { serverDirectives } from "./directives/server.ts";
import type { Directive } from "./kinds.ts";

const rows = [
  ...serverDirectives,
  ...networkDirectives,
  ...dataDirectives,
  ...persistenceDirectives,
  ...replicationDirectives,
] as const;

type Row = (typeof rows)[number];

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<CamelCase<Tail>>}`
    : Name;

export type ConfigValues = {
  -readonly [R in Row as CamelCase<R["name"]>]: R["initial"];
};
export type ConfigKey = keyof ConfigValues;
export type DirectiveName = Row["name"];

/** One name of CONFIG GET: an alias is an entry of its own that shares the directive and its value. */
export interface Entry {
  readonly name: string;
  readonly key: ConfigKey;
  readonly directive: Directive;
  readonly isAlias: boolean;
}

function camelCase(name: string): ConfigKey {
  return name.replace(/[-_](.)/g, (_all, letter: string) => letter.toUpperCase()) as ConfigKey;
}

export const directives: readonly Directive[] = rows;

/** In the table's order, an alias right after its directive. */
export const entries: readonly Entry[] = directives.flatMap((directive) => {
  const entry = { name: directive.name, key: camelCase(directive.name), directive, isAlias: false };
  const { alias } = directive;
  return alias === undefined ? [entry] : [entry, { ...entry, name: alias, isAlias: true }];
});

const byName: ReadonlyMap<string, Entry> = new Map(entries.map((entry) => [entry.name, entry]));

export function findEntry(name: string): Entry | undefined {
  return byName.get(name) ?? byName.get(name.toLowerCase());
}

export function initialValues(): ConfigValues {
  const values = directives.map((directive) => [camelCase(directive.name), directive.initial] as const);
  return Object.fromEntries(values) as ConfigValues;
}
