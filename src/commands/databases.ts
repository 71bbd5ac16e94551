import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { CommandError, errors } from "../resp/errors.ts";

/**
 * Commands on whole databases. Flushing only puts an empty database in the old one's place; its memory is
 * given back in slices afterwards, so SYNC and ASYNC cost the same.
 */
export interface DatabaseDeps {
  readonly keyspace: Keyspace;
  readonly config: { readonly values: { readonly clusterEnabled: boolean } };
  /** With save points, an emptied data set is saved at once. */
  readonly persistence: { flushed(): void };
}

const SYNC = latin1Bytes("sync");
const ASYNC = latin1Bytes("async");

function checkFlushArguments(call: Call): void {
  if (call.argc > 2 || (call.argc === 2 && !call.is(1, SYNC) && !call.is(1, ASYNC)))
    throw new CommandError(errors.syntax);
}

function dbsize(call: Call): void {
  call.reply.int(call.db.size);
}

function flushdb(call: Call, { keyspace }: DatabaseDeps): void {
  checkFlushArguments(call);
  flushed(call, keyspace.flush(call.db.id));
}

function flushall(call: Call, { keyspace, persistence }: DatabaseDeps): void {
  checkFlushArguments(call);
  flushed(call, keyspace.flushAll());
  // After the command, whose own changes are then part of what is saved.
  queueMicrotask(() => persistence.flushed());
}

/** Propagated even where there was nothing to flush here: a replica may hold more. */
function flushed(call: Call, keys: number): void {
  call.dirty += keys;
  if (keys === 0 && call.recording)
    call.propagate(...Array.from({ length: call.argc }, (_, i) => call.bytes(i)));
  call.reply.ok();
}

function swapdb(call: Call, { keyspace, config }: DatabaseDeps): void {
  if (config.values.clusterEnabled) throw new CommandError("ERR SWAPDB is not allowed in cluster mode");
  const first = databaseIndex(call, 1, "ERR invalid first DB index");
  const second = databaseIndex(call, 2, "ERR invalid second DB index");
  if (first < 0 || first >= keyspace.count || second < 0 || second >= keyspace.count)
    throw new CommandError(errors.dbIndex);
  keyspace.swap(first, second);
  call.dirty++;
  call.reply.ok();
}

function databaseIndex(call: Call, i: number, message: string): number {
  const id = call.safeInt(i);
  if (Number.isNaN(id) || Math.abs(id) > 0x7fffffff) throw new CommandError(message);
  return id;
}

export function databaseCommands(deps: DatabaseDeps): CommandSpec[] {
  return [
    {
      name: "dbsize",
      arity: 1,
      flags: ["readonly", "fast"],
      categories: ["keyspace"],
      since: "1.0.0",
      group: "server",
      summary: "The number of keys in the database.",
      complexity: "O(1)",
      tips: ["request_policy:all_shards", "response_policy:agg_sum"],
      run: dbsize,
    },
    {
      name: "flushall",
      arity: -1,
      flags: ["write"],
      categories: ["keyspace", "dangerous"],
      since: "1.0.0",
      group: "server",
      summary: "Deletes all keys of all databases.",
      complexity: "O(N), N keys",
      args: "[flush-type=(ASYNC@4.0.0|SYNC@6.2.0)]",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      history: [
        ["4.0.0", "Option `ASYNC`."],
        ["6.2.0", "Option `SYNC`."],
      ],
      run: (call) => flushall(call, deps),
    },
    {
      name: "flushdb",
      arity: -1,
      flags: ["write"],
      categories: ["keyspace", "dangerous"],
      since: "1.0.0",
      group: "server",
      summary: "Deletes all keys of the database.",
      complexity: "O(N), N keys",
      args: "[flush-type=(ASYNC@4.0.0|SYNC@6.2.0)]",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      history: [
        ["4.0.0", "Option `ASYNC`."],
        ["6.2.0", "Option `SYNC`."],
      ],
      run: (call) => flushdb(call, deps),
    },
    {
      name: "swapdb",
      arity: 3,
      flags: ["write", "fast"],
      categories: ["keyspace", "dangerous"],
      since: "4.0.0",
      group: "server",
      summary: "Exchanges two databases.",
      complexity: "O(N), N clients that watch or block on keys of the two",
      args: "index1:integer index2:integer",
      run: (call) => swapdb(call, deps),
    },
  ];
}
