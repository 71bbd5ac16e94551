import type { Call } from "../call/call.ts";
import { keyAt } from "../call/key-specs.ts";
import type { CommandSpec } from "../call/spec.ts";

import { ENC_INT } from "../keyspace/record.ts";
import { CommandError } from "../resp/errors.ts";
import { encodingName } from "./object/encoding.ts";

const NO_LFU =
  "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching " +
  "between policies at runtime LRU and LFU data will take some time to adjust.";
const NO_LRU =
  "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between " +
  "policies at runtime LRU and LFU data will take some time to adjust.";

const HELP = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    The encoding in which the value of <key> is kept.",
  "FREQ <key>",
  "    The access frequency index of <key>, where an LFU policy is selected.",
  "IDLETIME <key>",
  "    The seconds since <key> was last used.",
  "REFCOUNT <key>",
  "    How many references to the value of <key> there are.",
  "HELP",
  "    Prints this help.",
];

/** The record of the key in argument 2, untouched but counted; 0 and a null reply where there is none. */
function subject(call: Call): number {
  const position = call.db.find(call.buf, call.start[2]!, call.end[2]!);
  const { stats } = call.db.context;
  if (position === 0) {
    stats.misses++;
    call.reply.nil();
  } else stats.hits++;
  return position;
}

function objectEncoding(call: Call): void {
  const position = subject(call);
  if (position !== 0) call.reply.bulkText(encodingName(call.db, position));
}

function objectRefcount(call: Call): void {
  const position = subject(call);
  if (position === 0) return;
  const { records } = call.db;
  // Redis shares the objects of small integers and says that nobody owns them.
  const shared =
    records.encoding(position) === ENC_INT &&
    records.payloadHigh(position) === 0 &&
    records.payloadLow(position) >>> 0 < 10000;
  call.reply.int(shared ? 0x7fffffff : 1);
}

function objectFreq(call: Call): void {
  const position = subject(call);
  if (position === 0) return;
  const { access } = call.db.context;
  if (!access.countsUse) throw new CommandError(NO_LFU);
  call.reply.int(access.frequency(call.db.records.clock(position)));
}

function objectIdletime(call: Call): void {
  const position = subject(call);
  if (position === 0) return;
  const { access } = call.db.context;
  if (access.countsUse) throw new CommandError(NO_LRU);
  call.reply.int(access.idleSeconds(call.db.records.clock(position)));
}

function objectHelp(call: Call): void {
  call.reply.array(HELP.length);
  for (const line of HELP) call.reply.simple(line);
}

/** OBJECT: how a value is kept. */
export function objectCommands(): CommandSpec[] {
  return [
    {
      name: "object",
      arity: -2,
      flags: [],
      categories: [],
      since: "2.2.3",
      group: "generic",
      summary: "Commands about how values are stored.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "encoding",
          arity: 3,
          flags: ["readonly"],
          categories: ["keyspace"],
          keys: [keyAt(2, "RO")],
          since: "2.2.3",
          group: "generic",
          summary: "The encoding of a key's value.",
          complexity: "O(1)",
          args: "key",
          tips: ["nondeterministic_output"],
          run: objectEncoding,
        },
        {
          name: "freq",
          arity: 3,
          flags: ["readonly"],
          categories: ["keyspace"],
          keys: [keyAt(2, "RO")],
          since: "4.0.0",
          group: "generic",
          summary: "The access frequency counter of a key (logarithmic).",
          complexity: "O(1)",
          args: "key",
          tips: ["nondeterministic_output"],
          run: objectFreq,
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: ["keyspace"],
          since: "6.2.0",
          group: "generic",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: objectHelp,
        },
        {
          name: "idletime",
          arity: 3,
          flags: ["readonly"],
          categories: ["keyspace"],
          keys: [keyAt(2, "RO")],
          since: "2.2.3",
          group: "generic",
          summary: "The seconds since a key was last used.",
          complexity: "O(1)",
          args: "key",
          tips: ["nondeterministic_output"],
          run: objectIdletime,
        },
        {
          name: "refcount",
          arity: 3,
          flags: ["readonly"],
          categories: ["keyspace"],
          keys: [keyAt(2, "RO")],
          since: "2.2.3",
          group: "generic",
          summary: "How often a key's value is referred to.",
          complexity: "O(1)",
          args: "key",
          tips: ["nondeterministic_output"],
          run: objectRefcount,
        },
      ],
    },
  ];
}
