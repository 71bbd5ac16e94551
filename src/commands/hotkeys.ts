import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { HotKeyOptions, HotKeySession, HotKeys } from "../call/hot-keys.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, errors } from "../resp/errors.ts";
import type { TopKeys } from "../stats/top-keys.ts";
import { replyHelp } from "./help.ts";

/** HOTKEYS (Redis 8.6): which keys take most time and most of the network; see call/hot-keys.ts. */
export interface HotKeysDeps {
  readonly hotKeys: HotKeys;
}

const HELP = [
  "START METRICS <count> [CPU] [NET] [COUNT <k>] [DURATION <seconds>] [SAMPLE <ratio>]",
  "    Begin to collect, by time (CPU), by bytes received and sent (NET), or both:",
  "    * COUNT <k>",
  "      The <k> heaviest keys are shown (default: 10).",
  "    * DURATION <seconds>",
  "      Stop after so long (default: when told to).",
  "    * SAMPLE <ratio>",
  "      Look at one command in <ratio> (default: at all).",
  "STOP",
  "    Stop collecting; the results stay.",
  "GET",
  "    The results so far.",
  "RESET",
  "    Forget the results.",
];

const METRICS = latin1Bytes("metrics");
const CPU = latin1Bytes("cpu");
const NET = latin1Bytes("net");
const COUNT = latin1Bytes("count");
const DURATION = latin1Bytes("duration");
const SAMPLE = latin1Bytes("sample");
const SLOTS = latin1Bytes("slots");
const MOST_SECONDS = 1000000;
const MOST_SAMPLE = 2 ** 31 - 1;

function numberBetween(call: Call, i: number, most: number, sentence: string): number {
  const value = call.safeInt(i);
  if (!(value >= 1 && value <= most)) throw new CommandError(sentence);
  return value;
}

function parse(call: Call): HotKeyOptions {
  if (call.argc < 4 || !call.is(2, METRICS)) throw new CommandError("ERR METRICS parameter is required");
  const metrics = numberBetween(call, 3, 2, "ERR METRICS count must be > 0 and <= 2");
  const options: HotKeyOptions = { cpu: false, net: false, count: 10, duration: 0, sample: 1 };
  let i = 4;
  for (; i < call.argc && i < 4 + metrics; i++) {
    if (call.is(i, CPU)) {
      if (options.cpu) throw new CommandError("ERR METRICS CPU defined more than once!");
      options.cpu = true;
    } else if (call.is(i, NET)) {
      if (options.net) throw new CommandError("ERR METRICS NET defined more than once!");
      options.net = true;
    }
  }
  if (i < 4 + metrics)
    throw new CommandError("ERR METRICS count does not match number of metric types provided");
  if (!options.cpu && !options.net)
    throw new CommandError("ERR METRICS no valid metrics passed. Supported: CPU|NET");
  for (; i < call.argc; i += 2) {
    if (i + 1 >= call.argc) throw new CommandError(errors.syntax);
    if (call.is(i, COUNT))
      options.count = numberBetween(call, i + 1, 64, "ERR COUNT must be between 1 and 64");
    else if (call.is(i, DURATION)) {
      const sentence = `ERR DURATION must be between 1 and ${MOST_SECONDS}`;
      options.duration = numberBetween(call, i + 1, MOST_SECONDS, sentence) * 1000;
    } else if (call.is(i, SAMPLE))
      options.sample = numberBetween(call, i + 1, MOST_SAMPLE, "ERR SAMPLE ratio must be positive");
    else if (call.is(i, SLOTS))
      throw new CommandError("ERR SLOTS parameter cannot be used in non-cluster mode");
    else throw new CommandError(errors.syntax);
  }
  return options;
}

function start(call: Call, { hotKeys }: HotKeysDeps): void {
  if (hotKeys.active) throw new CommandError("ERR hotkey tracking session already in progress");
  hotKeys.begin(parse(call));
  call.reply.ok();
}

