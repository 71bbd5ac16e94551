import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { keyAt } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, errors } from "../resp/errors.ts";
import type { MemoryFigures } from "../stats/memory-figures.ts";
import { replyHelp } from "./help.ts";
import { diagnosis } from "./memory/doctor.ts";
import { mallocStatistics, replyFigures } from "./memory/report.ts";

/** MEMORY: what keys and the server as a whole take. */

export interface MemoryDeps {
  readonly memory: { figures(): MemoryFigures; purge(): void };
  readonly clients: { readonly count: number };
  readonly clustering: { readonly cluster: { readonly bus: { readonly memoryUse: number } } | null };
}

const HELP = [
  "DOCTOR",
  "    A report on memory problems.",
  "MALLOC-STATS",
  "    The allocator's own statistics.",
  "PURGE",
  "    Give free memory back to the system.",
  "STATS",
  "    Figures on what memory is used for.",
  "USAGE <key> [SAMPLES <count>]",
  "    The bytes that <key> takes with its value and its share of the index. Of nested",
  "    values <count> are measured (default: 5, 0 for all).",
];

/** Bytes of the index a key, where segments are as full as they are on average. */
const FULL_SHARE = 16;

const SAMPLES = latin1Bytes("samples");

/** Strings have nothing nested in them, so SAMPLES is checked and makes no difference. */
function usage(call: Call): void {
  for (let i = 3; i < call.argc; i += 2) {
    if (!call.is(i, SAMPLES) || i + 1 >= call.argc) throw new CommandError(errors.syntax);
    if (call.int(i + 1) < 0) throw new CommandError(errors.syntax);
  }
  const { db } = call;
  const position = db.find(call.buf, call.start[2]!, call.end[2]!);
  if (position === 0) call.reply.nil();
  else call.reply.int(db.records.memoryUse(position) + indexShare(db.index.memoryUse, db.size));
}

/** A key's part of the index, as long as there are enough keys to share it among. */
function indexShare(bytes: number, keys: number): number {
  return Math.min(FULL_SHARE, Math.ceil(bytes / keys));
}

function purge(call: Call, { memory }: MemoryDeps): void {
  memory.purge();
  call.reply.ok();
}

export function memoryCommands(deps: MemoryDeps): CommandSpec[] {
  return [
    {
      name: "memory",
      arity: -2,
      flags: [],
      categories: [],
      since: "4.0.0",
      group: "server",
      summary: "Commands about memory.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "doctor",
          arity: 2,
          flags: [],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "A report on how memory is used.",
          complexity: "O(1)",
          tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
          run: (call) => call.reply.verbatim("txt", diagnosis(deps.memory.figures(), deps.clients.count)),
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "memory", HELP),
        },
        {
          name: "malloc-stats",
          arity: 2,
          flags: [],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "The allocator's statistics.",
          complexity: "Grows with the memory allocated",
          tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
          run: (call) => call.reply.verbatim("txt", mallocStatistics(deps.memory.figures())),
        },
        {
          name: "purge",
          arity: 2,
          flags: [],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "Gives free memory back to the system.",
          complexity: "Grows with the memory allocated",
          tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
          run: (call) => purge(call, deps),
        },
        {
          name: "stats",
          arity: 2,
          flags: [],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "Figures on how memory is used.",
          complexity: "O(1)",
          tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
          run: (call) =>
            replyFigures(call.reply, deps.memory.figures(), deps.clustering.cluster?.bus.memoryUse ?? 0),
        },
        {
          name: "usage",
          arity: -3,
          flags: ["readonly"],
          categories: [],
          keys: [keyAt(2, "RO")],
          since: "4.0.0",
          group: "server",
          summary: "The bytes that a key takes.",
          complexity: "O(N), N samples",
          args: "key [SAMPLES count:integer]",
          run: usage,
        },
      ],
    },
  ];
}
