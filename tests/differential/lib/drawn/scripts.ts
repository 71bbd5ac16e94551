/** Scripts and libraries of functions, made of drawn Lua. */
import { utf8 } from "../../../../src/bytes/ascii.ts";
import { writeLibraries } from "../../../../src/rdb/library-payload.ts";
import type { Random } from "../../../unit/bytes/random.ts";
import { type Call, type Family, spoilt } from "../drawn.ts";
import { contents } from "../grammar.ts";
import { sorted } from "../pair.ts";
import { LuaDrawer, SHOW } from "./lua.ts";

const COMMAND_NAMES = ["EVAL", "EVAL", "EVAL", "EVAL", "EVAL_RO"];
const ARGUMENTS = ["x", "12", "\xff\r\n"];
const FLAGS = ["no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys", "nope", ""];
const NAMES = ["f", "g", "h1", "F", "_x", "a b", "", "f-g"];
const LIBRARIES = ["lib", "lib2", "LIB", "a b", "", "none"];

/** Where maps become tables, whose order is not determined: which bytes there are, if not in what order. */
function normalOf(source: string): Call["normal"] {
  return /'(hgetall|xinfo|config)'/.test(source) ? (reply) => Buffer.from(reply).sort() : undefined;
}

/** A call of a script, or of a function out of a library that has been drawn too. */
export function drawScript(random: Random): Call[] {
  const drawer = new LuaDrawer(random);
  switch (random.below(12)) {
    case 0:
      return [
        { args: ["FUNCTION", "LOAD", ...(random.below(3) > 0 ? ["REPLACE"] : []), library(random, drawer)] },
      ];
    case 1:
    case 2: {
      const command = random.pick(["FCALL", "FCALL", "FCALL_RO"]);
      // Of a library that is not known here.
      return [
        {
          args: [command, random.pick(NAMES), ...keysAndArguments(random)],
          normal: (reply) => Buffer.from(reply).sort(),
        },
      ];
    }
    case 3:
      return [functionCall(random)].map((call) => ({
        args: spoilt(random, call),
        // The order of libraries is that of a hash table, and LZF's output depends on what it has seen before.
        normal: call[1] === "DUMP" ? (reply) => reply.subarray(0, 1) : sorted,
      }));
    case 4: {
      const script = whole(drawer, random);
      return [
        { args: ["SCRIPT", "LOAD", script] },
        {
          args: [
            random.pick(["EVALSHA", "EVALSHA_RO"]),
            new Bun.CryptoHasher("sha1").update(Buffer.from(script, "latin1")).digest("hex"),
            ...keysAndArguments(random),
          ],
          normal: normalOf(script),
        },
      ];
    }
    case 5:
      return [
        {
          args: spoilt(
            random,
            random.pick([
              ["SCRIPT", "EXISTS", "x", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"],
              ["SCRIPT", "FLUSH"],
              ["SCRIPT", "FLUSH", random.pick(["SYNC", "ASYNC", "x"])],
              ["SCRIPT", "KILL"],
              ["SCRIPT", "LOAD", "return 1"],
              [
                "EVAL",
                "return {KEYS, ARGV}",
                random.pick(["0", "1", "2", "3", "-1", "x", "1.5", ""]),
                "a",
                "b",
              ],
              ["EVAL", "return 1"],
              ["EVALSHA", "short", "0"],
            ]),
          ),
        },
      ];
    default: {
      const script = (random.below(4) === 0 ? `${shebang(random)}\n` : "") + whole(drawer, random);
      return [
        { args: [random.pick(COMMAND_NAMES), script, ...keysAndArguments(random)], normal: normalOf(script) },
      ];
    }
  }
}

function whole(drawer: LuaDrawer, random: Random): string {
  const body = drawer.body();
  return body.includes("all(") || random.below(9) === 0 ? SHOW + body : body;
}

function keysAndArguments(random: Random): string[] {
  return random.below(6) === 0 ? ["0", ...ARGUMENTS] : ["2", "s", "l", ...ARGUMENTS];
}

function shebang(random: Random): string {
  const flags = `flags=${Array.from({ length: random.below(3) }, () => random.pick(FLAGS)).join(",")}`;
  return random.pick([
    `#!lua ${flags}`,
    `#!lua ${flags}`,
    `#!lua ${flags}`,
    "#!lua",
    "#!",
    "#!lua x",
    "#!python",
    "#!lua name=x",
    `#!lua ${flags} ${flags}`,
    "#!LUA",
    "#!lua flags",
  ]);
}

function library(random: Random, drawer: LuaDrawer): string {
  const head = random.pick([
    "#!lua name=$",
    "#!lua name=$",
    "#!lua name=$",
    "#!lua name=$",
    "#!lua",
    "#!lua name=$ x=1",
    "#!lua name=$ name=y",
    "#!js name=$",
    "",
    "#!lua name",
  ]);
  const lines = [head.replace("$", random.pick(["lib", "lib", "lib2", ...LIBRARIES]))];
  if (random.below(2) === 0) lines.push(SHOW);
  else lines.push("local all = function(...) return {...} end");
  for (let i = 1 + random.below(3); i > 0; i--) {
    const name = random.pick(NAMES);
    const callback = `function(KEYS, ARGV) ${drawer.body()} end`;
    const flags = `{${Array.from({ length: random.below(3) }, () => `'${random.pick(FLAGS)}'`).join(", ")}}`;
    lines.push(
      random.pick([
        `redis.register_function('${name}', ${callback})`,
        `redis.register_function('${name}', ${callback})`,
        `redis.register_function{function_name='${name}', callback=${callback}, flags=${flags}}`,
        `redis.register_function{function_name='${name}', callback=${callback}, flags=${flags}, description=${random.pick(["'said'", "nil", "1", "{}", "''"])}}`,
        `redis.register_function{callback=${callback}}`,
        `redis.register_function{function_name='${name}', x=1, callback=${callback}}`,
        `redis.register_function('${name}', ${drawer.expression(2).replaceAll("KEYS", "{}").replaceAll("ARGV", "{}")})`,
        `redis.register_function('${name}')`,
        `redis.register_function()`,
        `local x = redis.call('get', 's')`,
        `x = 1`,
        `redis.log(redis.LOG_DEBUG, redis.sha1hex('x'))`,
        `local x = redis.setresp(3)`,
      ]),
    );
  }
  return lines.join("\n");
}

function functionCall(random: Random): string[] {
  const name = random.pick(LIBRARIES);
  return random.pick([
    ["FUNCTION", "LIST"],
    ["FUNCTION", "LIST", "WITHCODE"],
    ["FUNCTION", "LIST", "LIBRARYNAME", random.pick(["lib", "lib*", "*", "LIB", "?ib", "none"])],
    ["FUNCTION", "LIST", "LIBRARYNAME", "lib*", "WITHCODE"],
    ["FUNCTION", "DELETE", name],
    ["FUNCTION", "FLUSH", ...random.pick([[], ["SYNC"], ["ASYNC"], ["x"]])],
    ["FUNCTION", "STATS"],
    ["FUNCTION", "KILL"],
    ["FUNCTION", "DUMP"],
    ["FUNCTION", "RESTORE", "spoilt", random.pick(["APPEND", "FLUSH", "REPLACE", "x"])],
    ["FUNCTION", "RESTORE", LIBRARY_DUMP, ...random.pick([[], ["APPEND"], ["FLUSH"], ["REPLACE"], ["x"]])],
    ["FUNCTION", "LOAD", "return 1"],
  ]);
}

/** FUNCTION DUMP of a library `lib` with a function `f`. */
const LIBRARY_DUMP = Buffer.from(
  writeLibraries(
    [utf8("#!lua name=lib\nredis.register_function('f', function(KEYS, ARGV) return {KEYS, ARGV} end)")],
    false,
  ),
).toString("latin1");

export const SCRIPTS: Family = {
  name: "scripts",
  contents: () => [["FUNCTION", "FLUSH"], ["SCRIPT", "FLUSH"], ...contents(false)],
  draw: drawScript,
};