function stop(call: Call, { hotKeys }: HotKeysDeps): void {
  if (!hotKeys.active) return call.reply.nil();
  hotKeys.stop();
  call.reply.ok();
}

function reset(call: Call, { hotKeys }: HotKeysDeps): void {
  if (hotKeys.active) throw new CommandError("ERR hotkey tracking session in progress, stop tracking first");
  hotKeys.reset();
  call.reply.ok();
}

function get(call: Call, { hotKeys }: HotKeysDeps): void {
  const { active, session } = hotKeys;
  if (session === null) return call.reply.nil();
  const elapsed = active ? call.db.context.clock.now - session.start : session.stoppedAfter;
  // An array of one map, so that those of several nodes go together.
  call.reply.array(1);
  replySession(call, session, active, elapsed);
}

function replySession(call: Call, session: HotKeySession, active: boolean, elapsed: number): void {
  const { reply } = call;
  const { options, cpu, net } = session;
  const field = (name: string, value: number) => {
    reply.bulkText(name);
    reply.int(Math.floor(value));
  };
  reply.map(7 + (cpu === null ? 0 : 3) + (net === null ? 0 : 2));
  field("tracking-active", active ? 1 : 0);
  field("sample-ratio", options.sample);
  reply.bulkText("selected-slots");
  reply.array(1);
  reply.array(2);
  reply.int(0);
  reply.int(16383);
  field("all-commands-all-slots-us", session.microseconds);
  field("net-bytes-all-commands-all-slots", session.bytes);
  field("collection-start-time-unix-ms", session.start);
  field("collection-duration-ms", elapsed);
  if (cpu !== null) {
    const { user, system } = session.cpuTime();
    field("total-cpu-time-user-ms", user / 1000);
    field("total-cpu-time-sys-ms", system / 1000);
  }
  if (net !== null) field("total-net-bytes", net.total);
  if (cpu !== null) replyKeys(call, "by-cpu-time-us", cpu, options.count);
  if (net !== null) replyKeys(call, "by-net-bytes", net, options.count);
}

function replyKeys({ reply }: Call, name: string, keys: TopKeys, count: number): void {
  const heaviest = keys.heaviest(count).filter(({ weight }) => weight >= 1);
  reply.bulkText(name);
  reply.array(2 * heaviest.length);
  for (const { key, weight } of heaviest) {
    reply.bulk(latin1Bytes(key));
    reply.int(Math.floor(weight));
  }
}

export function hotkeysCommands(deps: HotKeysDeps): CommandSpec[] {
  const row = (
    name: string,
    summary: string,
    run: (call: Call, deps: HotKeysDeps) => void,
    more: Partial<CommandSpec> = {},
  ): CommandSpec => ({
    name,
    arity: 2,
    flags: ["admin", "noscript"],
    categories: [],
    since: "8.6.0",
    group: "server",
    summary,
    complexity: "O(1)",
    tips: ["request_policy:special"],
    run: (call) => run(call, deps),
    ...more,
  });
  return [
    {
      name: "hotkeys",
      arity: -2,
      flags: [],
      categories: [],
      since: "8.6.0",
      group: "server",
      summary: "Commands about the keys that take most time and most of the network.",
      complexity: "Depends on the subcommand",
      subcommands: [
        row("get", "The heaviest keys so far.", get, {
          complexity: "O(K), K keys shown",
          tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
        }),
        row("help", "Describes the subcommands.", (call) => replyHelp(call, "hotkeys", HELP), {
          flags: ["loading", "stale"],
          since: "8.6.1",
          tips: [],
        }),
        row("reset", "Forgets the results.", reset),
        row("start", "Begins to collect.", start, {
          arity: -2,
          args: "METRICS metrics=(count:integer [CPU] [NET]) [COUNT k:integer] [DURATION seconds:integer] [SAMPLE ratio:integer]",
        }),
        row("stop", "Stops collecting; the results stay.", stop),
      ],
    },
  ];
}
