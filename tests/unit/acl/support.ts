import { Call } from "../../../src/call/call.ts";
import { oneKey } from "../../../src/call/key-specs.ts";
import { Registry } from "../../../src/call/registry.ts";
import type { CommandSpec } from "../../../src/call/spec.ts";
import { Request } from "../../../src/resp/request.ts";

function row(name: string, more: Partial<CommandSpec> = {}): CommandSpec {
  return {
    name,
    arity: -1,
    flags: [],
    categories: [],
    since: "1.0.0",
    group: "string",
    summary: "",
    ...more,
  };
}

/** A few commands, with what rules can be about: keys, channels, subcommands, categories. */
export function commands(): Registry {
  return new Registry([
    row("get", { flags: ["readonly", "fast"], categories: ["string"], keys: [oneKey("RO", "access")] }),
    row("set", { flags: ["write"], categories: ["string"], keys: [oneKey("OW", "update")] }),
    row("lpop", { flags: ["write", "fast"], categories: ["list"], keys: [oneKey("RW", "access", "delete")] }),
    row("publish", { flags: ["pubsub"], channels: { several: false, patterns: false } }),
    row("psubscribe", { flags: ["pubsub"], channels: { several: true, patterns: true } }),
    row("auth", { flags: ["no_auth", "fast"], categories: ["connection"] }),
    row("select", { flags: ["fast"], categories: ["connection"] }),
    row("config", {
      subcommands: [row("get", { flags: ["admin"] }), row("set", { flags: ["admin"] }), row("help")],
    }),
  ]);
}

/** A call of these words, and its command. */
export function callOf(registry: Registry, line: string) {
  const call = new Call();
  call.load(Request.of(line.split(" ").map((word) => Buffer.from(word))));
  return { call, command: registry.lookup(call)! };
}
