/**
 * The commands of the throughput section: what clients send, the same as redis-benchmark's tests, and what
 * must be in the server before, so that a POP finds something to pop and a GET hits.
 */
import type { Wire } from "../lib/wire.ts";
import { type Job, RANDOM } from "./load-client.ts";
import { load } from "./loader.ts";

export interface RowSetup {
  wire: Wire;
  port: number;
  /** Requests that the run will send. */
  requests: number;
  keyspace: number;
}

export interface Row {
  /** The command that the server must know. */
  command: string;
  line: string[];
  reply: Job["reply"];
  prepare?(setup: RowSetup): Promise<void>;
}

export const DATA_SIZE = 32;
const DATA = "x".repeat(DATA_SIZE);
/** Prepared elements: one for each request. */
const MOST_ELEMENTS = 10_000_000;
const LIST_LENGTH = 600;

/** `key:000000000000` and so on, the keys that redis-benchmark draws from. */
async function fillKeys({ port, keyspace }: RowSetup): Promise<void> {
  await load(port, keyspace, (i) => ["SET", `key:${String(i).padStart(12, "0")}`, DATA]);
}

/** One collection with an element for each request, from commands of 100 elements. */
function fillCollection(command: string, key: string, element: (i: number) => string[]) {
  return async ({ port, requests }: RowSetup): Promise<void> => {
    if (requests > MOST_ELEMENTS)
      throw new Error(`${command}: too many requests to have an element for each`);
    // Clients send whole pipelines, and perhaps some requests more.
    const count = Math.ceil(requests / 100) + 10;
    await load(port, count, (batch) => {
      const args = [command, key];
      for (let i = 0; i < 100; i++) args.push(...element(batch * 100 + i));
      return args;
    });
  };
}

const member = (i: number) => `element:${String(i).padStart(12, "0")}`;
const fillList = fillCollection("RPUSH", "mylist", () => [DATA]);

function range(length: number): Row {
  return {
    command: "LRANGE",
    line: ["LRANGE", "mylist", "0", String(length - 1)],
    reply: { bytes: `*${length}\r\n`.length + length * `$${DATA_SIZE}\r\n${DATA}\r\n`.length },
    prepare: async ({ wire }) => {
      await wire.command("RPUSH", "mylist", ...Array.from({ length: LIST_LENGTH }, () => DATA));
    },
  };
}

const ELEMENT = `element:${RANDOM}`;
const KEY = `key:${RANDOM}`;
const LINE = { lines: 1 };
const BULK = { lines: 2 };

export const ROWS: Record<string, Row> = {
  set: { command: "SET", line: ["SET", KEY, DATA], reply: LINE },
  get: { command: "GET", line: ["GET", KEY], reply: BULK, prepare: fillKeys },
  incr: { command: "INCR", line: ["INCR", `counter:${RANDOM}`], reply: LINE },
  mset: {
    command: "MSET",
    line: ["MSET", ...Array.from({ length: 10 }, () => [KEY, DATA]).flat()],
    reply: LINE,
  },
  lpush: { command: "LPUSH", line: ["LPUSH", "mylist", DATA], reply: LINE },
  rpush: { command: "RPUSH", line: ["RPUSH", "mylist", DATA], reply: LINE },
  lpop: { command: "LPOP", line: ["LPOP", "mylist"], reply: BULK, prepare: fillList },
  rpop: { command: "RPOP", line: ["RPOP", "mylist"], reply: BULK, prepare: fillList },
  sadd: { command: "SADD", line: ["SADD", "myset", ELEMENT], reply: LINE },
  spop: {
    command: "SPOP",
    line: ["SPOP", "myset"],
    reply: BULK,
    prepare: fillCollection("SADD", "myset", (i) => [member(i)]),
  },
  hset: { command: "HSET", line: ["HSET", "myhash", ELEMENT, DATA], reply: LINE },
  zadd: { command: "ZADD", line: ["ZADD", "myzset", RANDOM, ELEMENT], reply: LINE },
  zpopmin: {
    command: "ZPOPMIN",
    line: ["ZPOPMIN", "myzset"],
    reply: { lines: 5 },
    prepare: fillCollection("ZADD", "myzset", (i) => [String((i * 7919) % 1_000_003), member(i)]),
  },
  lrange_100: range(100),
  lrange_300: range(300),
  lrange_500: range(500),
  lrange_600: range(600),
  xadd: { command: "XADD", line: ["XADD", "mystream", "*", "field", DATA], reply: BULK },
};

/** What requests per second aim at, in units of Redis's, by pipeline: for SET, GET, INCR and MSET, and for the rest. */
const FOUNDATION = ["set", "get", "incr", "mset"];
const FOUNDATION_GOALS: Record<number, number> = { 1: 1, 16: 1.2, 100: 1.3 };
const TYPE_GOALS: Record<number, number> = { 1: 1, 16: 1.2, 100: 1.2 };

/** The goal of a row at a pipeline; undefined where none was set. */
export function goalOf(name: string, pipeline: number): number | undefined {
  return (FOUNDATION.includes(name) ? FOUNDATION_GOALS : TYPE_GOALS)[pipeline];
}
