import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { keyAt } from "../call/key-specs.ts";
import { migrateKeys } from "../call/keys.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Migrations, Outcome } from "../cluster/migrations.ts";
import { NOTIFY } from "../config/special.ts";
import { CommandError, errors } from "../resp/errors.ts";

/** MIGRATE: DUMP here, RESTORE on another server, DEL here (https://redis.io/docs/latest/commands/migrate/). */
export interface MigrateDeps {
  readonly migrations: Pick<Migrations, "begin" | "now" | "outcome">;
  readonly config: { readonly values: { readonly clusterEnabled: boolean } };
}

const COPY = latin1Bytes("copy");
const REPLACE = latin1Bytes("replace");
const AUTH = latin1Bytes("auth");
const AUTH2 = latin1Bytes("auth2");
const KEYS = latin1Bytes("keys");
const DEL = latin1Bytes("DEL");
/** Milliseconds that are taken for a timeout of 0 or less. */
const DEFAULT_TIMEOUT = 1000;

class Options {
  copy = false;
  replace = false;
  auth: Uint8Array[] = [];
  firstKey = 3;
  lastKey = 3;
}

function readOptions(call: Call): Options {
  const options = new Options();
  for (let i = 6; i < call.argc; i++) {
    if (call.is(i, COPY)) options.copy = true;
    else if (call.is(i, REPLACE)) options.replace = true;
    else if (call.is(i, AUTH)) {
      if (i + 1 >= call.argc) throw new CommandError(errors.syntax);
      call.redact(++i);
      options.auth = [call.bytes(i)];
    } else if (call.is(i, AUTH2)) {
      if (i + 2 >= call.argc) throw new CommandError(errors.syntax);
      call.redact(++i);
      call.redact(++i);
      options.auth = [call.bytes(i - 1), call.bytes(i)];
    } else if (call.is(i, KEYS)) {
      if (call.length(3) > 0)
        throw new CommandError(
          "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        );
      options.firstKey = i + 1;
      options.lastKey = call.argc - 1;
      break;
    } else throw new CommandError(errors.syntax);
  }
  return options;
}

function migrate(call: Call, { migrations, config }: MigrateDeps): void {
  // The arguments are read again at the end as well, for what is to be redacted.
  const { copy, replace, auth, firstKey, lastKey } = readOptions(call);
  const outcome = migrations.outcome(call);
  if (outcome !== null) return conclude(call, outcome);
  const timeout = call.int(5);
  const database = call.int(4);
  const keys: Uint8Array[] = [];
  for (let i = firstKey; i <= lastKey; i++) if (call.lookup(i) !== 0) keys.push(call.bytes(i));
  if (keys.length === 0) return call.reply.simple("NOKEY");
  const request = {
    host: call.text(1),
    port: Number.parseInt(call.text(2), 10) || 0,
    auth,
    keys,
    source: call.db,
    database,
    timeoutMs: timeout <= 0 ? DEFAULT_TIMEOUT : timeout,
    copy,
    replace,
    asking: config.values.clusterEnabled,
  };
  if (call.session.denyBlocking) conclude(call, migrations.now(request));
  else migrations.begin(call, request);
}

/** Deletes what the target has accepted, and answers. */
function conclude(call: Call, { copy, accepted, error }: Outcome): void {
  const removed: Uint8Array[] = [];
  if (!copy)
    for (const key of accepted) {
      const position = call.db.find(key, 0, key.length);
      if (position === 0) continue;
      call.db.remove(position);
      call.db.event(NOTIFY.generic, "del", key, 0, key.length);
      removed.push(key);
    }
  if (removed.length > 0) {
    call.dirty += removed.length;
    if (call.recording) call.propagate(DEL, ...removed);
  }
  // Not thrown: what has been deleted is to be propagated.
  if (error === null) call.reply.ok();
  else call.reply.error(error);
}

export function migrateCommands(deps: MigrateDeps): CommandSpec[] {
  return [
    {
      name: "migrate",
      movesSlots: true,
      arity: -6,
      flags: ["write"],
      categories: ["keyspace", "dangerous"],
      keys: [
        keyAt(3, "RW", "access", "delete"),
        {
          flags: ["RW", "access", "delete", "incomplete"],
          begin: { keyword: "KEYS", startFrom: -2 },
          find: { lastKey: -1, step: 1, limit: 0 },
        },
      ],
      getKeys: migrateKeys,
      since: "2.6.0",
      group: "generic",
      summary: "Moves keys to another server.",
      complexity: "That of DUMP and DEL here and of RESTORE there, plus O(N) for N bytes sent",
      args: 'host port:integer key-selector=(key|empty-string=\'\') destination-db:integer timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] [authentication=(AUTH auth"password"@4.0.7|AUTH2 auth2=(username password)@6.0.0)] [KEYS keys:key#1"key"...@3.0.6]',
      tips: ["nondeterministic_output"],
      history: [
        ["3.0.0", "Options `COPY` and `REPLACE`."],
        ["3.0.6", "Option `KEYS`."],
        ["4.0.7", "Option `AUTH`."],
        ["6.0.0", "Option `AUTH2`."],
      ],
      run: (call) => migrate(call, deps),
    },
  ];
}
