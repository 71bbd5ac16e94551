/**
 * The commands of the throughput section: what redis-benchmark is told to send, and what must be in the
 * server before, so that a POP finds something to pop and a GET hits.
 */
import type { Wire } from "../lib/wire.ts";
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
  /** redis-benchmark's own test, or else a command line. `__rand_int__` becomes 12 random digits. */
  test?: string;
  line?: string[];
  /** Where redis-benchmark would be the limit: its replies have so many bytes, and counting-client.ts counts them. */
  replyBytes?: number;
  prepare?(setup: RowSetup): Promise<void>;
}

export const DATA_SIZE = 32;
const DATA = "x".repeat(DATA_SIZE);
/** Prepared elements: one for each request, but not without limit. */
const MOST_ELEMENTS = 3_000_000;
const LIST_LENGTH = 600;

/** `key:000000000000` and so on, the keys that redis-benchmark draws from. */
async function fillKeys({ port, keyspace }: RowSetup): Promise<void> {
  await load(port, keyspace, (i) => ["SET", `key:${String(i).padStart(12, "0")}`, DATA]);
}

/** One collection with an element for each request, from commands of 100 elements. */
function fillCollection(command: string, key: string, element: (i: number) => string[]) {
  return async ({ port, requests }: RowSetup): Promise<void> => {
    const count = Math.ceil(Math.min(requests, MOST_ELEMENTS) / 100);
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
    replyBytes: `*${length}\r\n`.length + length * `$${DATA_SIZE}\r\n${DATA}\r\n`.length,
    prepare: async ({ wire }) => {
      await wire.command("RPUSH", "mylist", ...Array.from({ length: LIST_LENGTH }, () => DATA));
    },
  };
}

export const ROWS: Record<string, Row> = {
  set: { command: "SET", test: "set" },
  get: { command: "GET", test: "get", prepare: fillKeys },
  incr: { command: "INCR", test: "incr" },
  mset: { command: "MSET", test: "mset" },
  lpush: { command: "LPUSH", test: "lpush" },
  rpush: { command: "RPUSH", test: "rpush" },
  lpop: { command: "LPOP", test: "lpop", prepare: fillList },
  rpop: { command: "RPOP", test: "rpop", prepare: fillList },
  sadd: { command: "SADD", test: "sadd" },
  spop: { command: "SPOP", test: "spop", prepare: fillCollection("SADD", "myset", (i) => [member(i)]) },
  hset: { command: "HSET", test: "hset" },
  zadd: { command: "ZADD", test: "zadd" },
  zpopmin: {
    command: "ZPOPMIN",
    test: "zpopmin",
    prepare: fillCollection("ZADD", "myzset", (i) => [String((i * 7919) % 1_000_003), member(i)]),
  },
  lrange_100: range(100),
  lrange_300: range(300),
  lrange_500: range(500),
  lrange_600: range(600),
  xadd: { command: "XADD", line: ["XADD", "mystream", "*", "field", DATA] },
};

/** What requests per second aim at, in units of Redis's, by pipeline: for SET, GET, INCR and MSET, and for the rest. */
const FOUNDATION = ["set", "get", "incr", "mset"];
const FOUNDATION_GOALS: Record<number, number> = { 1: 1, 16: 1.2, 100: 1.3 };
const TYPE_GOALS: Record<number, number> = { 1: 1, 16: 1.2, 100: 1.2 };

/** The goal of a row at a pipeline; undefined where none was set. */
export function goalOf(name: string, pipeline: number): number | undefined {
  return (FOUNDATION.includes(name) ? FOUNDATION_GOALS : TYPE_GOALS)[pipeline];
}
