// The configuration in force.
//
//   config.values.maxmemory       plain typed properties, one a directive: what hot code reads. The object
//                                 stays the same for the process's life, so it may be kept.
//   config.get / config.set       CONFIG GET and CONFIG SET. A set is all or nothing: every pair is checked,
//                                 then all are stored, then the hooks of what changed run; a refusal at any
//                                 point puts everything back and runs the hooks again on the old values.
//   config.onApply                a hook of another room that makes a change take effect (relisten, resize).
//   config.assign                 the server's own changes (REPLICAOF, limits lowered at boot); no hooks.
//
// Numbers beyond 2^53 are rounded in `values`; their exact text is kept beside them for GET and REWRITE.

import { join } from "node:path";
import { globMatch } from "../bytes/glob.ts";
import { ConfigError, InvalidValue } from "./errors.ts";
import type { ConfigHost, Directive, ParseContext } from "./kinds.ts";
import {
  type ConfigKey,
  type ConfigValues,
  type DirectiveName,
  type Entry,
  entries,
  findEntry,
  initialValues,
} from "./table.ts";
import { decodeBytes, encodeBytes, splitAtSpaces } from "./text.ts";

/** Returns the reason for which the new values cannot take effect, or null. */
export type ApplyHook = (values: Readonly<ConfigValues>, previous: Readonly<ConfigValues>) => string | null;

export interface SetContext {
  /** The client came over a Unix socket or from a loopback address. */
  readonly local: boolean;
  /** The data set is being loaded. */
  readonly loading: boolean;
}

interface Snapshot {
  readonly values: ConfigValues;
  readonly exact: ReadonlyMap<ConfigKey, string>;
}

interface DueHook {
  readonly hook: ApplyHook;
  /** The first changed directive that asked for it: errors are blamed on it. */
  readonly name: string;
}

const LOADING = "Redis is loading the dataset in memory";

const processHost: ConfigHost = {
  changeDirectory: (path) => process.chdir(decodeBytes(path)),
  currentDirectory: () => encodeBytes(process.cwd()),
  root: () => "",
  warn: () => {},
};

export class Config {
  readonly values: Readonly<ConfigValues>;
  /** Absolute path of the file given at start: what CONFIG REWRITE writes. */
  configFile: string | null = null;

  readonly #values: ConfigValues = initialValues();
  readonly #exact = new Map<ConfigKey, string>();
  readonly #hooks = new Map<ConfigKey, ApplyHook[]>();
  readonly #loaded = new Set<ConfigKey>();
  readonly #host: ConfigHost;

  constructor(host: Partial<ConfigHost> = {}) {
    this.#host = { ...processHost, ...host };
    this.#values.dir = this.#host.currentDirectory();
    this.values = this.#values;
  }

