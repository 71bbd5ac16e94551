// redis.conf and the command line together, as a server reads them at start.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine } from "../../../src/config/command-line.ts";
import { Config } from "../../../src/config/config.ts";
import { ConfigFileError, formatConfigFileError } from "../../../src/config/errors.ts";
import { readConfigFile, replaceFile } from "../../../src/config/files.ts";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";

const root = mkdtempSync(join(tmpdir(), "redbun-config-"));
beforeAll(() => mkdirSync(join(root, "conf.d")));
afterAll(() => rmSync(root, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text, "latin1");
  return path;
}

const host = { changeDirectory: () => {}, currentDirectory: () => "/data" };

function load(...argv: string[]): Config {
  const line = parseCommandLine(argv, root);
  if (line.mode !== "run") throw new Error(line.mode);
  const config = new Config(host);
  loadConfig(config, { file: line.configFile, options: line.directivesText });
  return config;
}

function failure(...argv: string[]): string {
  try {
    load(...argv);
  } catch (error) {
    if (error instanceof ConfigFileError) return formatConfigFileError(error, "7.2.6");
    throw error;
  }
  return "";
}

test("lines carry their place", () => {
  const lines = [...parseConfig('# no\n\n  PORT 1 \r\nsave "a b"\tc\n', "x.conf")];
  expect(lines).toEqual([
    { file: "x.conf", line: 3, text: "PORT 1", name: "port", args: ["1"] },
    { file: "x.conf", line: 4, text: 'save "a b"\tc', name: "save", args: ["a b", "c"] },
  ]);
});

