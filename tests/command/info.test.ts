import { afterAll, beforeAll, expect, test } from "bun:test";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer();
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const titles = (text: string) => [...text.matchAll(/^# (.*)\r$/gm)].map(([, title]) => title!).join(" ");
const info = async (...sections: string[]) => fieldsOf(await client.text("INFO", ...sections));

test("sections: by default, all, by name, several, none twice", async () => {
  const some = "Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace";
  const all =
    "Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Latencystats Cluster Keyspace";
  expect(titles(await client.text("INFO"))).toBe(some);
  expect(titles(await client.text("INFO", "DEFAULT"))).toBe(some);
  for (const name of ["all", "everything"]) expect(titles(await client.text("INFO", name))).toBe(all);
  expect(titles(await client.text("INFO", "keyspace", "cpu", "CPU"))).toBe("CPU Keyspace");
  expect(titles(await client.text("INFO", "cpu", "default"))).toBe(some);
  expect(titles(await client.text("INFO", "debug"))).toBe("Debug");
  expect(await client.text("INFO", "nosuch")).toBe("");
});

test("server: what the process is", async () => {
  expect(await info("server")).toMatchObject({
    redis_version: "7.2.6",
    redis_mode: "standalone",
    process_id: String(server.process.pid),
    tcp_port: String(server.port),
    listener0: `name=tcp,bind=*,bind=-::*,port=${server.port}`,
    hz: "10",
  });
});

test("clients and stats count what happens", async () => {
  const before = await info("stats");
  const other = await RespClient.open(server.port);
  await other.call("SET", "k", "v");
  await other.call("GET", "k");
  await other.call("GET", "nosuch");
  await other.call("NOSUCH");
  expect((await info("clients")).connected_clients).toBe("2");
  const after = await info("stats");
  const grown = (name: string) => Number(after[name]) - Number(before[name]);
  expect(grown("total_connections_received")).toBe(1);
  expect(grown("total_commands_processed")).toBe(5);
  expect(grown("keyspace_hits")).toBe(1);
  expect(grown("keyspace_misses")).toBe(1);
  expect(grown("total_error_replies")).toBe(1);
  expect(grown("total_net_input_bytes")).toBeGreaterThan(100);
  other.close();
});

test("memory grows with data and falls with FLUSHALL", async () => {
  const start = Number((await info("memory")).used_memory);
  await client.call("SET", "large", "x".repeat(5_000_000));
  const full = await info("memory");
  expect(Number(full.used_memory) - start).toBeGreaterThan(5_000_000);
  expect(full.used_memory_human).toMatch(/^\d+\.\d\dM$/);
  expect(full.mem_allocator).toBe("arena");
  await client.call("FLUSHALL");
  // The client's own buffer, in which the value came, is given back within two seconds.
  let empty = await info("memory");
  for (const until = Date.now() + 4000; Number(empty.used_memory) > start + 1_000_000; ) {
    expect(Date.now()).toBeLessThan(until);
    await Bun.sleep(50);
    empty = await info("memory");
  }
  expect(Number(empty.used_memory_peak)).toBeGreaterThanOrEqual(Number(full.used_memory));
});

test("keyspace: keys, expiries and their average", async () => {
  await client.call("FLUSHALL");
  expect(await info("keyspace")).toEqual({});
  await client.call("SET", "a", "1");
  await client.call("SET", "b", "1", "PX", "100000");
  const [, average] = /^keys=2,expires=1,avg_ttl=(\d+)$/.exec((await info("keyspace")).db0!)!;
  expect(Number(average)).toBeWithin(90_000, 100_001);
});

test("commandstats, errorstats and latencystats", async () => {
  await client.call("CONFIG", "RESETSTAT");
  await client.call("SET", "n", "text");
  await client.call("INCR", "n");
  await client.call("GET");
  await client.call("GEToo");
  const stats = await info("commandstats", "errorstats", "latencystats");
  expect(stats.cmdstat_incr).toMatch(
    /^calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=1$/,
  );
  expect(stats.cmdstat_get).toMatch(/^calls=0,.*,rejected_calls=1,failed_calls=0$/);
  expect(stats.errorstat_ERR).toBe("count=3");
  expect(stats.latency_percentiles_usec_set).toMatch(/^p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}$/);
  expect(stats["cmdstat_config|resetstat"]).toStartWith("calls=1,");
});

test("figures per second follow the load", async () => {
  await client.call("CONFIG", "RESETSTAT");
  const until = Date.now() + 1000;
  while (Date.now() < until) await client.call("PING");
  const stats = await info("stats");
  expect(Number(stats.instantaneous_ops_per_sec)).toBeGreaterThan(50);
  expect(Number(stats.instantaneous_eventloop_cycles_per_sec)).toBeGreaterThan(50);
});

test("TIME is now, to the microsecond; ROLE is a master's; LOLWUT names the version", async () => {
  const [seconds, micros] = (await client.call("TIME")) as string[];
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(2);
  expect(Number(micros)).toBeWithin(0, 1_000_000);
  expect(await client.call("ROLE")).toEqual(["master", 0, []]);
  expect(await client.text("LOLWUT")).toContain("Redis ver. 7.2.6");
});

test("keysizes: of many keys they are walked in slices, while others go on", async () => {
  const own = await RespClient.open(server.port);
  expect(titles(await own.text("INFO", "keysizes"))).toBe("Keysizes");
  await own.call("FLUSHALL");
  const script = "for i = 1, 30000 do redis.call('SET', 'k' .. i, ('x'):rep(i % 2 * 20 + 1)) end";
  await own.call("EVAL", script, "0");
  const expected = { db0_distrib_strings_sizes: "1=15000,16=15000" };
  // Requests behind it wait as well; so does whoever asks while a walk is under way, for one that sees what it wrote.
  own.send("INFO", "keysizes");
  own.send("SET", "longer", "x".repeat(3000));
  own.send("INFO", "keysizes");
  const other = await RespClient.open(server.port);
  expect(await other.call("PING")).toBe("PONG");
  expect(fieldsOf(String(await own.next()))).toEqual(expected);
  expect(await own.next()).toBe("OK");
  const grown = { db0_distrib_strings_sizes: "1=15000,16=15000,2K=1" };
  expect(fieldsOf(String(await own.next()))).toEqual(grown);
  const inScript = await own.text("EVAL", "return redis.call('INFO', 'keysizes')", "0");
  expect(fieldsOf(inScript)).toEqual(grown);
  own.send("INFO", "keysizes");
  await other.call("FLUSHALL");
  await own.next();
  expect(await own.text("INFO", "keysizes")).toBe("# Keysizes\r\n");
  own.close();
  other.close();
});

test("fields of later versions: who watches, who listens, fields that expired", async () => {
  const [watching, listening] = [await RespClient.open(server.port), await RespClient.open(server.port)];
  await watching.call("WATCH", "a", "b");
  await listening.call("SUBSCRIBE", "channel");
  expect(await info("clients")).toMatchObject({
    watching_clients: "1",
    total_watched_keys: "2",
    pubsub_clients: "1",
  });
  const before = Number((await info("stats")).expired_subkeys);
  await client.call("HSET", "hash", "f", "v", "g", "v", "h", "v");
  await client.call("HPEXPIRE", "hash", "1", "FIELDS", "2", "f", "g");
  while (Number((await info("stats")).expired_subkeys) < before + 2);
  expect(await client.call("HLEN", "hash")).toBe(1);
  watching.close();
  listening.close();
});
