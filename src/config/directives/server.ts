// The process and its log: directory, daemon, pid file, logging, shutdown, CPU placement, ACL file, slow log.

import { checkShutdownFlags, checkTitleTemplate } from "../checks.ts";
import { bool, choice, integer, string, wordSet } from "../kinds.ts";
import { INT_MAX, LONG_MAX } from "../numbers.ts";
import { oomScores, percentiles, workingDirectory } from "../special.ts";

const SHUTDOWN_FLAGS = ["default", "save", "nosave", "now", "force"] as const;
const ACTION = ["no", "yes", "local"] as const;
const FIXED = { immutable: true } as const;
const FIXED_OR_UNSET = { immutable: true, emptyIsUnset: true } as const;

export const serverDirectives = [
  workingDirectory("dir", { protected: true, denyLoading: true }),
  bool("daemonize", false, FIXED),
  choice("supervised", "no", ["upstart", "systemd", "auto", "no"], FIXED),
  string("pidfile", "", FIXED_OR_UNSET),
  bool("set-proc-title", true, FIXED),
  string("proc-title-template", "{title} {listen-addr} {server-mode}", { check: checkTitleTemplate }),
  bool("always-show-logo", false, FIXED),
  integer("databases", 16, 1, INT_MAX, FIXED),
  integer("hz", 10, 0, INT_MAX, { clamp: [1, 500] }),
  bool("dynamic-hz", true),
  string("locale-collate", ""),
  string("ignore-warnings", ""),

  choice("loglevel", "notice", ["debug", "verbose", "notice", "warning", "nothing"]),
  string("logfile", "", FIXED),
  bool("syslog-enabled", false, FIXED),
  string("syslog-ident", "redis", FIXED),
  choice(
    "syslog-facility",
    "local0",
    ["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
    FIXED,
  ),
  bool("crash-log-enabled", true),
  bool("crash-memcheck-enabled", true),
  bool("use-exit-on-panic", false, { hidden: true }),
  integer("watchdog-period", 0, 0, INT_MAX, { hidden: true }),

  integer("shutdown-timeout", 10, 0, INT_MAX),
  wordSet("shutdown-on-sigint", SHUTDOWN_FLAGS, checkShutdownFlags),
  wordSet("shutdown-on-sigterm", SHUTDOWN_FLAGS, checkShutdownFlags),

  choice("enable-protected-configs", "no", ACTION, FIXED),
  choice("enable-debug-command", "no", ACTION, FIXED),
  choice("enable-module-command", "no", ACTION, FIXED),
  string("aclfile", "", FIXED),
  integer("acllog-max-len", 128, 0, LONG_MAX),
  choice("acl-pubsub-default", "resetchannels", ["allchannels", "resetchannels"]),
  string("requirepass", "", { sensitive: true, emptyIsUnset: true, binary: true }),

  choice("oom-score-adj", "no", ["no", "yes", "absolute"], { synonyms: { relative: "yes" } }),
  oomScores("oom-score-adj-values", [0, 200, 800]),
  bool("disable-thp", true, FIXED),
  bool("jemalloc-bg-thread", true),
  string("server_cpulist", "", FIXED_OR_UNSET),
  string("bio_cpulist", "", FIXED_OR_UNSET),
  string("aof_rewrite_cpulist", "", FIXED_OR_UNSET),
  string("bgsave_cpulist", "", FIXED_OR_UNSET),

  integer("slowlog-log-slower-than", 10_000, -1, LONG_MAX, { alias: "commandlog-execution-slower-than" }),
  integer("slowlog-max-len", 128, 0, LONG_MAX, { alias: "commandlog-slow-execution-max-len" }),
  integer("commandlog-request-larger-than", 1_048_576, -1, LONG_MAX),
  integer("commandlog-large-request-max-len", 128, 0, LONG_MAX),
  integer("commandlog-reply-larger-than", 1_048_576, -1, LONG_MAX),
  integer("commandlog-large-reply-max-len", 128, 0, LONG_MAX),
  integer("latency-monitor-threshold", 0, 0, LONG_MAX),
  bool("latency-tracking", true),
  percentiles("latency-tracking-info-percentiles", [50, 99, 99.9]),
  integer("busy-reply-threshold", 5000, 0, LONG_MAX, { alias: "lua-time-limit" }),
] as const;
