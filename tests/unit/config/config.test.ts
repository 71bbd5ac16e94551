// CONFIG GET and CONFIG SET: sentences as a real server answered them, atomicity, hooks.

import { describe, expect, test } from "bun:test";
import { Config } from "../../../src/config/config.ts";
import { ConfigError } from "../../../src/config/errors.ts";
import { NOTIFY } from "../../../src/config/special.ts";

const CONTEXT = { local: true, loading: false };

function makeConfig() {
  const state = { directory: "/start", warnings: [] as string[] };
  const config = new Config({
    changeDirectory(path) {
      if (path === "/gone") throw Object.assign(new Error("chdir"), { code: "ENOENT" });
      state.directory = path;
    },
    currentDirectory: () => state.directory,
    warn: (message) => state.warnings.push(message),
  });
  return { config, state };
}

function refusal(config: Config, pairs: [string, string][], context = CONTEXT): string {
  try {
    config.set(pairs, context);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.prefix} ${error.message}`;
    throw error;
  }
  return "OK";
}

const sentence = (name: string, reason: string) =>
  `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;

describe("get", () => {
  test("several patterns, no duplicates, aliases as entries", () => {
    const { config } = makeConfig();
    const names = config.get(["maxmemory", "MAXMEMORY*", "bind", "*of"]).map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      "maxmemory",
      "maxmemory-clients",
      "maxmemory-policy",
      "bind",
      "slaveof",
      "replicaof",
    ]) {
      expect(names).toContain(name);
    }
  });

  test("an exact name comes back as it was asked for", () => {
    expect(makeConfig().config.get(["MaxMemory", "none", ""])).toEqual([["MaxMemory", "0"]]);
  });

  test("hidden directives need their exact name", () => {
    const { config } = makeConfig();
    expect(config.get(["*"]).some(([name]) => name === "key-load-delay")).toBeFalse();
    expect(config.get(["key-load-delay*"])).toEqual([]);
    expect(config.get(["key-load-delay"])).toEqual([["key-load-delay", "0"]]);
  });
});

