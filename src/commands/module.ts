import type { Call } from "../call/call.ts";
import type { CommandSpec, Flag } from "../call/spec.ts";
import type { Log } from "../host/log.ts";
import { CommandError } from "../resp/errors.ts";
import { replyHelp } from "./help.ts";

/**
 * MODULE. Modules of Redis are shared libraries written against its C interface: there are none here, and none can be
 * loaded, which these commands say as Redis says it of a file that it cannot load.
 */
export interface ModuleDeps {
  readonly log: Log;
}

const HELP = [
  "LIST",
  "    Return a list of loaded modules.",
  "LOAD <path> [<arg> ...]",
  "    Load a module library from <path>, passing to it any optional arguments.",
  "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
  "    Load a module library from <path>, while passing it module configurations and optional arguments.",
  "UNLOAD <name>",
  "    Unload a module.",
];

function load(call: Call, { log }: ModuleDeps): never {
  log.warning(`Module ${call.quoted(2)} failed to load: modules are not supported by this server`);
  throw new CommandError("ERR Error loading the extension. Please check the server logs.");
}

function unload(call: Call, { log }: ModuleDeps): never {
  const reason = "no such module with that name";
  log.warning(`Error unloading module ${call.quoted(2)}: ${reason}`);
  throw new CommandError(`ERR Error unloading module: ${reason}`);
}

export function moduleCommands(deps: ModuleDeps): CommandSpec[] {
  const loading: Flag[] = ["admin", "noscript", "no_async_loading", "protected"];
  return [
    {
      name: "module",
      arity: -2,
      flags: [],
      categories: [],
      since: "4.0.0",
      group: "server",
      summary: "Commands about modules.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "5.0.0",
          group: "server",
          summary: "Tells about the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "module", HELP),
        },
        {
          name: "list",
          arity: 2,
          flags: ["admin", "noscript"],
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "The modules that are loaded.",
          complexity: "O(N), N modules",
          tips: ["nondeterministic_output_order"],
          run: (call) => call.reply.array(0),
        },
        {
          name: "load",
          arity: -3,
          flags: loading,
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "Loads a module.",
          complexity: "O(1)",
          args: "path [arg...]",
          run: (call) => load(call, deps),
        },
        {
          name: "loadex",
          arity: -3,
          flags: loading,
          categories: [],
          since: "7.0.0",
          group: "server",
          summary: "Loads a module and configures it.",
          complexity: "O(1)",
          args: "path [CONFIG... configs=(name value)] [ARGS args...]",
          run: (call) => load(call, deps),
        },
        {
          name: "unload",
          arity: 3,
          flags: loading,
          categories: [],
          since: "4.0.0",
          group: "server",
          summary: "Unloads a module.",
          complexity: "O(1)",
          args: "name",
          run: (call) => unload(call, deps),
        },
      ],
    },
  ];
}
