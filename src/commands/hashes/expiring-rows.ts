import { noted, oneKey } from "../../call/key-specs.ts";
import type { CommandSpec, KeySpec } from "../../call/spec.ts";
import { hexpire, hpersist, httl, type TimeForm } from "./expiring.ts";
import { hgetdel, hgetex, hsetex } from "./expiring-values.ts";
import type { Hashes } from "./values.ts";

/** Rows of the commands on the expiry of hash fields, of Redis 7.4 and 8.0. */

const COMPLEXITY = "O(N), N fields";
const FIELDS = "FIELDS fields=(numfields:integer field...)";

function row(
  name: string,
  summary: string,
  args: string,
  key: KeySpec,
  arity: number,
  run: CommandSpec["run"],
): CommandSpec {
  const readonly = key.flags.includes("RO");
  return {
    name,
    arity,
    flags: readonly ? ["readonly", "fast"] : ["write", "fast"],
    categories: ["hash"],
    keys: [key],
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: COMPLEXITY,
    args,
    run,
  };
}

/** HEXPIRE and its kin. */
function setting(hashes: Hashes, name: string, time: string, of: string, form: TimeForm): CommandSpec {
  const args = `key ${time} [condition=(NX|XX|GT|LT)] ${FIELDS}`;
  const run: CommandSpec["run"] = (call) => hexpire(call, hashes, form, name);
  const spec = row(name, `Sets when fields expire, as ${of}.`, args, oneKey("RW", "update"), -6, run);
  return { ...spec, flags: ["write", "denyoom", "fast"] };
}

/** HTTL and its kin. */
function telling(hashes: Hashes, name: string, summary: string, form: TimeForm): CommandSpec {
  const run: CommandSpec["run"] = (call) => httl(call, hashes, form);
  const spec = row(name, summary, `key ${FIELDS}`, oneKey("RO", "access"), -5, run);
  return form.relative ? { ...spec, tips: ["nondeterministic_output"] } : spec;
}

const TIMES =
  "EX seconds:integer|PX milliseconds:integer|EXAT unix-time-seconds:unix-time|PXAT unix-time-milliseconds:unix-time";

export function hashExpiryCommands(hashes: Hashes): CommandSpec[] {
  const inSeconds = { seconds: true, relative: true };
  const inMilliseconds = { seconds: false, relative: true };
  const atSecond = { seconds: true, relative: false };
  const atMillisecond = { seconds: false, relative: false };
  return [
    setting(hashes, "hexpire", "seconds:integer", "a number of seconds", inSeconds),
    setting(hashes, "hpexpire", "milliseconds:integer", "a number of milliseconds", inMilliseconds),
    setting(hashes, "hexpireat", "unix-time-seconds:unix-time", "a Unix time in seconds", atSecond),
    setting(
      hashes,
      "hpexpireat",
      "unix-time-milliseconds:unix-time",
      "a Unix time in milliseconds",
      atMillisecond,
    ),
    telling(hashes, "httl", "The seconds that fields have left.", inSeconds),
    telling(hashes, "hpttl", "The milliseconds that fields have left.", inMilliseconds),
    telling(hashes, "hexpiretime", "When fields expire, as a Unix time in seconds.", atSecond),
    telling(hashes, "hpexpiretime", "When fields expire, as a Unix time in milliseconds.", atMillisecond),
    row("hpersist", "Removes the expiry of fields.", `key ${FIELDS}`, oneKey("RW", "update"), -5, (call) =>
      hpersist(call, hashes),
    ),
    {
      ...row(
        "hgetdel",
        "The values of fields, which are removed.",
        `key ${FIELDS}`,
        oneKey("RW", "access", "delete"),
        -5,
        (call) => hgetdel(call, hashes),
      ),
      since: "8.0.0",
    },
    {
      ...row(
        "hgetex",
        "The values of fields, whose expiry is set or removed.",
        `key [expiration=(${TIMES}|PERSIST)] ${FIELDS}`,
        noted("Changes the fields' expiry", oneKey("RW", "access", "update")),
        -5,
        (call) => hgetex(call, hashes),
      ),
      since: "8.0.0",
    },
    {
      ...row(
        "hsetex",
        "Sets fields and, if wanted, when they expire.",
        `key [condition=(FNX|FXX)] [expiration=(${TIMES}|KEEPTTL)] FIELDS fields=(numfields:integer data=(field value)...)`,
        oneKey("RW", "update"),
        -6,
        (call) => hsetex(call, hashes),
      ),
      flags: ["write", "denyoom", "fast"],
      since: "8.0.0",
    },
  ];
}
