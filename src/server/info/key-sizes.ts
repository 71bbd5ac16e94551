import type { Hold } from "../../blocking/blocking.ts";
import type { Call } from "../../call/call.ts";
import type { Database } from "../../keyspace/database.ts";
import { KeySizes, SIZE_BINS, SIZED_TYPES } from "../../keyspace/key-sizes.ts";
import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/**
 * INFO's section keysizes: "db0_distrib_strings_sizes:1=3,2=5,1K=1".
 *
 * A small data set is walked at once. Else the client waits while a walk goes over the keys in slices between
 * events, and INFO is executed again when it has ended; who asks meanwhile waits for a walk of its own, since the one
 * under way may have passed by what was written before. Where nobody can wait (a transaction, a script) the walk is
 * not cut.
 */
/** Keys that are walked in about a millisecond. */
const AT_ONCE = 5000;
const SLICE_MS = 1;
/** Between looks whether commands can be executed again. */
const PAUSED_MS = 20;

const FIELDS = [
  "distrib_strings_sizes",
  "distrib_lists_items",
  "distrib_sets_items",
  "distrib_zsets_items",
  "distrib_hashes_items",
];
const LABELS = ["0"];
for (const unit of ["", "K", "M", "G", "T", "P", "E"])
  for (let i = 0; i < 10 && LABELS.length < SIZE_BINS; i++) LABELS.push(`${2 ** i}${unit}`);

export class KeySizesWalks {
  private waiting: Hold[] = [];
  private walk: { sizes: Map<Database, KeySizes>; holds: Hold[] } | null = null;
  /** Of the walk that has just ended, while those that waited for it are answered. */
  private finished: Map<Database, KeySizes> | null = null;

  constructor(private readonly server: Server) {}

  /** Whether INFO is executed again later, when the sizes are known. */
  holds(call: Call): boolean {
    const { keyspace, blocking } = this.server;
    if (this.finished !== null || call.session.denyBlocking || keyspace.size <= AT_ONCE) return false;
    this.waiting.push(blocking.hold(call));
    if (this.walk === null) this.begin();
    return true;
  }

  fields(): Field[] {
    const databases = [...this.server.keyspace.all()].filter(({ size }) => size > 0);
    return databases
      .sort((a, b) => a.id - b.id)
      .flatMap((database) => {
        let sizes = this.finished?.get(database);
        if (sizes === undefined) {
          sizes = new KeySizes(database);
          sizes.step(() => false);
        }
        return lines(database.id, sizes);
      });
  }

  private begin(): void {
    const sizes = new Map<Database, KeySizes>();
    for (const database of this.server.keyspace.all()) {
      // Flushed meanwhile, it must not be taken apart.
      database.holds++;
      sizes.set(database, new KeySizes(database));
    }
    this.walk = { sizes, holds: this.waiting };
    this.waiting = [];
    setTimeout(this.slice, 0);
  }

  private readonly slice = (): void => {
    const { sizes, holds } = this.walk!;
    const { blocking } = this.server;
    const end = performance.now() + SLICE_MS;
    const outOfTime = (): boolean => performance.now() >= end;
    for (const each of sizes.values()) if (!each.step(outOfTime)) return void setTimeout(this.slice, 0);
    if (blocking.paused) return void setTimeout(this.slice, PAUSED_MS);
    this.walk = null;
    for (const database of sizes.keys()) database.holds--;
    this.finished = sizes;
    try {
      for (const hold of holds) blocking.resume(hold);
    } finally {
      this.finished = null;
    }
    if (this.waiting.length > 0) this.begin();
  };
}

function lines(id: number, { counts }: KeySizes): Field[] {
  const fields: Field[] = [];
  for (const type of SIZED_TYPES) {
    const bins: string[] = [];
    for (let bin = 0; bin < SIZE_BINS; bin++) {
      const count = counts[type * SIZE_BINS + bin]!;
      if (count > 0) bins.push(`${LABELS[bin]}=${count}`);
    }
    if (bins.length > 0) fields.push([`db${id}_${FIELDS[type]}`, bins.join(",")]);
  }
  return fields;
}