describe("files", () => {
  test("values, includes with wildcards, lines of other rooms", () => {
    file("conf.d/b.conf", "maxclients 200\n");
    file("conf.d/a.conf", "maxclients 100\nhz 1000");
    file("conf.d/.hidden.conf", "maxclients 300\n");
    const main = file(
      "main.conf",
      [
        "# a comment",
        "maxmemory 100mb",
        'requirepass "a\\x00\\xffb"',
        "bind 127.0.0.1 ::1",
        `include ${root}/conf.d/*.conf`,
        `include ${root}/nothing/*.conf`,
        "client-output-buffer-limit normal 1mb 2mb 3",
        "client-output-buffer-limit pubsub 1 1 1",
        'rename-command FLUSHALL ""',
        "user bob on nopass ~a*",
        "loadmodule /x.so 1 2",
        "mod.setting a b",
        "list-max-ziplist-entries 5",
        "unixsocketperm 700",
      ].join("\n"),
    );
    const config = new Config(host);
    const lines = loadConfig(config, { file: main, input: "timeout 5\nhz 20", options: "timeout 6" });
    expect(config.values.maxmemory).toBe(104_857_600);
    expect(config.values.requirepass).toBe("a\0\xffb");
    expect(config.values.bind).toEqual(["127.0.0.1", "::1"]);
    expect(config.values.maxclients).toBe(200);
    expect(config.values.hz).toBe(20);
    expect(config.values.timeout).toBe(6);
    expect(config.values.unixsocketperm).toBe(0o700);
    expect(config.text("client-output-buffer-limit")).toBe(
      "normal 1048576 2097152 3 slave 268435456 67108864 60 pubsub 1 1 1",
    );
    expect(lines.renames).toEqual([{ from: "FLUSHALL", to: "" }]);
    expect(lines.users).toEqual([["bob", "on", "nopass", "~a*"]]);
    expect(lines.modules).toEqual([{ path: "/x.so", args: ["1", "2"] }]);
    expect([...lines.moduleSettings]).toEqual([["mod.setting", "a b"]]);
  });

  test("save lines add up, the first replaces the default, an empty one clears", () => {
    const save = (text: string, ...options: string[]) =>
      load(file("save.conf", text), ...options).text("save");
    expect(save("")).toBe("3600 1 300 100 60 10000");
    expect(save("save 900 1\nsave 300 10 60 5")).toBe("900 1 300 10 60 5");
    expect(save("save 900 1", "--save", "100", "100")).toBe("900 1 100 100");
    expect(save("save 900 1", "--save", "")).toBe("");
    expect(save('save 900 1\nsave ""\nsave 5 5')).toBe("5 5");
  });

  test.each([
    ["port 1\nfoo bar\n", 2, "foo bar", "Bad directive or wrong number of arguments"],
    ['maxmemory "1mb\n', 1, 'maxmemory "1mb', "Unbalanced quotes in configuration line"],
    ["\n\n  timeout abc  ", 3, "timeout abc", "argument couldn't be parsed into an integer"],
    ["port 1 2", 1, "port 1 2", "wrong number of arguments"],
    ["sentinel monitor x", 1, "sentinel monitor x", "sentinel directive while not in sentinel mode"],
    ["rename-command a", 1, "rename-command a", "Bad directive or wrong number of arguments"],
    ["foo.bar", 1, "foo.bar", "Module config specified without value"],
    ["save 1", 1, "save 1", "Invalid save parameters"],
    ["replicaof no two", 1, "replicaof no two", "Invalid master port"],
    ["dbfilename a/b", 1, "dbfilename a/b", "dbfilename can't be a path, just a filename"],
  ])("%j is refused with its place", (text, line, quoted, reason) => {
    const path = file("bad.conf", text);
    expect(failure(path)).toBe(
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\n" +
        `Reading the configuration file, at line ${line} of ${path}\n>>> '${quoted}'\n${reason}\n`,
    );
  });

  test("an error in an included file names that file", () => {
    const inner = file("inner.conf", "hz x\n");
    expect(failure(file("outer.conf", `port 1\ninclude ${inner}\n`))).toContain(`at line 1 of ${inner}\n`);
  });

  test("a file that includes itself", () => {
    const path = join(root, "self.conf");
    expect(failure(file("self.conf", `include ${path}\n`))).toContain("Too many levels of include");
  });

  test("a missing file", () => {
    const gone = join(root, "gone.conf");
    expect(() => load(gone)).toThrow(
      `Fatal error, can't open config file '${gone}': No such file or directory`,
    );
  });

  test("the whole", () => {
    expect(failure("--cluster-enabled", "yes", "--replicaof", "a", "1")).toBe(
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nreplicaof directive not allowed in cluster mode\n",
    );
    expect(failure("--logfile", `${root}/none/x.log`)).toContain(
      "Can't open the log file: No such file or directory",
    );
    const warnings: string[] = [];
    const config = new Config(host);
    loadConfig(config, { options: "cluster-enabled yes" }, { warn: (message) => warnings.push(message) });
    expect(config.values.databases).toBe(1);
    expect(warnings).toEqual([
      "WARNING: Changing databases number from 16 to 1 since we are in cluster mode",
    ]);
  });

  test("handlers may refuse a line", () => {
    const load = () =>
      loadConfig(
        new Config(host),
        { options: "rename-command nosuch x" },
        { renameCommand: () => "No such command in rename-command" },
      );
    expect(load).toThrow("the command line:1: No such command in rename-command");
  });
});

test("a file is replaced at once", () => {
  const path = file("replaced.conf", "old");
  replaceFile(path, "new \xff\n");
  expect(readConfigFile(path)).toBe("new \xff\n");
  expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
  expect(() => replaceFile(join(root, "none", "x.conf"), "x")).toThrow("ENOENT");
});

