import type { Acl } from "../acl/acl.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, systemErrorText } from "../config/errors.ts";
import { saveConfig } from "../config/rewrite.ts";
import type { Log } from "../host/log.ts";
import { CommandError, errors } from "../resp/errors.ts";
import { replyHelp } from "./help.ts";

/** CONFIG: the directives of redis.conf, asked for and changed while the server runs. */

export interface ConfigDeps {
  readonly acl: Pick<Acl, "describeAll">;
  readonly config: Config;
  readonly log: Log;
  /** What is being loaded, or null. */
  readonly loading: object | null;
  /** Sets all counters and statistics back to zero. */
  resetStatistics(): void;
}

const HELP = [
  "GET <pattern>",
  "    The directives whose names match the glob-like <pattern>, and their values.",
  "SET <directive> <value>",
  "    Give the configuration <directive> the value <value>.",
  "RESETSTAT",
  "    Set the statistics that INFO shows back to zero.",
  "REWRITE",
  "    Write the configuration in force into the configuration file.",
];

function get(call: Call, { config }: ConfigDeps): void {
  const patterns: string[] = [];
  for (let i = 2; i < call.argc; i++) patterns.push(call.text(i));
  const found = config.get(patterns);
  call.reply.map(found.length);
  for (const [name, text] of found) {
    call.reply.bulkText(name);
    call.reply.bulkText(text);
  }
}

function set(call: Call, { config, loading }: ConfigDeps): void {
  if (call.argc % 2 !== 0) throw new CommandError(errors.syntax);
  const pairs: [string, string][] = [];
  for (let i = 2; i < call.argc; i += 2) {
    const name = call.text(i);
    if (config.isSensitive(name)) call.redact(i + 1);
    pairs.push([name, call.text(i + 1)]);
  }
  try {
    config.set(pairs, { local: call.session.isLocal, loading: loading !== null });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(`${error.prefix} ${error.message}`);
  }
  call.reply.ok();
}

function resetstat(call: Call, deps: ConfigDeps): void {
  deps.resetStatistics();
  call.reply.ok();
}

function rewrite(call: Call, { config, log, acl }: ConfigDeps): void {
  if (config.configFile === null) throw new CommandError("ERR The server is running without a config file");
  try {
    saveConfig(config.configFile, config, { users: acl.describeAll() });
  } catch (error) {
    const reason = systemErrorText(error);
    log.warning(`CONFIG REWRITE failed: ${reason}`);
    throw new CommandError(`ERR Rewriting config file: ${reason}`);
  }
  log.notice("CONFIG REWRITE executed with success.");
  call.reply.ok();
}

export function configCommands(deps: ConfigDeps): CommandSpec[] {
  return [
    {
      name: "config",
      arity: -2,
      flags: [],
      categories: [],
      since: "2.0.0",
      group: "server",
      summary: "Commands about the configuration.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "get",
          arity: -3,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.0.0",
          group: "server",
          summary: "The values of directives, by name or pattern.",
          complexity: "O(N), N arguments",
          args: "parameter...",
          history: [["7.0.0", "Takes several names or patterns."]],
          run: (call) => get(call, deps),
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "5.0.0",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "config", HELP),
        },
        {
          name: "resetstat",
          arity: 2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.0.0",
          group: "server",
          summary: "Sets the server's statistics back to zero.",
          complexity: "O(1)",
          tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
          run: (call) => resetstat(call, deps),
        },
        {
          name: "rewrite",
          arity: 2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.0",
          group: "server",
          summary: "Writes the configuration of now into the configuration file.",
          complexity: "O(1)",
          tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
          run: (call) => rewrite(call, deps),
        },
        {
          name: "set",
          arity: -4,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.0.0",
          group: "server",
          summary: "Changes directives while the server runs.",
          complexity: "O(N), N directives",
          args: "data=(parameter value)...",
          tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
          history: [["7.0.0", "Takes several directives."]],
          run: (call) => set(call, deps),
        },
      ],
    },
  ];
}
