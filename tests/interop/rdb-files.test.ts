/**
 * RDB files between redbun and a real redis-server. One real server saves; this process loads the file and saves it
 * again; another real server loads that one, and must hold what the first does, DEBUG DIGEST included.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, copyFileSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { Config } from "../../src/config/config.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { checkRdb } from "../../src/rdb/check.ts";
import { RdbLoad } from "../../src/rdb/load.ts";
import { auxFields, RdbSave, usageOf } from "../../src/rdb/save.ts";
import { FileSource } from "../../src/rdb/sources.ts";
import { type Arg, Wire } from "../differential/lib/wire.ts";
import { describeWithOracle, startOracle } from "../oracle.ts";
import type { TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";
import { testContext } from "../unit/keyspace/support.ts";
import { apply, bigValues, contents, expiries, smallValues, streams } from "./rdb-data.ts";

const DEBUG = ["--enable-debug-command", "yes"];

function readContext(config: Config) {
  const random = () => (Math.random() * 2 ** 32) | 0;
  return {
    limits: { ...config.values, packedThreshold: 0 },
    seeds: { seed0: random(), seed1: random() },
    random,
  };
}

/** Loads a file here and saves it again, both in slices. */
function passOn(
  from: string,
  to: string,
  config: Config,
  compress: boolean,
  policy = "noeviction",
): Keyspace {
  const context = testContext();
  context.access.lfu = policy.endsWith("lfu");
  const keyspace = new Keyspace(context, 16);
  let calls = 0;
  const outOfTime = () => ++calls % 3 === 0;
  const source = FileSource.open(from);
  const load = new RdbLoad(source, keyspace, {
    context: readContext(config),
    log: { debug() {}, notice() {}, warning: (message) => console.log(message) },
    checksum: true,
    deep: true,
    skipExpired: false,
  });
  while (!load.step(outOfTime));
  source.close();
  const fd = openSync(to, "w");
  const save = new RdbSave(keyspace.all(), (buf, start, end) => writeSync(fd, buf, start, end - start), {
    compress,
    checksum: compress,
    usage: usageOf(policy),
    aux: auxFields({ now: Date.now(), usedMemory: 1_000_000, aofBase: false }),
    functions: [],
  });
  while (!save.step(outOfTime));
  closeSync(fd);
  expect(save.keys).toBe(load.keysLoaded);
  return keyspace;
}

async function digest(wire: Wire): Promise<string> {
  const [reply] = await wire.send([["DEBUG", "DIGEST"]]);
  return reply!.toString();
}

describeWithOracle("RDB files", () => {
  const random = seeded("rdb-files");
  const dir = temporaryDirectory();
  let first: TestServer;
  let wire: Wire;

  beforeAll(async () => {
    first = await startOracle(DEBUG);
    wire = await Wire.open(first.port);
  });

  afterAll(async () => {
    wire.close();
    await first.stop("SIGKILL");
  });

  /** Makes the data on the first server, passes its file on and compares with a second one that loads it. */
  async function compare(
    commands: readonly Arg[][],
    { config = new Config(), compress = true, settings = [] as Arg[][], policy = "noeviction" } = {},
  ): Promise<void> {
    await apply(wire, [["FLUSHALL"], ...settings, ["CONFIG", "SET", "maxmemory-policy", policy]]);
    await apply(wire, [...commands, ["SAVE"]]);
    const saved = join(first.dir, "dump.rdb");
    copyFileSync(saved, join(dir, "theirs.rdb"));
    passOn(saved, join(dir, "ours.rdb"), config, compress, policy);
    expect(checkRdb(join(dir, "ours.rdb"), () => {})).toBe(0);
    const second = await startOracle([...DEBUG, "--dir", dir, "--dbfilename", "ours.rdb"]);
    const other = await Wire.open(second.port);
    try {
      const [before, after] = [await contents(wire, false), await contents(other, false)];
      expect([...after.keys()]).toEqual([...before.keys()]);
      const different = [...before.keys()].filter((key) => before.get(key) !== after.get(key));
      expect(different.map((key) => [key, before.get(key), after.get(key)]).slice(0, 2)).toEqual([]);
      expect(await digest(other)).toBe(await digest(wire));
    } finally {
      other.close();
      await second.stop("SIGKILL");
    }
  }

  const everything = (prefix: string) => [
    ...smallValues(random, prefix),
    ...bigValues(random, prefix),
    ...streams(random, prefix),
  ];

  test("every type and encoding, with expiries, in several databases", async () => {
    const commands = everything("k");
    const more = smallValues(random, "m");
    await compare([
      ...commands,
      ...expiries(commands),
      ["SELECT", "3"],
      ...more,
      ...expiries(more),
      ["SELECT", "15"],
      ["SET", "a", "b"],
      ["SELECT", "0"],
    ]);
  });

  test("with limits so low that everything is an object", async () => {
    const config = new Config();
    const low = {
      hashMaxListpackEntries: 2,
      listMaxListpackSize: 3,
      setMaxIntsetEntries: 2,
      setMaxListpackEntries: 2,
      zsetMaxListpackEntries: 2,
    };
    Object.assign(config.values, low);
    await compare(everything("k"), { config, compress: false });
  });

  test("with compressed quicklist nodes", async () => {
    const config = new Config();
    Object.assign(config.values, { listCompressDepth: 1, listMaxListpackSize: -1 });
    const settings: Arg[][] = [
      ["CONFIG", "SET", "list-compress-depth", "1"],
      ["CONFIG", "SET", "list-max-listpack-size", "-1"],
    ];
    await compare(bigValues(random, "k"), { config, settings });
    await apply(wire, [["CONFIG", "SET", "list-compress-depth", "0", "list-max-listpack-size", "-2"]]);
  });

  test("uncompressed, from a server that wrote no checksum", async () => {
    await compare(everything("k"), {
      compress: false,
      settings: [["CONFIG", "SET", "rdbcompression", "no"]],
    });
    await apply(wire, [["CONFIG", "SET", "rdbcompression", "yes"]]);
  });

  test("LRU and LFU", async () => {
    for (const policy of ["allkeys-lru", "volatile-lfu"]) await compare(smallValues(random, "k"), { policy });
  });

  test("an empty data set", async () => {
    await compare([]);
  });
});
