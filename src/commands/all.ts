import type { Call } from "../call/call.ts";
import { oneKey } from "../call/key-specs.ts";
import type { CommandSpec, Flag } from "../call/spec.ts";
import * as counting from "./strings/counting.ts";
import * as reading from "./strings/reading.ts";
import * as setting from "./strings/setting.ts";

export function allCommands(_deps: unknown): CommandSpec[] {
  const row = (name: string, arity: number, flags: Flag[], run: (call: Call) => void): CommandSpec => ({
    name, arity, flags, categories: [], since: "1.0.0", group: "string", summary: "", run, cheap: true, keys: [oneKey("RW")],
  });
  return [
    row("get", 2, ["readonly", "fast"], reading.get),
    row("set", -3, ["write", "denyoom"], setting.set),
    row("mset", -3, ["write", "denyoom"], setting.mset),
    row("incr", 2, ["write", "denyoom", "fast"], counting.incr),
    row("ping", -1, ["fast"], (call) => call.reply.pong()),
    row("dbsize", 1, ["fast"], (call) => call.reply.int(call.db.size)),
    row("flushall", -1, ["fast"], (call) => {call.reply.ok();}),
    row("shutdown", -1, ["fast"], () => process.exit(0)),
    row("config", -1, ["fast"], (call) => {call.reply.array(2); call.reply.bulkText("save"); call.reply.bulkText("");}),
  ];
}
