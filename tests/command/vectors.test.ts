/** Vector sets (Redis 8.0): what commands answer, and that files, replicas and memory limits know them. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Node } from "../replication.ts";
import { fieldsOf, type Reply, RespClient } from "../resp-client.ts";
import { keptOverRestarts } from "../restarts.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";

setDefaultTimeout(30_000);

const folders: string[] = [];
const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redbun-vectors-"));
  folders.push(folder);
  return folder;
}

async function start(...args: string[]): Promise<{ server: TestServer; client: RespClient }> {
  const server = await startServer(["--enable-debug-command", "yes", ...args]);
  running.push(server);
  return { server, client: await RespClient.open(server.port) };
}

describe("what commands answer", () => {
  let server: TestServer;
  let client: RespClient;
  beforeAll(async () => {
    server = await startServer([]);
    client = await RespClient.open(server.port);
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });
  beforeEach(async () => {
    await client.call("FLUSHALL");
    await client.call("HELLO", "2");
  });

  const say = (line: string) => client.call(...line.split(" "));
  const refusal = async (line: string) => ((await say(line)) as { message: string }).message;

  async function axes(): Promise<void> {
    await say("VADD v VALUES 3 2 0 0 x");
    await say('VADD v VALUES 3 0 3 0 y SETATTR {"n":1}');
    await say('VADD v VALUES 3 0 0 -4 z SETATTR {"n":2}');
  }

  test("VADD, VCARD, VDIM, VISMEMBER, VREM", async () => {
    expect(await say("VCARD v")).toBe(0);
    expect(await refusal("VDIM v")).toBe("ERR key does not exist");
    expect(await say("VADD v VALUES 2 1 0 a")).toBe(1);
    expect(await say("VADD v VALUES 2 0 1 a")).toBe(0);
    expect(await client.call("VADD", "v", "fp32", "aaaabbbb", "b", "CAS")).toBe(1);
    expect([await say("VCARD v"), await say("VDIM v"), await say("TYPE v")]).toEqual([2, 2, "vectorset"]);
    expect([await say("VISMEMBER v a"), await say("VISMEMBER v c"), await say("VISMEMBER no a")]).toEqual([
      1, 0, 0,
    ]);
    expect([await say("VREM v c"), await say("VREM v a"), await say("VREM no a")]).toEqual([0, 1, 0]);
    expect([await say("VREM v b"), await say("EXISTS v")]).toEqual([1, 0]);
    await say("HELLO 3");
    expect([await say("VADD v VALUES 1 1 a"), await say("VREM v b")]).toEqual([
      true,
      false,
    ] as unknown as Reply[]);
  });

  test("VSIM: the nearest first, with scores, attributes, limits", async () => {
    await axes();
    expect(await say("VSIM no ELE x")).toEqual([]);
    expect(await say("VSIM v VALUES 3 1 0.1 -0.01")).toEqual(["x", "y", "z"]);
    expect(await say("VSIM v ELE x WITHSCORES COUNT 1")).toEqual(["x", "1"]);
    expect(await say("VSIM v VALUES 3 -1 0 0 WITHSCORES EPSILON 0.6 TRUTH NOTHREAD")).toEqual([
      ...["y", "0.5"],
      ...["z", "0.5"],
    ]);
    expect(await say("VSIM v ELE y EPSILON 0.1 EF 5")).toEqual(["y"]);
    expect(await say("VSIM v ELE y WITHATTRIBS COUNT 1")).toEqual(["y", '{"n":1}']);
    expect(await say("VSIM v ELE x WITHATTRIBS WITHSCORES COUNT 1")).toEqual(["x", "1", null]);
    expect(await client.call("VSIM", "v", "ELE", "x", "FILTER", ".n == 2")).toEqual(["z"]);
    const filtered = await client.call("VSIM", "v", "ELE", "x", "FILTER", ".n in [1, 2]", "FILTER-EF", "100");
    expect((filtered as string[]).sort()).toEqual(["y", "z"]);
    await say("HELLO 3");
    expect(await say("VSIM v ELE y COUNT 1")).toEqual(["y"]);
    expect(await say("VSIM v ELE y COUNT 1 WITHSCORES")).toEqual({ y: 1 } as unknown as Reply);
    expect(await say("VSIM v ELE y COUNT 1 WITHATTRIBS")).toEqual({ y: '{"n":1}' } as unknown as Reply);
    expect(await say("VSIM v ELE y COUNT 1 WITHATTRIBS WITHSCORES")).toEqual({
      y: [1, '{"n":1}'],
    } as unknown as Reply);
  });

  test("VEMB and VINFO, by form", async () => {
    for (const [form, name, size] of [
      ["NOQUANT", "f32", 12],
      ["Q8", "int8", 3],
      ["BIN", "bin", 8],
    ] as const) {
      await say("DEL v");
      await say(`VADD v VALUES 3 3 -4 0 a ${form}`);
      const [type, bytes, length, ...range] = (await say("VEMB v a RAW")) as string[];
      expect([type, Buffer.from(bytes!, "latin1").length > 0, length]).toEqual([name, true, "5"]);
      expect(range.length).toBe(name === "int8" ? 1 : 0);
      const vector = ((await say("VEMB v a")) as string[]).map(Number);
      if (form === "BIN") expect(vector).toEqual([1, -1, -1]);
      else for (const [i, value] of [3, -4, 0].entries()) expect(vector[i]!).toBeCloseTo(value, 1);
      const info = (await say("VINFO v")) as string[];
      expect(info.filter((_, i) => i % 2 === 0).join(" ")).toBe(
        "quant-type hnsw-m vector-dim projection-input-dim size max-level attributes-count vset-uid hnsw-max-node-uid",
      );
      expect([info[1], info[3], info[5], info[7], info[9], info[13], info[17]] as Reply[]).toEqual([
        ...[name, 16, 3, 0, 1, 0, 1],
      ]);
      expect(size).toBeGreaterThan(0);
    }
    expect([await say("VEMB v no"), await say("VEMB no a"), await say("VINFO no")]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test("VSETATTR, VGETATTR, and attributes that an update leaves, sets or takes", async () => {
    await axes();
    expect([await say("VGETATTR v x"), await say("VGETATTR v no"), await say("VGETATTR no x")]).toEqual([
      ...[null, null, null],
    ]);
    expect([
      await say("VSETATTR v x {}"),
      await say("VSETATTR v no {}"),
      await say("VSETATTR no x {}"),
    ]).toEqual([...[1, 0, 0]]);
    expect(await say("VGETATTR v x")).toBe("{}");
    await say("VADD v VALUES 3 1 1 1 x");
    expect(await say("VGETATTR v x")).toBe("{}");
    await say("VADD v VALUES 3 1 1 1 x SETATTR [1]");
    expect(await say("VGETATTR v x")).toBe("[1]");
    await client.call("VADD", "v", "VALUES", "3", "1", "1", "1", "x", "SETATTR", "");
    expect(await say("VGETATTR v x")).toBeNull();
    await client.call("VSETATTR", "v", "y", "");
    expect(await say("VGETATTR v y")).toBeNull();
  });

  test("VLINKS, VRANDMEMBER, VRANGE", async () => {
    await axes();
    const layers = (await say("VLINKS v x")) as string[][];
    expect(layers.at(-1)!.sort()).toEqual(["y", "z"]);
    const scored = (await say("VLINKS v x WITHSCORES")) as string[][];
    expect([scored.length, scored.at(-1)!.length]).toEqual([layers.length, 4]);
    expect([await say("VLINKS v no"), await say("VLINKS no x")]).toEqual([null, null]);
    expect(["x", "y", "z"]).toContain((await say("VRANDMEMBER v")) as string);
    expect(((await say("VRANDMEMBER v 10")) as string[]).sort()).toEqual(["x", "y", "z"]);
    expect(await say("VRANDMEMBER v -10")).toHaveLength(10);
    expect([
      await say("VRANDMEMBER v 0"),
      await say("VRANDMEMBER no 3"),
      await say("VRANDMEMBER no"),
    ]).toEqual([...[[], [], null]]);
    expect(await say("VRANGE v - +")).toEqual(["x", "y", "z"]);
    expect(await say("VRANGE v (x [z")).toEqual(["y", "z"]);
    expect(await say("VRANGE v [a (z 1")).toEqual(["x"]);
    expect(await say("VRANGE v [z (z")).toEqual([]);
    expect(await say("VRANGE v - + 0")).toEqual([]);
    expect(await say("VRANGE no - +")).toEqual([]);
  });

  test("REDUCE projects what comes", async () => {
    expect(await say("VADD v REDUCE 2 VALUES 4 1 2 3 4 a")).toBe(1);
    expect(await say("VADD v REDUCE 2 VALUES 4 1 2 3 5 b")).toBe(1);
    expect([await say("VDIM v"), ((await say("VINFO v")) as Reply[])[7]]).toEqual([2, 4]);
    expect(await say("VSIM v VALUES 4 1 2 3 4 COUNT 1")).toEqual(["a"]);
    expect(await refusal("VADD v VALUES 4 1 2 3 4 c")).toBe(
      "ERR Vector dimension mismatch - got 4 but set has 2",
    );
    expect(await refusal("VADD v REDUCE 2 VALUES 3 1 2 3 c")).toBe(
      "ERR Input dimension mismatch for projection - got 3 but projection expects 4",
    );
    expect(await refusal("VSIM v VALUES 3 1 2 3")).toBe(
      "ERR Input dimension mismatch for projection - got 3 but projection expects 4",
    );
    await say("VADD w VALUES 2 1 2 a");
    expect(await refusal("VADD w REDUCE 2 VALUES 2 1 2 b")).toBe(
      "ERR cannot add projection to existing set without projection",
    );
    expect(await refusal("VADD big REDUCE 65536 VALUES 1 1 a")).toBe("ERR invalid vector specification");
  });

  test("what is refused leaves everything as it was", async () => {
    await axes();
    await say("SET text v");
    for (const [line, sentence] of [
      ["VADD v VALUES 3 1 2 3", "ERR wrong number of arguments for 'vadd' command"],
      ["VADD v VALUES 4 1 2 a", "ERR invalid vector specification"],
      ["VADD v VALUES 3 1 2 nan a", "ERR invalid vector specification"],
      ["VADD v VALUES 3 1 2 1e300 a", "ERR invalid vector specification"],
      ["VADD v VALUES 0 1 2 a", "ERR invalid vector specification"],
      ["VADD v VALUES x 1 2 a", "ERR invalid vector specification"],
      ["VADD v FP32 12345 a", "ERR invalid vector specification"],
      ["VADD v OTHER 3 1 2 3 a", "ERR invalid vector specification"],
      ["VADD v REDUCE 0 VALUES 3 1 2 3 a", "ERR invalid vector specification"],
      ["VADD v VALUES 3 1 2 3 a EF 0", "ERR invalid EF"],
      ["VADD v VALUES 3 1 2 3 a EF 1000001", "ERR invalid EF"],
      ["VADD v VALUES 3 1 2 3 a M 3", "ERR invalid M"],
      ["VADD v VALUES 3 1 2 3 a M 5000", "ERR invalid M"],
      ["VADD v VALUES 3 1 2 3 a EF", "ERR invalid option after element"],
      ["VADD v VALUES 3 1 2 3 a WHAT", "ERR invalid option after element"],
      ["VADD v VALUES 3 1 2 3 a NOQUANT", "ERR asked quantization mismatch with existing vector set"],
      ["VADD v VALUES 3 1 2 3 a M 8", "ERR asked M value mismatch with existing vector set"],
      ["VADD v VALUES 2 1 2 a", "ERR Vector dimension mismatch - got 2 but set has 3"],
      ["VADD text VALUES 2 1 2 a", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["VSIM text ELE a", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["VREM text a", "WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["VSIM v ELE no", "ERR element not found in set"],
      ["VSIM v VALUES 2 1 2", "ERR Vector dimension mismatch - got 2 but set has 3"],
      ["VSIM v WHAT 1 2", "ERR invalid vector specification"],
      ["VSIM v ELE x COUNT 0", "ERR invalid COUNT"],
      ["VSIM v ELE x COUNT", "ERR syntax error in VSIM command"],
      ["VSIM v ELE x WHAT", "ERR syntax error in VSIM command"],
      ["VSIM v ELE x EF 0", "ERR invalid EF"],
      ["VSIM v ELE x EPSILON 0", "ERR invalid EPSILON"],
      ["VSIM v ELE x EPSILON nan", "ERR invalid EPSILON"],
      ["VSIM v ELE x FILTER-EF 0", "ERR invalid FILTER-EF"],
      ["VSIM v ELE x FILTER .n>", "ERR syntax error in FILTER expression near: .n>"],
      ["VSIM v ELE x FILTER .n>§", "ERR syntax error in FILTER expression near: §"],
      ["VEMB v x WHAT", "ERR invalid option"],
      ["VLINKS v x WHAT", "ERR wrong number of arguments for 'vlinks' command"],
      ["VRANDMEMBER v x", "ERR COUNT value is not an integer"],
      ["VRANDMEMBER v 1 2", "ERR wrong number of arguments for 'vrandmember' command"],
      ["VRANGE v x +", "ERR invalid start range format"],
      ["VRANGE v - [", "ERR invalid end range format"],
      ["VRANGE v + +", "ERR '-' can only be used as first argument, '+' only as second"],
      ["VRANGE v - -", "ERR '-' can only be used as first argument, '+' only as second"],
      ["VRANGE v - + x", "ERR invalid COUNT value"],
      ["VRANGE v - + 1 2", "ERR wrong number of arguments for 'vrange' command"],
    ] as const)
      expect([line, await refusal(line)]).toEqual([line, sentence]);
    expect(await say("VRANGE v - +")).toEqual(["x", "y", "z"]);
    expect(await say("VADD new VALUES 2 1 2 a M 3")).toMatchObject({ message: "ERR invalid M" });
    expect(await say("EXISTS new")).toBe(0);
  });

  test("a change is one for WATCH, in a transaction and in a script as elsewhere", async () => {
    const other = await RespClient.open(server.port);
    await axes();
    await client.call("WATCH", "v");
    await other.call("VSETATTR", "v", "x", "{}");
    await client.call("MULTI");
    await client.call("VCARD", "v");
    expect(await client.call("EXEC")).toBeNull();
    await client.call("MULTI");
    await client.call("VADD", "v", "VALUES", "3", "1", "1", "1", "m", "CAS");
    await client.call("VSIM", "v", "ELE", "m", "COUNT", "1");
    expect(await client.call("EXEC")).toEqual([1, ["m"]]);
    expect(
      await client.call("EVAL", "return redis.call('VSIM', KEYS[1], 'ELE', 'y', 'COUNT', 1)", "1", "v"),
    ).toEqual(["y"]);
    other.close();
  });
});

const DIMENSION = 24;

async function fill(client: RespClient, seed: string): Promise<void> {
  const random = seeded(seed);
  const vector = () => Array.from({ length: DIMENSION }, () => String(random.below(2001) - 1000));
  for (let i = 0; i < 700; i++) {
    client.send("VADD", "big", "VALUES", String(DIMENSION), ...vector(), `e${i}`, "EF", "30");
    if (i % 5 === 0) client.send("VSETATTR", "big", `e${i}`, `{"n":${i}}`);
    if (i < 50)
      client.send("VADD", "bin", "REDUCE", "10", "VALUES", String(DIMENSION), ...vector(), `e${i}`, "BIN");
    if (i < 50)
      client.send("VADD", "float", "VALUES", String(DIMENSION), ...vector(), `e${i}`, "NOQUANT", "M", "5");
  }
  for (let i = 0; i < 700; i += 7) client.send("VREM", "big", `e${i}`);
  client.send("PEXPIREAT", "bin", "4102444800000");
  for (let i = 0; i < 700 + 140 + 100 + 100 + 1; i++) await client.next();
}

async function look(client: RespClient): Promise<unknown> {
  return {
    digest: await client.call("DEBUG", "DIGEST"),
    sizes: [
      await client.call("VCARD", "big"),
      await client.call("VCARD", "bin"),
      await client.call("VCARD", "float"),
    ],
    expiry: await client.call("PEXPIRETIME", "bin"),
    names: await client.call("VRANGE", "big", "[e2", "(e3", "20"),
    nearest: await client.call("VSIM", "big", "ELE", "e1", "COUNT", "5", "TRUTH", "WITHSCORES"),
    projected: await client.call(
      "VSIM",
      "bin",
      "VALUES",
      String(DIMENSION),
      ...Array(DIMENSION).fill("1"),
      "TRUTH",
    ),
  };
}

test("files of either kind keep them over a restart", () =>
  keptOverRestarts(
    start,
    newFolder,
    (client) => fill(client, "vectors in files"),
    look,
    { sizes: [600, 50, 50], expiry: 4102444800000 },
    async (client) => {
      // The graph is whole: it finds what is near, and can be changed.
      const found = (await client.call("VSIM", "big", "ELE", "e1", "COUNT", "5", "EF", "500")) as string[];
      expect(found[0]).toBe("e1");
      expect(await client.call("VREM", "big", "e1")).toBe(1);
    },
  ));

test("a replica has them from the snapshot and from the stream", async () => {
  const master = await start("--repl-diskless-sync-delay", "0");
  const replica = await start();
  const [a, b] = [await Node.of(master.server), await Node.of(replica.server)];
  await fill(master.client, "vectors replicated");
  await b.follow(master.server);
  await b.linked();
  for (const line of [
    "VADD small VALUES 2 1 2 a",
    "VADD small VALUES 2 1 3 a",
    "VADD small VALUES 2 4 3 b CAS",
    "VSETATTR big e2 {}",
    "VREM big e3",
    "COPY small copy",
    "RENAME copy moved",
  ])
    await master.client.call(...line.split(" "));
  await b.caughtUpWith(a);
  expect(await look(replica.client)).toEqual(await look(master.client));
  expect(await replica.client.call("VEMB", "small", "a")).toEqual(
    await master.client.call("VEMB", "moved", "a"),
  );
  a.close();
  b.close();
});

test("memory counts them, eviction takes them, SCAN finds them by their type", async () => {
  const { client } = await start("--save", "");
  const used = async () => Number(fieldsOf(await client.text("INFO", "memory")).used_memory);
  const empty = await used();
  await fill(client, "vectors in memory");
  const usage = Number(await client.call("MEMORY", "USAGE", "big"));
  expect(usage).toBeWithin(600 * 200, 600 * 500);
  expect((await used()) - empty).toBeGreaterThan(usage * 0.8);
  await client.call("SET", "text", "v");
  const [, found] = (await client.call("SCAN", "0", "TYPE", "vectorset", "COUNT", "100")) as [
    string,
    string[],
  ];
  expect(found.sort()).toEqual(["big", "bin", "float"]);
  expect(await client.call("OBJECT", "ENCODING", "big")).toBe("raw");
  await client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", String(empty));
  expect(await client.call("DBSIZE")).toBe(0);
  await client.call("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1");
  expect(((await client.call("VADD", "a", "VALUES", "1", "1", "x")) as { message: string }).message).toMatch(
    /^OOM /,
  );
});