  /** CONFIG GET: name and text of each match; an exact name is returned as it was asked for. */
  get(patterns: readonly string[]): [name: string, text: string][] {
    const found = new Map<string, [string, string]>();
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const entry = findEntry(pattern);
        if (entry !== undefined && !found.has(entry.name)) {
          found.set(entry.name, [pattern, this.#text(entry)]);
        }
        continue;
      }
      const glob = Buffer.from(pattern, "latin1");
      for (const entry of entries) {
        if (entry.directive.hidden || found.has(entry.name)) continue;
        if (globMatch(glob, Buffer.from(entry.name, "latin1"), true)) {
          found.set(entry.name, [entry.name, this.#text(entry)]);
        }
      }
    }
    return [...found.values()];
  }

  /** The text CONFIG GET reports for one directive. */
  text(name: DirectiveName): string {
    return this.#text(findEntry(name)!);
  }

  isSensitive(name: string): boolean {
    return findEntry(name)?.directive.sensitive === true;
  }

  /** CONFIG SET; throws ConfigError with Redis's reply. */
  set(pairs: readonly (readonly [name: string, value: string])[], context: SetContext): void {
    const changes = this.#check(pairs, context);
    const before = this.#snapshot();
    const due: DueHook[] = [];
    for (const { entry, value } of changes) {
      const args = entry.directive.multi ? splitAtSpaces(value) : [value];
      const old = this.#text(entry);
      try {
        this.#store(entry, args, "no");
      } catch (error) {
        this.#restore(before, changes);
        if (!(error instanceof InvalidValue)) throw error;
        throw refused(entry.name, error.message);
      }
      if (this.#text(entry) === old && !entry.directive.volatile) continue;
      for (const hook of this.#hooks.get(entry.key) ?? []) {
        if (!due.some((each) => each.hook === hook)) due.push({ hook, name: entry.name });
      }
    }
    this.#apply(due, before, changes);
  }

  /** One line of redis.conf or of the command line; throws InvalidValue, runs no hooks. */
  load(entry: Entry, args: readonly string[]): void {
    this.#store(entry, args, this.#loaded.has(entry.key) ? "again" : "first");
    this.#loaded.add(entry.key);
  }

  /** Where relative names of data files begin; "": in the process's own directory, which `dir` has moved. */
  get root(): string {
    return this.#host.root();
  }

  /** The path of a data file (a byte string, as directives are). */
  path(name: string): string {
    const path = decodeBytes(name);
    return this.root === "" || path === "" ? path : join(this.root, path);
  }

  assign<Key extends ConfigKey>(key: Key, value: ConfigValues[Key]): void {
    this.#values[key] = value;
    this.#exact.delete(key);
  }

  /** A hook that serves several directives runs once for a CONFIG SET that changes more than one of them. */
  onApply(names: DirectiveName | readonly DirectiveName[], hook: ApplyHook): void {
    for (const name of typeof names === "string" ? [names] : names) {
      const { key } = findEntry(name)!;
      this.#hooks.set(key, [...(this.#hooks.get(key) ?? []), hook]);
    }
  }

  #check(pairs: readonly (readonly [string, string])[], { local, loading }: SetContext): Change[] {
    const changes: Change[] = [];
    const action = this.values.enableProtectedConfigs;
    const mayProtected = action === "yes" || (action === "local" && local);
    for (const [name, value] of pairs) {
      const entry = findEntry(name);
      if (entry === undefined) {
        throw new ConfigError(`Unknown option or number of arguments for CONFIG SET - '${name}'`);
      }
      const { directive } = entry;
      if (directive.immutable) throw refused(name, "can't set immutable config");
      if (directive.protected && !mayProtected) throw refused(name, "can't set protected config");
      if (directive.denyLoading && loading) throw new ConfigError(LOADING, "LOADING");
      if (changes.some((each) => each.entry === entry)) throw refused(name, "duplicate parameter");
      changes.push({ entry, value });
    }
    return changes;
  }

  #apply(due: readonly DueHook[], before: Snapshot, changes: readonly Change[]): void {
    for (const { hook, name } of due) {
      let reason: string | null;
      try {
        reason = hook(this.values, before.values);
      } catch (error) {
        this.#revert(due, before, changes);
        throw error;
      }
      if (reason === null) continue;
      this.#revert(due, before, changes);
      throw refused(name, reason);
    }
  }

  #revert(due: readonly DueHook[], before: Snapshot, changes: readonly Change[]): void {
    const attempted = this.#snapshot();
    this.#restore(before, changes);
    for (const { hook } of due) {
      const reason = hook(this.values, attempted.values);
      if (reason !== null) this.#host.warn(`Failed applying restored failed CONFIG SET command: ${reason}`);
    }
  }

  #store(entry: Entry, args: readonly string[], loading: ParseContext<unknown>["loading"]): void {
    const { key, directive } = entry;
    const value = directive.parse(args, { current: this.#values[key], loading, host: this.#host });
    this.#write(key, value);
    const exact = directive.exact?.(args) ?? null;
    if (exact === null) this.#exact.delete(key);
    else this.#exact.set(key, exact);
  }

  /** The one place where the table's promise, that a row parses to its own type, is taken on trust. */
  #write(key: ConfigKey, value: unknown): void {
    (this.#values as Record<ConfigKey, unknown>)[key] = value;
  }

  #text({ key, directive }: { key: ConfigKey; directive: Directive }): string {
    return this.#exact.get(key) ?? directive.format(this.#values[key]);
  }

  #snapshot(): Snapshot {
    return { values: { ...this.#values }, exact: new Map(this.#exact) };
  }

  #restore({ values, exact }: Snapshot, changes: readonly Change[]): void {
    Object.assign(this.#values, values);
    this.#exact.clear();
    for (const [key, text] of exact) this.#exact.set(key, text);
    for (const { entry } of changes) {
      if (!entry.directive.effect) continue;
      try {
        this.#store(entry, [this.#text(entry)], "no");
      } catch (error) {
        this.#host.warn(
          `Failed restoring failed CONFIG SET command. Error setting ${entry.name} to ` +
            `'${this.#text(entry)}': ${error instanceof Error ? error.message : error}`,
        );
      }
    }
  }
}

interface Change {
  readonly entry: Entry;
  readonly value: string;
}

function refused(name: string, reason: string): ConfigError {
  return new ConfigError(`CONFIG SET failed (possibly related to argument '${name}') - ${reason}`);
}
