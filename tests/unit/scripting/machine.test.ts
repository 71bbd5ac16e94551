/** Lua as WebAssembly: functions of JavaScript, errors, pauses, and the sandbox around it. */
import { expect, test } from "bun:test";
import { LuaRandom } from "../../../src/scripting/lua/libraries/random.ts";
import { type LuaState, Machine, RAISE } from "../../../src/scripting/lua/machine.ts";
import { Sandbox } from "../../../src/scripting/lua/sandbox.ts";

interface Options {
  interrupt?: (L: LuaState) => 0 | 1 | 2;
  paused?: () => void;
}

function machine({ interrupt = () => 0, paused = () => {} }: Options = {}): Machine {
  return new Machine({
    interrupt,
    paused,
    onBug: (error) => {
      throw error;
    },
  });
}

function load(lua: Machine, source: string): void {
  const bytes = Buffer.from(source, "latin1");
  if (!lua.load(lua.L, bytes, 0, bytes.length, "@test")) throw new Error(lua.text(lua.L, -1)!);
}

/** What the chunk returns, or the error, as text. */
function run(lua: Machine, source: string): string {
  load(lua, source);
  const status = lua.call(0, 1, 0, null);
  const text = lua.text(lua.L, -1) ?? lua.typeName(lua.L, -1);
  lua.api.lua_settop(lua.L, 0);
  return status === 0 ? text : `error: ${text}`;
}

function setGlobal(lua: Machine, name: string, call: (L: LuaState) => number): void {
  lua.pushFunction(lua.L, call);
  lua.setField(lua.L, -10002, name);
}

test("strings of any bytes go in and out", () => {
  const lua = machine();
  const seen: Uint8Array[] = [];
  setGlobal(lua, "echo", (L) => {
    seen.push(lua.bytes(L, 1)!);
    lua.pushBytes(L, seen.at(-1)!);
    return 1;
  });
  expect(run(lua, "return echo('a\\0\\255') .. #echo(string.rep('x', 3000000))")).toBe("a\0\xff3000000");
  expect(seen[0]).toEqual(new Uint8Array([97, 0, 255]));
  expect(seen[1]!.length).toBe(3_000_000);
});

test("errors go through functions of JavaScript in both directions", () => {
  const lua = machine();
  setGlobal(lua, "refuse", (L) => lua.fail(L, "refused"));
  setGlobal(lua, "thrown", (L) => lua.throw(L, "thrown"));
  setGlobal(lua, "number", (L) => {
    lua.api.lua_pushnumber(L, lua.api.luaL_checknumber(L, 1) + 1);
    return 1;
  });
  setGlobal(lua, "object", (L) => {
    lua.api.lua_createtable(L, 0, 0);
    return RAISE;
  });
  expect(run(lua, "return select(2, pcall(refuse))")).toBe("refused");
  expect(run(lua, "\nrefuse()")).toBe("error: test:2: refused");
  expect(run(lua, "local ok, e = pcall(function() thrown() end) return e")).toBe("test:1: thrown");
  expect(run(lua, "return number(41)")).toBe("42");
  expect(run(lua, "number('x')")).toBe(
    "error: test:1: bad argument #1 to 'number' (number expected, got string)",
  );
  expect(run(lua, "return type(select(2, pcall(object)))")).toBe("table");
  expect(lua.api.lua_gettop(lua.L)).toBe(0);
});

test("a chunk pauses in the midst of a pcall in a coroutine, and goes on", async () => {
  let pauses = 0;
  const lua: Machine = machine({
    interrupt: () => (pauses < 3 ? 1 : 0),
    paused: () => {
      pauses++;
      setImmediate(() => lua.resume());
    },
  });
  load(
    lua,
    "local n = 0 local co = coroutine.wrap(function() pcall(function() for i = 1, 1e6 do n = n + 1 end end) end) co() return n",
  );
  lua.watch(lua.L, "often");
  const status = await new Promise<number>((resolve) => {
    expect(lua.call(0, 1, 0, resolve)).toBe("paused");
  });
  expect([status, lua.text(lua.L, -1), pauses]).toEqual([0, "1000000", 3]);
});

test("a chunk that need not pause is done at once", () => {
  const lua = machine();
  load(lua, "return 'now'");
  lua.watch(lua.L, "often");
  expect(lua.call(0, 1, 0, () => {})).toBe(0);
  expect(lua.text(lua.L, -1)).toBe("now");
});

test("an interruption becomes an error that nothing can keep from ending the chunk", () => {
  const lua: Machine = machine({
    interrupt: (L) => {
      lua.watch(L, "each-line");
      lua.pushText(L, "stop");
      return 2;
    },
  });
  load(lua, "while true do\n pcall(function()\n while true do\n end\n end)\n end");
  lua.watch(lua.L, "often");
  expect(lua.call(0, 0, 0, null)).toBe(2);
  expect(lua.text(lua.L, -1)).toBe("stop");
});

test("deep recursion, in Lua and through C, is an error", () => {
  const lua = machine();
  expect(run(lua, "local function f() return 1 + f() end return f()")).toContain("stack overflow");
  expect(run(lua, "local function g() return (string.gsub('a', 'a', g)) end return g()")).toContain(
    "stack overflow",
  );
  expect(run(lua, "return 'still here'")).toBe("still here");
});

test("compiled chunks are told by their first byte", () => {
  const lua = machine();
  expect(lua.isBinary(Buffer.from("\x1bLua"), 0, 4)).toBe(true);
  expect(lua.isBinary(Buffer.from("return"), 0, 6)).toBe(false);
  expect(lua.isBinary(Buffer.from(""), 0, 0)).toBe(false);
});

test("the sandbox shows no more than it should", () => {
  const sandbox = new Sandbox(
    { interrupt: () => 0, paused: () => {}, onBug: () => {}, random: new LuaRandom() },
    (lua, L) => lua.api.lua_createtable(L, 0, 0),
  );
  const lua = sandbox.machine;
  const names = run(
    lua,
    "local t = {} for name in pairs(_G) do t[#t + 1] = name end table.sort(t) return table.concat(t, ' ')",
  );
  expect(names).toBe(
    "_G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo getfenv getmetatable ipairs load " +
      "loadstring math newproxy next pairs pcall rawequal rawget rawset redis select setfenv setmetatable string struct " +
      "table tonumber tostring type unpack xpcall",
  );
  for (const source of [
    "getmetatable('').__index = nil",
    "getmetatable(_G).x = 1",
    "getmetatable(string).__newindex = nil",
    "rawset(math, 'pi', 3)",
    "setmetatable(getmetatable(_G), nil)",
    "getfenv(pcall).x = 1",
    "setmetatable('', nil)",
  ])
    expect(run(lua, source)).toStartWith("error: ");
  expect(run(lua, "setfenv(0, {}) return 1")).toBe("1");
  sandbox.prepare();
  expect(run(lua, "return type(redis)")).toBe("table");
});
