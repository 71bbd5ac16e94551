import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { Session } from "../call/session.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Clock } from "../host/clock.ts";
import { REDBUN_VERSION, REDIS_VERSION } from "../host/version.ts";
import { artwork } from "./server/lolwut.ts";

/** Commands about the server as a whole: INFO, TIME, MONITOR, LOLWUT. */

export interface ServerDeps {
  readonly clock: Clock;
  readonly info: {
    report(sections: readonly string[]): string;
    /** The command is executed again later. */
    holds(call: Call, sections: readonly string[]): boolean;
  };
  readonly monitors: { add(session: Session): void };
  readonly random: { below(bound: number): number };
}

const VERSION = latin1Bytes("version");

function info(call: Call, deps: ServerDeps): void {
  const sections: string[] = [];
  for (let i = 1; i < call.argc; i++) sections.push(call.text(i));
  if (!deps.info.holds(call, sections)) call.reply.verbatim("txt", deps.info.report(sections));
}

function time(call: Call, { clock }: ServerDeps): void {
  const micros = clock.commandMicroseconds();
  call.reply.array(2);
  call.reply.bulkInt(Math.floor(micros / 1_000_000));
  call.reply.bulkInt(micros % 1_000_000);
}

/** A client that watches already gets no second reply, as in Redis. */
function monitor(call: Call, { monitors }: ServerDeps): void {
  if (call.session.monitor) return;
  monitors.add(call.session);
  call.reply.ok();
}

/** A master without replicas that has written nothing to a replication stream. */
/** Every version shows the same picture; the arguments of Redis's pictures are let pass. */
function lolwut(call: Call, { random }: ServerDeps): void {
  if (call.argc >= 3 && call.is(1, VERSION)) call.int(2);
  const picture = artwork((bound) => random.below(bound));
  call.reply.verbatim("txt", `${picture}\nRedis ver. ${REDIS_VERSION} (redbun ${REDBUN_VERSION})\n`);
}

export function serverCommands(deps: ServerDeps): CommandSpec[] {
  return [
    {
      name: "info",
      arity: -1,
      flags: ["loading", "stale"],
      categories: ["dangerous"],
      since: "1.0.0",
      group: "server",
      summary: "Facts and figures about the server.",
      complexity: "O(1)",
      args: "[section...]",
      tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
      history: [["7.0.0", "Takes several sections."]],
      run: (call) => info(call, deps),
    },
    {
      name: "lolwut",
      arity: -1,
      flags: ["readonly", "fast"],
      categories: [],
      since: "5.0.0",
      group: "server",
      summary: "Computer art, and the version.",
      args: "[VERSION version:integer]",
      run: (call) => lolwut(call, deps),
    },
    {
      name: "monitor",
      arity: 1,
      flags: ["admin", "noscript", "loading", "stale"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Shows every command that the server processes, as it happens.",
      run: (call) => monitor(call, deps),
    },
    {
      name: "time",
      arity: 1,
      flags: ["loading", "stale", "fast"],
      categories: [],
      since: "2.6.0",
      group: "server",
      summary: "The server's time.",
      complexity: "O(1)",
      tips: ["nondeterministic_output"],
      run: (call) => time(call, deps),
    },
  ];
}
