/** /metrics: valid in Prometheus's text format, and of one mind with INFO. */
import { describe, expect, test } from "bun:test";
import { exposition } from "../../src/console/metrics.ts";
import { fieldsOf } from "../resp-client.ts";
import { basic, raw, type Site, startSite } from "./support.ts";

interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/**
 * Reads the format strictly: each family begins with HELP and TYPE, its samples follow at once, no series is there
 * twice, names and label values are as they may be.
 */
function parse(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let family = "";
  expect(text.endsWith("\n")).toBe(true);
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+$/.exec(line);
    if (help) {
      family = help[1]!;
      expect([family, types.has(family)]).toEqual([family, false]);
      continue;
    }
    const type = /^# TYPE (\S+) (gauge|counter|summary)$/.exec(line);
    if (type) {
      expect(type[1]!).toBe(family);
      types.set(family, type[2]!);
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!sample) throw new Error(`not a line of the format: ${line}`);
    const [, name = "", pairs = "", value = ""] = sample;
    const suffixes = types.get(family) === "summary" ? ["", "_sum", "_count"] : [""];
    expect(suffixes.map((suffix) => family + suffix)).toContain(name);
    expect(Number.isFinite(Number(value))).toBe(true);
    const labels: Record<string, string> = {};
    const rest = pairs.replace(
      /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/g,
      (_, label, text) => {
        expect(label in labels).toBe(false);
        labels[label] = text.replace(/\\(.)/g, (_: string, each: string) => (each === "n" ? "\n" : each));
        return "";
      },
    );
    expect(rest).toBe("");
    const series = `${name}{${pairs}}`;
    expect([series, seen.has(series)]).toEqual([series, false]);
    seen.add(series);
    samples.push({ name, labels, value: Number(value) });
  }
  return { samples, types };
}