/** The cases of "redis-server command line arguments" in unit/introspection.tcl, and ours. */
describe("command line", () => {
  test.each([
    [["--invalid"], "'invalid'", "Bad directive or wrong number of arguments"],
    [["--port"], "'port'", "wrong number of arguments"],
    [["--port", "6380", "--loglevel"], "'loglevel'", "wrong number of arguments"],
    [["--port", "6379", "6380"], `'port "6379" "6380"'`, "wrong number of arguments"],
    [["--port", "--loglevel", "verbose"], `'port "--loglevel" "verbose"'`, "wrong number of arguments"],
    [
      ["--port", "--bla", "--loglevel", "verbose"],
      `'port "--bla"'`,
      "argument couldn't be parsed into an integer",
    ],
    [["--logfile", "--my--log", "--loglevel", "--bla"], `'loglevel "--bla"'`, "argument(s) must be one of"],
    [["--shutdown-on-sigint"], "'shutdown-on-sigint'", "argument(s) must be one of the following"],
    [
      ["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
      "'shutdown-on-sigterm'",
      "argument(s) must",
    ],
    [["--replicaof", "127.0.0.1", "abc"], `'replicaof "127.0.0.1" "abc"'`, "Invalid master port"],
    [["--replicaof", "--127.0.0.1", "abc"], `'replicaof "--127.0.0.1" "abc"'`, "Invalid master port"],
    [["--replicaof", "--127.0.0.1", "--abc"], `'replicaof "--127.0.0.1"'`, "wrong number of arguments"],
  ])("%j is refused", (argv, line, reason) => {
    const text = failure(...argv);
    expect(text).toContain(`>>> ${line}`);
    expect(text).toContain(reason);
  });

  test.each([
    [
      ["--maxmemory 700mb", "--maxmemory-policy volatile-lru"],
      { maxmemory: "734003200", "maxmemory-policy": "volatile-lru" },
    ],
    [["--maxmemory '700mb'"], { maxmemory: "734003200" }],
    [
      ["--proc-title-template", "--my--title", "--loglevel", "verbose"],
      { "proc-title-template": "--my--title", loglevel: "verbose" },
    ],
    [
      ["--proc-title-template --my--title", "--loglevel verbose"],
      { "proc-title-template": "--my--title", loglevel: "verbose" },
    ],
    [["--save", "--loglevel", "verbose"], { save: "", loglevel: "verbose" }],
    [["--loglevel", "verbose", "--save"], { save: "", loglevel: "verbose" }],
    [["--save", "", "--loglevel", "verbose"], { save: "", loglevel: "verbose" }],
    [
      ["--proc-title-template", "--save", "--save", "", "--loglevel", "verbose"],
      { "proc-title-template": "--save", save: "", loglevel: "verbose" },
    ],
    [
      ["--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force"],
      { "shutdown-on-sigint": "nosave now force", "shutdown-on-sigterm": "nosave force" },
    ],
    [["--requirepass", 'pä"ss w'], { requirepass: 'p\xc3\xa4"ss w' }],
    [["--list-max-ziplist-size", "-5"], { "list-max-listpack-size": "-5" }],
    [["-port", "6380", "-replicaof", "10.0.0.1", "6379"], { port: "6380", replicaof: "10.0.0.1 6379" }],
    [["-port 6380", "--hz", "20"], { port: "6380", hz: "20" }],
    [["-save", "-port", "1"], { save: "", port: "1" }],
    [
      ["--slowlog-log-slower-than", "-1", "--replicaof", "no", "one"],
      { "slowlog-log-slower-than": "-1", replicaof: "" },
    ],
  ] as [string[], Record<string, string>][])("%j", (argv, expected) => {
    const config = load(...argv);
    for (const [name, text] of Object.entries(expected)) expect(config.get([name])).toEqual([[name, text]]);
  });

  test("a bare pair after the file is a line too", () => {
    expect(load(file("empty.conf", ""), "loglevel", "verbose").values.loglevel).toBe("verbose");
  });

  test("modes, files, standard input", () => {
    const run = { mode: "run", configFile: null, readsInput: false, directivesText: "" } as const;
    expect(parseCommandLine([])).toEqual(run);
    expect(parseCommandLine(["-"])).toEqual({ ...run, readsInput: true });
    expect(parseCommandLine(["/a.conf", "-"])).toEqual({ ...run, configFile: "/a.conf", readsInput: true });
    expect(parseCommandLine(["../x/a.conf", "--port", "1"], "/srv/app")).toEqual({
      ...run,
      configFile: "/srv/x/a.conf",
      directivesText: 'port "1" ',
    });
    expect(parseCommandLine(["--timeout", "-", "3"])).toEqual({ ...run, directivesText: 'timeout "-" "3" ' });
    for (const argument of ["-v", "--version"]) expect(parseCommandLine([argument]).mode).toBe("version");
    for (const argument of ["-h", "--help"]) expect(parseCommandLine([argument]).mode).toBe("help");
    for (const argv of [["--test-memory", "5"], ["--check-system"], ["x.conf", "--sentinel"]]) {
      expect(parseCommandLine(argv).mode).toBe("refused");
    }
  });
});
