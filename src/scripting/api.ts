import { REDIS_VERSION } from "../host/version.ts";
import { truncateToInt } from "./lua/libraries/integers.ts";
import type { LuaFunction, LuaState, Machine } from "./lua/machine.ts";
import { RAISE, TYPE } from "./lua/machine.ts";
import { untilNul } from "./lua-to-reply.ts";
import { pushError } from "./resp-to-lua.ts";
import { PROPAGATE, type ScriptRuns } from "./runs.ts";

/** The table `redis` of scripts (https://redis.io/docs/latest/develop/interact/programmability/lua-api/). */

const LEVELS = ["debug", "verbose", "notice", "warning"] as const;

const CONSTANTS = {
  LOG_DEBUG: 0,
  LOG_VERBOSE: 1,
  LOG_NOTICE: 2,
  LOG_WARNING: 3,
};

export function versionNumber(): number {
  const [major = 0, minor = 0, patch = 0] = REDIS_VERSION.split(".").map(Number);
  return (major << 16) | (minor << 8) | patch;
}

function setNumbers(machine: Machine, L: LuaState, numbers: Record<string, number>): void {
  for (const [name, value] of Object.entries(numbers)) {
    machine.api.lua_pushnumber(L, value);
    machine.setField(L, -2, name);
  }
}

/** Adds what both scripts and libraries being loaded have to the table on top. */
export function addLogAndVersion(machine: Machine, L: LuaState, runs: ScriptRuns): void {
  const { api } = machine;
  const { log } = runs.deps;
  setNumbers(machine, L, { ...CONSTANTS, REDIS_VERSION_NUM: versionNumber() });
  machine.pushText(L, REDIS_VERSION);
  machine.setField(L, -2, "REDIS_VERSION");
  machine.define(L, {
    log: (state) => {
      const count = api.lua_gettop(state);
      if (count < 2) return raise(machine, state, "redis.log() requires two arguments or more.");
      if (api.lua_isnumber(state, 1) === 0)
        return raise(machine, state, "First argument must be a number (log level).");
      const level = LEVELS[Math.trunc(api.lua_tonumber(state, 1))];
      if (level === undefined) return raise(machine, state, "Invalid debug level.");
      if (!log.enabled(level)) return 0;
      const words: string[] = [];
      for (let i = 2; i <= count; i++) {
        const word = machine.bytes(state, i);
        if (word !== null) words.push(Buffer.from(word).toString());
      }
      log[level](words.join(" "));
      return 0;
    },
  });
}

function raise(machine: Machine, L: LuaState, text: string): number {
  pushError(machine, L, `ERR ${text}`, false);
  return RAISE;
}

/** Pushes the table. `debugging`: with what belongs to the debugger, which scripts have and functions have not. */
export function pushRedis(machine: Machine, L: LuaState, runs: ScriptRuns, debugging: boolean): void {
  const { api } = machine;
  api.lua_createtable(L, 0, 32);
  addLogAndVersion(machine, L, runs);
  setNumbers(machine, L, {
    REPL_NONE: PROPAGATE.none,
    REPL_AOF: PROPAGATE.aof,
    REPL_SLAVE: PROPAGATE.replicas,
    REPL_REPLICA: PROPAGATE.replicas,
    REPL_ALL: PROPAGATE.all,
  });
  machine.define(L, calls(machine, runs));
  machine.define(L, replies(machine));
  if (debugging)
    machine.define(L, {
      breakpoint: (state) => {
        const session = runs.current?.debugging?.debugger;
        session?.stopAtNext();
        api.lua_pushboolean(state, session ? 1 : 0);
        return 1;
      },
      debug: (state) => {
        runs.current?.debugging?.debugger?.show(state);
        return 0;
      },
      replicate_commands: (state) => {
        api.lua_pushboolean(state, 1);
        return 1;
      },
    });
}

function calls(machine: Machine, runs: ScriptRuns): Record<string, LuaFunction> {
  const { api } = machine;
  return {
    call: (L) => runs.command(machine, L, true),
    pcall: (L) => runs.command(machine, L, false),
    setresp: (L) => {
      if (api.lua_gettop(L) !== 1) return raise(machine, L, "redis.setresp() requires one argument.");
      const version = Math.trunc(api.lua_tonumber(L, 1));
      if (version !== 2 && version !== 3) return raise(machine, L, "RESP version must be 2 or 3.");
      runs.setResp(version);
      return 0;
    },
    set_repl: (L) => {
      if (api.lua_gettop(L) !== 1) return raise(machine, L, "redis.set_repl() requires one argument.");
      const flags = truncateToInt(api.lua_tonumber(L, 1));
      if ((flags & ~PROPAGATE.all) !== 0)
        return raise(
          machine,
          L,
          "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        );
      runs.setPropagation(flags);
      return 0;
    },
    acl_check_cmd: (L) => {
      const wrong = runs.takeArguments(machine, L);
      if (wrong !== null) {
        pushError(machine, L, wrong, false);
        return RAISE;
      }
      const command = runs.lookup();
      if (command === null) return raise(machine, L, "Invalid command passed to redis.acl_check_cmd()");
      api.lua_pushboolean(L, runs.mayCall(command) ? 1 : 0);
      return 1;
    },
  };
}

function replies(machine: Machine): Record<string, LuaFunction> {
  const { api } = machine;
  const isText = (L: LuaState): boolean => api.lua_gettop(L) === 1 && api.lua_type(L, 1) === TYPE.string;
  return {
    sha1hex: (L) => {
      if (api.lua_gettop(L) !== 1) return raise(machine, L, "wrong number of arguments");
      const bytes = machine.bytes(L, 1) ?? new Uint8Array(0);
      machine.pushText(L, new Bun.CryptoHasher("sha1").update(bytes).digest("hex"));
      return 1;
    },
    error_reply: (L) => {
      if (!isText(L)) pushError(machine, L, "ERR wrong number or type of arguments", false);
      else pushError(machine, L, untilNul(machine.text(L, 1)!).replace(/^-/, ""), false);
      return 1;
    },
    status_reply: (L) => {
      if (!isText(L)) {
        pushError(machine, L, "ERR wrong number or type of arguments", false);
        return 1;
      }
      api.lua_createtable(L, 0, 1);
      api.lua_pushvalue(L, 1);
      machine.setField(L, -2, "ok");
      return 1;
    },
  };
}
