// Directives with a grammar of their own: save, bind, client-output-buffer-limit, oom-score-adj-values,
// notify-keyspace-events, latency-tracking-info-percentiles, replicaof and dir. Each is one constructor of a
// row; the value it keeps is what the server reads (numbers and small objects, never text to parse again).

import { InvalidValue, systemErrorText } from "./errors.ts";
import type { Directive, Traits } from "./kinds.ts";
import { formatDouble, formatMemory, INT_MAX, parseDouble, parseLong, parseMemory } from "./numbers.ts";
import { quoteArgument } from "./text.ts";

const WRONG_COUNT = "wrong number of arguments";

export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** Lines of redis.conf add up, the first one replacing the default; an empty one clears. */
export function savePoints<const Name extends string>(
  name: Name,
  initial: readonly SavePoint[],
): Directive<Name, readonly SavePoint[]> {
  const format = (value: readonly SavePoint[]) =>
    value.map(({ seconds, changes }) => `${seconds} ${changes}`).join(" ");
  return {
    name,
    initial,
    multi: true,
    volatile: true,
    parse(args, { current, loading }) {
      const cleared = args.length === 1 && args[0] === "";
      const words = cleared ? [] : args;
      const points: SavePoint[] = [];
      if (words.length % 2 !== 0) throw new InvalidValue("Invalid save parameters");
      for (let at = 0; at < words.length; at += 2) {
        const seconds = parseLong(words[at]!);
        const changes = parseLong(words[at + 1]!);
        if (seconds === null || seconds < 1n || changes === null || changes < 0n) {
          throw new InvalidValue("Invalid save parameters");
        }
        points.push({ seconds: Number(seconds), changes: Number(changes) });
      }
      return loading === "again" && !cleared ? [...current, ...points] : points;
    },
    format,
    rewrite(value) {
      if (value.length === 0) return [{ text: '""', force: true }];
      return value.map((point) => ({ text: format([point]), force: true }));
    },
  };
}

const BIND_MAX = 16;

export function bindAddresses<const Name extends string>(
  name: Name,
  initial: readonly string[],
): Directive<Name, readonly string[]> {
  return {
    name,
    initial,
    multi: true,
    volatile: true,
    parse(args) {
      if (args.length > BIND_MAX) throw new InvalidValue("Too many bind addresses specified.");
      return args.length === 1 && args[0] === "" ? [] : [...args];
    },
    format: (value) => value.join(" "),
    rewrite(value, text) {
      if (text === initial.join(" ")) return [];
      return [{ text: value.length === 0 ? '""' : text, force: true }];
    },
  };
}

/** `hard` and `soft` in bytes, 0 for none; the soft limit holds for `seconds` before it counts. */
export interface BufferLimit {
  readonly hard: number;
  readonly soft: number;
  readonly seconds: number;
}

export interface BufferLimits {
  readonly normal: BufferLimit;
  readonly replica: BufferLimit;
  readonly pubsub: BufferLimit;
}

const CLASSES: Readonly<Record<string, keyof BufferLimits>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
};

export function bufferLimits<const Name extends string>(
  name: Name,
  initial: BufferLimits,
): Directive<Name, BufferLimits> {
  const text = ({ hard, soft, seconds }: BufferLimit) => `${BigInt(hard)} ${BigInt(soft)} ${seconds}`;
  const rewriteText = ({ hard, soft, seconds }: BufferLimit) =>
    `${formatMemory(BigInt(hard))} ${formatMemory(BigInt(soft))} ${seconds}`;
  return {
    name,
    initial,
    multi: true,
    parse(args, { current }) {
      if (args.length % 4 !== 0) {
        throw new InvalidValue("Wrong number of arguments in buffer limit configuration.");
      }
      const limits: Record<keyof BufferLimits, BufferLimit> = { ...current };
      for (let at = 0; at < args.length; at += 4) {
        const group = CLASSES[args[at]!.toLowerCase()];
        if (group === undefined) {
          throw new InvalidValue("Invalid client class specified in buffer limit configuration.");
        }
        const hard = parseMemory(args[at + 1]!);
        const soft = parseMemory(args[at + 2]!);
        const seconds = parseLong(args[at + 3]!);
        if (hard === null || soft === null || seconds === null || seconds < 0n || seconds > INT_MAX) {
          throw new InvalidValue(
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
          );
        }
        limits[group] = { hard: Number(hard), soft: Number(soft), seconds: Number(seconds) };
      }
      return limits;
    },
    // CONFIG GET says slave, CONFIG REWRITE says replica: so does Redis.
    format: ({ normal, replica, pubsub }) =>
      `normal ${text(normal)} slave ${text(replica)} pubsub ${text(pubsub)}`,
    rewrite: (value) =>
      (["normal", "replica", "pubsub"] as const).map((group) => ({
        text: `${group} ${rewriteText(value[group])}`,
        force: text(value[group]) !== text(initial[group]),
      })),
  };
}

