import { describe, expect, test } from "bun:test";
import { oneKey } from "../../../src/call/key-specs.ts";
import { CATEGORIES, Registry } from "../../../src/call/registry.ts";
import { type CommandSpec, FLAGS, type Flag } from "../../../src/call/spec.ts";
import { Request } from "../../../src/resp/request.ts";

function row(name: string, arity: number, flags: Flag[] = [], more: Partial<CommandSpec> = {}): CommandSpec {
  return { name, arity, flags, categories: [], since: "1.0.0", group: "string", summary: "", ...more };
}

const config = row("config", -2, [], { subcommands: [row("get", -3, ["admin"]), row("set", -4)] });

function registry(): Registry {
  return new Registry([
    row("get", 2, ["readonly", "fast"], { keys: [oneKey("RO", "access")] }),
    row("set", -3, ["write", "denyoom"], { categories: ["string"] }),
    row("restore-asking", -4, ["write"]),
    config,
  ]);
}

function look(commands: Registry, ...args: string[]): string | undefined {
  return commands.lookup(Request.of(args.map((arg) => new TextEncoder().encode(arg))))?.fullName;
}

describe("lookup", () => {
  test("in any case, whole names only", () => {
    const commands = registry();
    expect(look(commands, "GET", "a")).toBe("get");
    expect(look(commands, "gEt")).toBe("get");
    expect(look(commands, "Restore-Asking")).toBe("restore-asking");
    for (const name of ["ge", "gett", "", "restore_asking", "restore\rasking", "GE\x54\x00", "config|get"]) {
      expect(look(commands, name)).toBeUndefined();
    }
  });

  test("subcommands; the container where it stands alone or the subcommand is unknown", () => {
    const commands = registry();
    expect(look(commands, "CONFIG", "Get", "x")).toBe("config|get");
    expect(look(commands, "config")).toBe("config");
    expect(look(commands, "config", "nope")).toBe("config");
  });

  test("among many commands, each is found and no other", () => {
    const names = Array.from({ length: 2000 }, (_, i) => `command${i}`);
    const commands = new Registry(names.map((name) => row(name, 1)));
    for (const name of names) expect(look(commands, name.toUpperCase())).toBe(name);
    expect(look(commands, "command2000")).toBeUndefined();
    expect([...commands.all()].map((command) => command.fullName)).toEqual(names);
  });

  test("a name declared twice is refused", () => {
    expect(() => new Registry([row("get", 2), row("get", 2)])).toThrow("declared twice");
  });
});

describe("names", () => {
  test("get takes containers and subcommands, nothing else", () => {
    const commands = registry();
    expect(commands.get("CONFIG|Set")?.fullName).toBe("config|set");
    expect(commands.get("config")?.fullName).toBe("config");
    for (const name of ["", "nope", "config|nope", "config|", "get|get", "get|", "config|get|x"]) {
      expect(commands.get(name)).toBeNull();
    }
  });

  test("rename moves a command with its subcommands; the full name stays", () => {
    const commands = registry();
    expect(commands.rename("CONFIG", "Hidden")).toBeNull();
    expect(look(commands, "config", "get")).toBeUndefined();
    expect(look(commands, "HIDDEN", "get")).toBe("config|get");
    expect(commands.get("hidden|get")?.fullName).toBe("config|get");
    expect(commands.original("config|get")?.fullName).toBe("config|get");
    expect(commands.commands.size).toBe(4);
  });

  test("an empty name removes; impossible renames say why", () => {
    const commands = registry();
    expect(commands.rename("get", "")).toBeNull();
    expect(look(commands, "get")).toBeUndefined();
    expect(look(commands, "set")).toBe("set");
    expect(commands.rename("get", "x")).toBe("No such command in rename-command");
    expect(commands.rename("restore-asking", "SET")).toBe("Target command name already exists");
  });

  test("all: subcommands behind their container", () => {
    expect([...registry().all()].map((command) => command.fullName)).toEqual([
      "get",
      "set",
      "restore-asking",
      "config",
      "config|get",
      "config|set",
    ]);
  });
});

describe("what follows from a row", () => {
  const commands = registry();
  const get = commands.get("get")!;
  const set = commands.get("set")!;
  const configGet = commands.get("config|get")!;
  const C = CATEGORIES;

  test("categories", () => {
    expect(get.categories).toBe(C.read | C.fast);
    expect(set.categories).toBe(C.write | C.string | C.slow);
    expect(configGet.categories).toBe(C.admin | C.dangerous | C.slow);
    const script = new Registry([row("eval_ro", -3, ["readonly"], { categories: ["scripting"] })]);
    expect(script.get("eval_ro")!.categories).toBe(C.scripting | C.slow);
  });

  test("arity", () => {
    expect([1, 2, 3].map((argc) => get.acceptsArgs(argc))).toEqual([false, true, false]);
    expect([2, 3, 9].map((argc) => set.acceptsArgs(argc))).toEqual([false, true, true]);
  });

  test("flags", () => {
    expect(get.flags).toBe(FLAGS.readonly | FLAGS.fast);
    expect(get.has("fast")).toBe(true);
    expect(set.has("fast")).toBe(false);
    expect(configGet.parent).toBe(commands.get("config"));
  });
});