describe("values of each kind", () => {
  test.each([
    ["maxmemory", "1kb", "1024"],
    ["maxmemory", "1K", "1000"],
    ["maxmemory", "2mB", "2097152"],
    ["maxmemory", "3g", "3000000000"],
    ["maxmemory", "", "0"],
    ["maxmemory", "kb", "0"],
    ["maxmemory", "5b", "5"],
    ["maxmemory", "18446744073709551615", "18446744073709551615"],
    ["maxmemory", "99999999999999999999999", "18446744073709551615"],
    ["slowlog-log-slower-than", "9223372036854775807", "9223372036854775807"],
    ["maxmemory-clients", "10%", "10%"],
    ["maxmemory-clients", "0%", "0"],
    ["hz", "1000", "500"],
    ["hz", "0", "1"],
    ["repl-backlog-size", "1", "16384"],
    ["appendfsync", "ALWAYS", "always"],
    ["oom-score-adj", "relative", "yes"],
    ["shutdown-on-sigint", "force now nosave", "nosave now force"],
    ["shutdown-on-sigint", "default", "default"],
    ["save", "", ""],
    ["save", "900 ", "900 0"],
    ["save", "60 1 30 5", "60 1 30 5"],
    ["bind", "", ""],
    ["bind", "127.0.0.1 ::1", "127.0.0.1 ::1"],
    ["notify-keyspace-events", "KEA", "AKE"],
    ["notify-keyspace-events", "nmg$lshzxetd", "Am"],
    ["notify-keyspace-events", "lgn", "gln"],
    ["latency-tracking-info-percentiles", "50 0x10 1e1 99.95", "50 16 10 99.95"],
    ["oom-score-adj-values", "1 2 3", "1 2 3"],
    ["client-output-buffer-limit", "", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"],
    [
      "client-output-buffer-limit",
      "normal 1 2 3 replica 1kb 2kb 4",
      "normal 1 2 3 slave 1024 2048 4 pubsub 33554432 8388608 60",
    ],
    ["requirepass", "a\0\xff", "a\0\xff"],
    ["masteruser", "a\0b", "a"],
  ])("%s %j is %j", (name, value, text) => {
    const { config } = makeConfig();
    config.set([[name, value]], CONTEXT);
    expect(config.get([name])).toEqual([[name, text]]);
  });

  test("typed values", () => {
    const { config } = makeConfig();
    config.set(
      [
        ["maxmemory", "100mb"],
        ["appendonly", "YES"],
        ["maxmemory-clients", "5%"],
        ["notify-keyspace-events", "Kx"],
        ["save", "10 2"],
      ],
      CONTEXT,
    );
    expect(config.values.maxmemory).toBe(104_857_600);
    expect(config.values.appendonly).toBeTrue();
    expect(config.values.maxmemoryClients).toBe(-5);
    expect(config.values.notifyKeyspaceEvents).toBe(NOTIFY.keyspace | NOTIFY.expired);
    expect(config.values.save).toEqual([{ seconds: 10, changes: 2 }]);
  });
});

describe("refusals", () => {
  test.each([
    ["appendonly", "maybe", "argument must be 'yes' or 'no'"],
    ["timeout", "01", "argument couldn't be parsed into an integer"],
    ["timeout", "-1", "argument must be between 0 and 2147483647 inclusive"],
    ["hash-max-listpack-entries", "-1", "argument must be between 0 and 9223372036854775807 inclusive"],
    ["maxmemory", "-1", "argument must be a memory value"],
    ["maxmemory", "1tb", "argument must be a memory value"],
    ["maxmemory-clients", "x", "argument must be a memory or percent value"],
    ["maxmemory-clients", "200%", "percentage argument must be less or equal to 100"],
    ["appendfsync", "never", "argument(s) must be one of the following: everysec, always, no"],
    ["oom-score-adj", "x", "argument(s) must be one of the following: no, yes, relative, absolute"],
    ["shutdown-on-sigint", "", "argument(s) must be one of the following: default, save, nosave, now, force"],
    ["shutdown-on-sigint", "save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"],
    ["save", "900  1", "Invalid save parameters"],
    ["save", "0 1", "Invalid save parameters"],
    ["notify-keyspace-events", "Kq", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ["client-output-buffer-limit", "normal 1 2", "Wrong number of arguments in buffer limit configuration."],
    [
      "client-output-buffer-limit",
      "master 1 2 3",
      "Invalid client class specified in buffer limit configuration.",
    ],
    [
      "client-output-buffer-limit",
      "normal 1 2 -3",
      "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ],
    ["oom-score-adj-values", "1 2", "wrong number of arguments"],
    [
      "latency-tracking-info-percentiles",
      "101",
      "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
    ],
    ["latency-tracking-info-percentiles", "nan", "Invalid latency-tracking-info-percentiles parameters"],
    ["proc-title-template", "{x}", "template format is invalid or contains unknown variables"],
    [
      "cluster-announce-hostname",
      "a_b",
      "Hostnames may only contain alphanumeric characters, hyphens or dots",
    ],
    ["cluster-announce-hostname", "x".repeat(256), "Hostnames must be less than 256 characters"],
    ["daemonize", "yes", "can't set immutable config"],
    ["DAEMONIZE", "yes", "can't set immutable config"],
    ["DIR", "/", "can't set protected config"],
  ])("%s %j", (name, value, reason) => {
    const { config } = makeConfig();
    const before = config.get(["*"]);
    expect(refusal(config, [[name, value]])).toBe(sentence(name, reason));
    expect(config.get(["*"])).toEqual(before);
  });

  test("a bad value is blamed on the name in lower case, as in Redis", () => {
    const reason = "argument couldn't be parsed into an integer";
    expect(refusal(makeConfig().config, [["SLAVE-PRIORITY", "x"]])).toBe(sentence("slave-priority", reason));
  });

  test("the names: unknown, twice, an alias is another name", () => {
    const { config } = makeConfig();
    expect(refusal(config, [["Foo", "1"]])).toBe(
      "ERR Unknown option or number of arguments for CONFIG SET - 'Foo'",
    );
    expect(
      refusal(config, [
        ["maxmemory", "1"],
        ["MAXMEMORY", "2"],
      ]),
    ).toBe(sentence("MAXMEMORY", "duplicate parameter"));
    expect(
      refusal(config, [
        ["replica-priority", "1"],
        ["slave-priority", "2"],
      ]),
    ).toBe("OK");
    expect(config.values.replicaPriority).toBe(2);
  });

  test("while loading", () => {
    const { config } = makeConfig();
    expect(refusal(config, [["appendonly", "yes"]], { local: true, loading: true })).toBe(
      "LOADING Redis is loading the dataset in memory",
    );
    expect(refusal(config, [["loglevel", "debug"]], { local: true, loading: true })).toBe("OK");
  });

  test("protected directives follow enable-protected-configs", () => {
    const { config } = makeConfig();
    config.assign("enableProtectedConfigs", "local");
    expect(refusal(config, [["dbfilename", "a"]])).toBe("OK");
    expect(refusal(config, [["dbfilename", "b"]], { local: false, loading: false })).toContain("protected");
    config.assign("enableProtectedConfigs", "yes");
    expect(refusal(config, [["dbfilename", "b"]], { local: false, loading: false })).toBe("OK");
  });
});

describe("all or nothing", () => {
  test("a value refused later undoes the earlier ones, the directory too", () => {
    const { config, state } = makeConfig();
    config.assign("enableProtectedConfigs", "yes");
    const before = config.get(["*"]);
    const set = refusal(config, [
      ["maxmemory", "18446744073709551615"],
      ["dir", "/elsewhere"],
      ["maxmemory-clients", "200%"],
      ["client-query-buffer-limit", "invalid"],
    ]);
    expect(set).toBe(sentence("maxmemory-clients", "percentage argument must be less or equal to 100"));
    expect(config.get(["*"])).toEqual(before);
    expect(state.directory).toBe("/start");
    expect(refusal(config, [["dir", "/gone"]])).toBe(sentence("dir", "No such file or directory"));
    expect(refusal(config, [["dir", "/elsewhere"]])).toBe("OK");
    expect(config.values.dir).toBe("/elsewhere");
  });

  test("a hook runs once for several directives, and only for a change", () => {
    const { config } = makeConfig();
    const calls: string[] = [];
    config.onApply(["port", "tls-port"], (values, previous) => {
      calls.push(`${previous.port}/${previous.tlsPort} -> ${values.port}/${values.tlsPort}`);
      return null;
    });
    config.set(
      [
        ["port", "1"],
        ["tls-port", "2"],
      ],
      CONTEXT,
    );
    config.set([["port", "1"]], CONTEXT);
    expect(calls).toEqual(["6379/0 -> 1/2"]);
  });

  test("a file's hook runs even for the same name", () => {
    const { config } = makeConfig();
    let calls = 0;
    config.onApply("tls-cert-file", () => {
      calls++;
      return null;
    });
    config.set([["tls-cert-file", "a.pem"]], CONTEXT);
    config.set([["tls-cert-file", "a.pem"]], CONTEXT);
    expect(calls).toBe(2);
  });

  test("a failed hook blames its directive, restores all and runs the hooks again", () => {
    const { config } = makeConfig();
    const seen: string[] = [];
    config.onApply("maxmemory", ({ maxmemory }) => {
      seen.push(`maxmemory ${maxmemory}`);
      return null;
    });
    config.onApply(["bind", "port"], ({ port }) => {
      seen.push(`port ${port}`);
      return port === 7 ? "Unable to listen on this port. Check server logs." : null;
    });
    expect(
      refusal(config, [
        ["maxmemory", "5"],
        ["port", "7"],
        ["bind", "::1"],
      ]),
    ).toBe(sentence("port", "Unable to listen on this port. Check server logs."));
    expect(seen).toEqual(["maxmemory 5", "port 7", "maxmemory 0", "port 6379"]);
    expect(config.values.bind).toEqual(["*", "-::*"]);
  });

  test("a hook that throws restores all as well", () => {
    const { config } = makeConfig();
    config.onApply("maxclients", ({ maxclients }) => {
      if (maxclients === 5) throw new Error("boom");
      return null;
    });
    expect(() => config.set([["maxclients", "5"]], CONTEXT)).toThrow("boom");
    expect(config.values.maxclients).toBe(10_000);
  });
});

test("assign changes a value without hooks", () => {
  const { config } = makeConfig();
  config.assign("replicaof", { host: "10.0.0.1", port: 6379 });
  expect(config.get(["slaveof"])).toEqual([["slaveof", "10.0.0.1 6379"]]);
  expect(config.isSensitive("MASTERAUTH")).toBeTrue();
  expect(config.isSensitive("port")).toBeFalse();
});