/** For a master, a replica and a background child, in this order. */
export function oomScores<const Name extends string>(
  name: Name,
  initial: readonly number[],
): Directive<Name, readonly number[]> {
  return {
    name,
    initial,
    multi: true,
    parse(args, { host }) {
      if (args.length !== initial.length) throw new InvalidValue(WRONG_COUNT);
      const scores = args.map((word) => {
        const score = parseLong(word);
        if (score !== null && score >= -2000n && score <= 2000n) return Number(score);
        throw new InvalidValue("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
      });
      if (scores[1]! < scores[0]! || scores[2]! < scores[1]!) {
        host.warn(
          "The oom-score-adj-values configuration may not work for non-privileged processes! " +
            "Please consult the documentation.",
        );
      }
      return scores;
    },
    format: (value) => value.join(" "),
    rewrite: (_value, text) => [{ text, force: text !== initial.join(" ") }],
  };
}

/** Bits of `values.notifyKeyspaceEvents`; the figures are Redis's, which modules know. */
export const NOTIFY = {
  keyspace: 1 << 0,
  keyevent: 1 << 1,
  generic: 1 << 2,
  string: 1 << 3,
  list: 1 << 4,
  set: 1 << 5,
  hash: 1 << 6,
  zset: 1 << 7,
  expired: 1 << 8,
  evicted: 1 << 9,
  stream: 1 << 10,
  keyMiss: 1 << 11,
  module: 1 << 13,
  new: 1 << 14,
  array: 1 << 15,
  subkeyspace: 1 << 16,
  subkeyevent: 1 << 17,
  subkeyspaceItem: 1 << 18,
  subkeyspaceEvent: 1 << 19,
} as const;

/** In the order of CONFIG GET. `all` says whether "A" includes the class. */
const CLASS_LETTERS: readonly (readonly [letter: string, bit: number, all: boolean])[] = [
  ["g", NOTIFY.generic, true],
  ["$", NOTIFY.string, true],
  ["l", NOTIFY.list, true],
  ["s", NOTIFY.set, true],
  ["h", NOTIFY.hash, true],
  ["z", NOTIFY.zset, true],
  ["x", NOTIFY.expired, true],
  ["e", NOTIFY.evicted, true],
  ["t", NOTIFY.stream, true],
  ["d", NOTIFY.module, true],
  ["a", NOTIFY.array, true],
  ["n", NOTIFY.new, false],
  ["K", NOTIFY.keyspace, false],
  ["E", NOTIFY.keyevent, false],
  ["m", NOTIFY.keyMiss, false],
  ["S", NOTIFY.subkeyspace, false],
  ["T", NOTIFY.subkeyevent, false],
  ["I", NOTIFY.subkeyspaceItem, false],
  ["V", NOTIFY.subkeyspaceEvent, false],
];
/** Without arrays these were all that "A" stood for in Redis 7.2, which shows it so. */
const NOTIFY_ALL_7 = CLASS_LETTERS.reduce(
  (bits, [letter, bit, all]) => (all && letter !== "a" ? bits | bit : bits),
  0,
);
export const NOTIFY_ALL = CLASS_LETTERS.reduce((bits, [, bit, all]) => (all ? bits | bit : bits), 0);

export function eventClasses<const Name extends string>(name: Name): Directive<Name, number> {
  const format = (value: number) => {
    const all = (value & NOTIFY_ALL_7) === NOTIFY_ALL_7;
    // With all of A, Redis reports "A" in place of the letters up to n.
    const listed = CLASS_LETTERS.filter(
      ([letter, bit, inAll]) => (value & bit) !== 0 && !(all && (inAll || letter === "n")),
    );
    return (all ? "A" : "") + listed.map(([letter]) => letter).join("");
  };
  return {
    name,
    initial: 0,
    volatile: true,
    parse([word = ""]) {
      let bits = 0;
      for (const letter of word) {
        const known = letter === "A" ? NOTIFY_ALL : CLASS_LETTERS.find((each) => each[0] === letter)?.[1];
        if (known === undefined) {
          throw new InvalidValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        }
        bits |= known;
      }
      return bits;
    },
    format,
    rewrite: (value, text) => [{ text: quoteArgument(text), force: value !== 0 }],
  };
}

export function percentiles<const Name extends string>(
  name: Name,
  initial: readonly number[],
): Directive<Name, readonly number[]> {
  return {
    name,
    initial,
    multi: true,
    parse(args) {
      if (args.length === 1 && args[0] === "") return [];
      return args.map((word) => {
        const value = parseDouble(word);
        if (value === null) throw new InvalidValue("Invalid latency-tracking-info-percentiles parameters");
        if (value <= 100 && value >= 0) return value;
        throw new InvalidValue("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
      });
    },
    format: (value) => value.map(formatDouble).join(" "),
    rewrite: (value, text) => [{ text: value.length === 0 ? '""' : text, force: true }],
  };
}

export interface MasterAddress {
  readonly host: string;
  readonly port: number;
}

/** The master to follow, null for none; kept up to date by REPLICAOF through Config.assign. */
export function masterAddress<const Name extends string>(
  name: Name,
  traits: Traits,
): Directive<Name, MasterAddress | null> {
  return {
    ...traits,
    name,
    initial: null,
    immutable: true,
    multi: true,
    parse(args) {
      const [host, port] = args;
      if (args.length !== 2 || host === undefined || port === undefined) {
        throw new InvalidValue(WRONG_COUNT);
      }
      if (host.toLowerCase() === "no" && port.toLowerCase() === "one") return null;
      const value = parseLong(port);
      if (value === null || value < 0n || value > 65535n) throw new InvalidValue("Invalid master port");
      return { host, port: Number(value) };
    },
    format: (value) => (value === null ? "" : `${value.host} ${value.port}`),
    rewrite: (value, text, { clusterEnabled }) =>
      value === null || clusterEnabled ? [] : [{ text, force: true }],
  };
}

/** The process's working directory: parsing goes there, as Redis does, and later relative paths start there. */
export function workingDirectory<const Name extends string>(
  name: Name,
  traits: Traits,
): Directive<Name, string> {
  return {
    ...traits,
    name,
    initial: "",
    effect: true,
    volatile: true,
    parse([path = ""], { host }) {
      try {
        host.changeDirectory(path);
      } catch (error) {
        throw new InvalidValue(systemErrorText(error));
      }
      return host.currentDirectory();
    },
    format: (value) => value,
    rewrite: (value) => [{ text: quoteArgument(value), force: true }],
  };
}
