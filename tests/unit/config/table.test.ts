// The table: its names, flags and defaults are those of Redis 7.2 (names and defaults read off a real server).

import { describe, expect, test } from "bun:test";
import { Config } from "../../../src/config/config.ts";
import { directives, entries, findEntry } from "../../../src/config/table.ts";

const named = (flag: "hidden" | "protected" | "denyLoading" | "sensitive") =>
  directives
    .filter((each) => each[flag])
    .map((each) => each.name)
    .sort();

test("has every directive of 7.2 once, redbun's own and those of later versions", () => {
  const own = directives.filter(({ name }) => name.startsWith("console-") || name === "io-uring");
  expect(own.map(({ name }) => name)).toEqual(["console-port", "console-bind", "io-uring"]);
  const later = directives.filter(({ name }) => /^(stream-idmp|commandlog)-/.test(name));
  expect(later.map(({ name }) => name).sort()).toEqual([
    "commandlog-large-reply-max-len",
    "commandlog-large-request-max-len",
    "commandlog-reply-larger-than",
    "commandlog-request-larger-than",
    "stream-idmp-duration",
    "stream-idmp-maxsize",
  ]);
  expect(directives.length - own.length - later.length).toBe(183);
  const aliases = entries.filter((each) => each.isAlias).map((each) => each.name);
  const laterAliases = ["commandlog-execution-slower-than", "commandlog-slow-execution-max-len"];
  expect(aliases).toEqual(expect.arrayContaining(laterAliases));
  expect(aliases.length - laterAliases.length).toBe(19);
  expect(new Set(entries.map((each) => each.name)).size).toBe(entries.length);
});

test("flags", () => {
  expect(named("hidden")).toEqual([
    "aof-disable-auto-gc",
    "cluster-ping-interval",
    "key-load-delay",
    "loading-process-events-interval-bytes",
    "rdb-key-save-delay",
    "use-exit-on-panic",
    "watchdog-period",
  ]);
  expect(named("protected")).toEqual(["dbfilename", "dir"]);
  expect(named("denyLoading")).toEqual(["appendonly", "dir", "repl-diskless-load"]);
  expect(named("sensitive")).toEqual(["masterauth", "masteruser", "requirepass"]);
});

test("names are found in any case, aliases share the value", () => {
  expect(findEntry("MaxMemory")?.key).toBe("maxmemory");
  expect(findEntry("SLAVEOF")?.key).toBe("replicaof");
  expect(findEntry("server_cpulist")?.key).toBe("serverCpulist");
  expect(findEntry("nothing-such")).toBeUndefined();
});

describe("each default", () => {
  const config = new Config({ changeDirectory: () => {}, currentDirectory: () => "/data" });
  const context = {
    current: undefined,
    loading: "no",
    host: { changeDirectory: () => {}, currentDirectory: () => "/data", root: () => "", warn: () => {} },
  } as const;

  test.each(directives.map((each) => each.name))("%s parses back from its own text", (name) => {
    const { directive } = findEntry(name)!;
    const [[, text]] = config.get([name]) as [[string, string]];
    if (name === "replicaof") return expect(text).toBe("");
    const args = directive.multi && text !== "" ? text.split(" ") : [text];
    const value = directive.parse(args, { ...context, current: directive.initial });
    expect(directive.format(value)).toBe(text);
  });

  test("texts of the structured ones", () => {
    const text = (name: string) => config.get([name])[0]![1];
    expect(text("save")).toBe("3600 1 300 100 60 10000");
    expect(text("bind")).toBe("* -::*");
    expect(text("client-output-buffer-limit")).toBe(
      "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    );
    expect(text("oom-score-adj-values")).toBe("0 200 800");
    expect(text("latency-tracking-info-percentiles")).toBe("50 99 99.9");
    expect(text("notify-keyspace-events")).toBe("");
    expect(text("shutdown-on-sigterm")).toBe("default");
    expect(text("unixsocketperm")).toBe("0");
    expect(text("proto-max-bulk-len")).toBe("536870912");
    expect(text("proc-title-template")).toBe("{title} {listen-addr} {server-mode}");
    expect(text("dir")).toBe("/data");
  });
});