async function scrape({ url }: Site, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/metrics`, { headers });
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  expect(response.status).toBe(200);
  const { samples, types } = parse(await response.text());
  const get = (name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find(
      (sample) =>
        sample.name === `redis_${name}` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value;
  return { samples, types, get };
}

describe("metrics", () => {
  test("agree with INFO", async () => {
    const site = await startSite({ maxmemory: "100mb", "maxmemory-policy": "allkeys-lru" });
    const client = await raw(site);
    await client.call("SET", "a", "1");
    await client.call("SET", "b", "1", "EX", "1000");
    await client.call("SELECT", "3");
    await client.call("SET", "c", "1");
    await client.call("GET", "c");
    await client.call("GET", "none");
    await client.call("LPUSH", "c", "wrong type");
    await client.call("NOSUCH");
    const { get, types, samples } = await scrape(site);
    const info = fieldsOf(await client.text("INFO", "everything"));
    for (const [field, name] of [
      ["maxmemory", "memory_max_bytes"],
      ["keyspace_hits", "keyspace_hits_total"],
      ["keyspace_misses", "keyspace_misses_total"],
      ["evicted_keys", "evicted_keys_total"],
      ["expired_keys", "expired_keys_total"],
      ["rdb_changes_since_last_save", "rdb_changes_since_last_save"],
      ["rdb_last_save_time", "rdb_last_save_timestamp_seconds"],
      ["blocked_clients", "blocked_clients"],
      ["connected_slaves", "connected_slaves"],
      ["process_id", "process_id"],
      ["total_error_replies", "total_error_replies"],
      ["maxclients", "config_maxclients"],
    ] as const)
      expect([name, get(name)]).toEqual([name, Number(info[field])]);
    expect(get("rdb_last_bgsave_status")).toBe(1);
    expect(get("up")).toBe(1);
    expect(get("db_keys", { db: "db0" })).toBe(2);
    expect(get("db_keys_expiring", { db: "db0" })).toBe(1);
    expect(get("db_avg_ttl_seconds", { db: "db0" })).toBeWithin(990, 1001);
    expect(get("db_keys", { db: "db3" })).toBe(1);
    expect(get("db_keys", { db: "db15" })).toBe(0);
    expect(get("commands_total", { cmd: "set" })).toBe(3);
    expect(get("commands_failed_calls_total", { cmd: "lpush" })).toBe(1);
    expect(get("errors_total", { err: "WRONGTYPE" })).toBe(1);
    expect(get("errors_total", { err: "ERR" })).toBe(1);
    expect(get("latency_percentiles_usec_count", { cmd: "set" })).toBe(3);
    expect(get("latency_percentiles_usec", { cmd: "set", quantile: "99.9" })).toBeGreaterThan(0);
    expect(types.get("redis_commands_processed_total")).toBe("counter");
    expect(types.get("redis_memory_used_bytes")).toBe("gauge");
    const { labels } = samples.find(({ name }) => name === "redis_instance_info")!;
    expect([labels.role, labels.redis_version, labels.run_id]).toEqual([
      "master",
      info.redis_version!,
      info.run_id!,
    ]);
  });

  test("no field of INFO that looks like a figure is forgotten", async () => {
    const site = await startSite();
    const { samples } = await scrape(site);
    const known = new Set(
      (await (await fetch(`${site.url}/metrics`)).text()).match(/(?<=^# HELP \S+ )\w+(?= of INFO$)/gm),
    );
    const info = fieldsOf(await (await raw(site)).text("INFO", "memory", "stats", "clients", "persistence"));
    // Of these redis_exporter has none.
    const others =
      /^(current_|instantaneous_|total_active_|total_forks|total_system_memory|rdb_last_load_|aof_rewrites|tracking_total_|eventloop_|expire_cycle_|io_threaded_|reply_buffer_|client_(query|output)_buffer_|latest_fork_usec)/;
    const forgotten = Object.entries(info)
      .filter(([name, value]) => /^-?\d+(\.\d+)?$/.test(value) && !known.has(name) && !others.test(name))
      .map(([name]) => name);
    expect(samples.length).toBeGreaterThan(100);
    expect(forgotten).toEqual([]);
  });

  test("master and replica", async () => {
    const master = await startSite({ "repl-diskless-sync-delay": 0 });
    const replica = await startSite({
      replicaof: `127.0.0.1 ${master.server.port}`,
      "repl-diskless-load": "swapdb",
    });
    const client = await raw(master);
    await client.call("SET", "a", "1");
    expect(await client.call("WAIT", "1", "10000")).toBe(1);
    const [of, to] = [await scrape(master), await scrape(replica)];
    expect(of.get("connected_slave_lag_seconds", { slave_state: "online" })).toBeWithin(0, 3);
    expect(of.get("connected_slaves")).toBe(1);
    const labels = { master_host: "127.0.0.1", master_port: String(master.server.port) };
    expect(to.get("master_link_up", labels)).toBe(1);
    expect(to.get("slave_info", { ...labels, read_only: "1" })).toBe(1);
  });

  test("what the user may not ask for is left out, or refused as a whole", async () => {
    const site = await startSite({
      requirepass: "secret",
      user: ["scraper on >pw +info", "nobody on >pw +ping"],
      "slowlog-log-slower-than": -1,
    });
    const { get } = await scrape(site, basic("scraper", "pw"));
    expect(get("up")).toBe(1);
    expect(get("slowlog_length")).toBeUndefined();
    expect((await scrape(site, basic("", "secret"))).get("slowlog_length")).toBe(0);
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${site.url}/metrics`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status(basic("scraper", "wrong"))).toBe(401);
    expect(await status({ authorization: "Bearer x" })).toBe(401);
    expect(await status(basic("nobody", "pw"))).toBe(403);
  });

  test("label values are quoted as the format wants it, what is no figure is left out", () => {
    const info = '# Errorstats\r\nerrorstat_A"B\\C:count=3\r\n# Clients\r\nconnected_clients:many\r\n';
    const { samples } = parse(exposition([info, 1, [], [['a "spike"\n', 1, 2500, 3000]]], 1));
    const find = (name: string) => samples.filter((sample) => sample.name === `redis_${name}`);
    expect(find("errors_total")).toEqual([
      { name: "redis_errors_total", labels: { err: 'A"B\\C' }, value: 3 },
    ]);
    expect(find("latency_spike_duration_seconds")[0]).toEqual({
      name: "redis_latency_spike_duration_seconds",
      labels: { event_name: 'a "spike"\n' },
      value: 2.5,
    });
    expect(find("connected_clients")).toEqual([]);
  });

  test("asking leaves no client behind", async () => {
    const site = await startSite();
    const client = await raw(site);
    for (let i = 0; i < 5; i++) await scrape(site);
    const list = await client.text("CLIENT", "LIST");
    expect(list.trim().split("\n")).toHaveLength(1);
  });
});
