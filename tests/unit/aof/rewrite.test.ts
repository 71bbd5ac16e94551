/** BGREWRITEAOF and the AOF's life: at the start, on and off, when disks and snapshots fail. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import type { Aof } from "../../../src/aof/aof.ts";
import { args, command, commands, systemError, TestDisk, World } from "./support.ts";

const BASE = (n: number, format = "aof") => `appendonly.aof.${n}.base.${format}`;
const INCR = (n: number) => `appendonly.aof.${n}.incr.aof`;
const b = (n: number, format = "aof") => `file ${BASE(n, format)} seq ${n} type b\n`;
const i = (n: number) => `file ${INCR(n)} seq ${n} type i\n`;
const SELECT0 = command("SELECT 0");

/** Starts as the server does. */
function start(world: World, aof: Aof): Aof {
  if (!aof.readManifest()) throw new Error("readManifest");
  const load = aof.load(world.parts);
  const state = load.step(() => false);
  if (state === "failed" || state === "more") throw new Error(state);
  if (!aof.open(load)) throw new Error("open");
  return aof;
}

function set(aof: Aof, key: string): void {
  aof.writer.command(0, args(`set ${key} 1`));
  aof.writer.flush(true);
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; !condition(); n++) {
    if (n > 5000) throw new Error("waited in vain");
    await Bun.sleep(1);
  }
}

async function finish(world: World, aof: Aof, content: string): Promise<void> {
  const sink = world.sinks.at(-1)!;
  sink.write(Buffer.from(content));
  sink.done();
  await until(() => !aof.rewrite.inProgress);
}

const files = (world: World) => readdirSync(world.folder.directory).sort();

test("starting with nothing makes a base that says so, and a file to append to", () => {
  using world = new World();
  world.settings.aofUseRdbPreamble = true;
  const aof = start(world, world.aof());
  expect(world.manifestText).toBe(b(1, "rdb") + i(1));
  expect(world.read(BASE(1, "rdb"))).toBe("REDIS0011-empty");
  set(aof, "a");
  aof.close();
  expect(world.read(INCR(1))).toBe(SELECT0 + command("set a 1"));
  const again = start(world, world.aof());
  set(again, "b");
  again.close();
  expect(world.read(INCR(1))).toBe(SELECT0 + command("set a 1") + SELECT0 + command("set b 1"));
  expect(world.log.has(`Opening AOF incr file ${INCR(1)} on server start`)).toBe(true);
});

test("without preamble the first base is empty, or a timestamp", () => {
  using world = new World();
  start(world, world.aof()).close();
  expect(world.read(BASE(1))).toBe("");
  using stamped = new World();
  stamped.settings.aofTimestampEnabled = true;
  start(stamped, stamped.aof()).close();
  expect(stamped.read(BASE(1))).toMatch(/^#TS:\d+\r\n$/);
});

test("a rewrite: what comes meanwhile is kept, what came before is deleted", async () => {
  using world = new World();
  const aof = start(world, world.aof());
  set(aof, "before");
  expect(aof.bgrewrite()).toBe("started");
  expect(aof.rewrite.inProgress).toBe(true);
  await until(() => world.sinks.length === 1);
  expect(world.manifestText).toBe(b(1) + i(1) + i(2));
  expect(aof.bgrewrite()).toBe("already");
  set(aof, "meanwhile");
  await finish(world, aof, commands("set before 1"));
  set(aof, "after");
  expect(world.manifestText).toBe(b(2) + i(2));
  await until(() => !existsSync(world.path(INCR(1))) && !existsSync(world.path(BASE(1))));
  expect(files(world)).toEqual([INCR(2), BASE(2), "appendonly.aof.manifest"].sort());
  expect(world.load().executed).toEqual(["set before 1", "SELECT 0", "set meanwhile 1", "set after 1"]);
  expect(aof.rewrite.size).toBe(world.folder.totalSize());
  expect(Object.fromEntries(aof.info())).toMatchObject({
    aof_enabled: 1,
    aof_rewrites: 1,
    aof_last_bgrewrite_status: "ok",
    aof_rewrite_in_progress: 0,
    aof_current_size: world.folder.totalSize(),
  });
  aof.close();
});

test("failed rewrites leave incremental files, and the next good one clears them", async () => {
  using world = new World();
  const aof = start(world, world.aof());
  for (let n = 0; n < 3; n++) {
    set(aof, `k${n}`);
    aof.bgrewrite();
    await until(() => world.sinks.length === n + 1);
    world.sinks[n]!.write(Buffer.from("half a base"));
    world.sinks[n]!.failed(systemError("ENOSPC"));
    expect(aof.rewrite.inProgress).toBe(false);
  }
  expect(world.manifestText).toBe(b(1) + i(1) + i(2) + i(3) + i(4));
  expect(aof.rewrite.limit.failures).toBe(3);
  expect(aof.rewrite.lastOk).toBe(false);
  set(aof, "last");
  expect(world.load().executed.filter((line) => line.startsWith("set"))).toEqual(
    ["k0", "k1", "k2", "last"].map((key) => `set ${key} 1`),
  );
  aof.folder.load();
  aof.bgrewrite();
  await until(() => world.sinks.length === 4);
  await finish(world, aof, commands("set all 1"));
  expect(world.manifestText).toBe(b(2) + i(5));
  expect(aof.rewrite.limit.failures).toBe(0);
  await until(() => files(world).length === 3);
  aof.close();
});

test("crashing at any moment of a rewrite loses nothing", async () => {
  using world = new World();
  const aof = start(world, world.aof());
  set(aof, "a");
  const loads = () => {
    const other = new World();
    Bun.spawnSync(["cp", "-r", world.folder.directory, `${other.root}/`]);
    const { state, executed } = other.load();
    other[Symbol.dispose]();
    return [state, executed.filter((line) => line !== "SELECT 0").join()];
  };
  expect(loads()).toEqual(["loaded", "set a 1"]);
  aof.bgrewrite();
  expect(loads()).toEqual(["loaded", "set a 1"]);
  await until(() => world.sinks.length === 1);
  expect(loads()).toEqual(["loaded", "set a 1"]);
  set(aof, "b");
  expect(loads()).toEqual(["loaded", "set a 1,set b 1"]);
  world.sinks[0]!.write(Buffer.from(commands("set a 1")));
  expect(loads()).toEqual(["loaded", "set a 1,set b 1"]);
  world.sinks[0]!.done();
  expect(loads()).toEqual(["loaded", "set a 1,set b 1"]);
  await until(() => !aof.rewrite.inProgress);
  expect(loads()).toEqual(["loaded", "set a 1,set b 1"]);
  aof.close();
});

test("automatic rewrites by growth, not below the minimum, and not while limited", async () => {
  using world = new World();
  world.settings.autoAofRewritePercentage = 100;
  world.settings.autoAofRewriteMinSize = 1000;
  const aof = start(world, world.aof());
  aof.tick();
  expect(aof.rewrite.inProgress).toBe(false);
  set(aof, "x".repeat(1000));
  for (let n = 1; n <= 3; n++) {
    aof.tick();
    await until(() => world.sinks.length === n);
    world.sinks[n - 1]!.failed(systemError("EIO"));
  }
  const limited = () => world.log.lines.filter((line) => line.includes("triggered the limit"));
  for (let n = 0; n < 5; n++) aof.tick();
  expect(aof.rewrite.inProgress).toBe(false);
  expect(limited().length).toBe(1);
  expect(limited()[0]).toContain("will retry in 1 minutes");
  world.clock.now += 60_000;
  aof.tick();
  await until(() => world.sinks.length === 4);
  world.sinks[3]!.failed(systemError("EIO"));
  aof.tick();
  expect(limited()[1]).toContain("will retry in 2 minutes");
  // By hand it goes at once.
  expect(aof.bgrewrite()).toBe("started");
  await until(() => world.sinks.length === 5);
  await finish(world, aof, "y".repeat(5000));
  expect(aof.rewrite.baseSize).toBe(5000);
  set(aof, "x".repeat(4000));
  aof.tick();
  expect(aof.rewrite.inProgress).toBe(false);
  set(aof, "x".repeat(1000));
  aof.tick();
  expect(aof.rewrite.inProgress).toBe(true);
  expect(world.log.has("Starting automatic rewriting of AOF on 101% growth")).toBe(true);
  aof.close();
});

test("scheduled behind another snapshot, or in a transaction", async () => {
  using world = new World();
  const aof = start(world, world.aof());
  for (const flag of ["snapshotActive", "inTransaction"] as const) {
    const before = world.sinks.length;
    world[flag] = true;
    expect(aof.bgrewrite()).toBe("scheduled");
    aof.tick();
    expect([aof.rewrite.scheduled, aof.rewrite.inProgress]).toEqual([true, false]);
    world[flag] = false;
    aof.tick();
    await until(() => world.sinks.length === before + 1);
    expect(aof.rewrite.scheduled).toBe(false);
    await finish(world, aof, "");
  }
  aof.close();
});

test("turned on at run time: nothing counts until the first rewrite is done", async () => {
  using world = new World();
  const aof = world.aof();
  aof.readManifest();
  expect(aof.turnOn()).toBe(true);
  expect(aof.state).toBe("wait");
  expect(aof.blocksShutdown).not.toBeNull();
  expect(aof.writer.active).toBe(true);
  expect(existsSync(world.path("appendonly.aof.manifest"))).toBe(false);
  set(aof, "a");
  world.sinks[0]!.failed(systemError("ENOSPC"));
  expect(world.log.has("Removing the temp incr aof file temp-appendonly.aof.incr")).toBe(true);
  expect([aof.state, aof.rewrite.scheduled, aof.writer.active]).toEqual(["wait", true, false]);
  expect(files(world).filter((name) => name.includes("incr"))).toEqual([]);
  aof.tick();
  expect(world.sinks.length).toBe(2);
  set(aof, "b");
  await finish(world, aof, commands("set a 1"));
  expect([aof.state, aof.blocksShutdown]).toEqual(["on", null]);
  expect(world.manifestText).toBe(b(1) + i(1));
  set(aof, "c");
  expect(world.load().executed).toEqual(["set a 1", "SELECT 0", "set b 1", "set c 1"]);
  aof.folder.load();

  aof.turnOff();
  expect([aof.enabled, aof.writer.active]).toEqual([false, false]);
  expect(world.manifestText).toBe(b(1) + i(1));
  // A rewrite while it is off: a base alone.
  aof.bgrewrite();
  await finish(world, aof, commands("set d 1"));
  expect(world.manifestText).toBe(b(2));
  expect(Object.fromEntries(aof.info()).aof_current_size).toBeUndefined();
  // Sequence numbers go on from what the manifest says, as in Redis after a restart.
  aof.folder.load();
  aof.turnOn();
  await finish(world, aof, commands("set d 1"));
  expect(world.manifestText).toBe(b(3) + i(1));
  aof.close();
});

test("turned on while a snapshot runs: scheduled", async () => {
  using world = new World();
  world.snapshotActive = true;
  const aof = world.aof();
  expect(aof.turnOn()).toBe(true);
  expect([aof.rewrite.scheduled, aof.writer.active, existsSync(world.folder.directory)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(world.log.has("An AOF background was scheduled to start when possible.")).toBe(true);
  world.snapshotActive = false;
  aof.tick();
  await finish(world, aof, "");
  expect(aof.state).toBe("on");
  aof.close();
});

test("turned off during a rewrite: it is ended", async () => {
  using world = new World();
  const aof = start(world, world.aof());
  aof.bgrewrite();
  await until(() => world.sinks.length === 1);
  aof.turnOff();
  expect(world.aborted).toBe(1);
  expect(world.log.has("Killing running AOF rewrite child")).toBe(true);
  world.sinks[0]!.done();
  expect([aof.rewrite.inProgress, aof.state]).toEqual([false, "off"]);
  await until(() => !files(world).some((name) => name.startsWith("temp")));
  aof.turnOn();
  expect(world.sinks.length).toBe(2);
  aof.turnOff();
  expect(files(world).some((name) => name.endsWith(".incr"))).toBe(false);
});

test("turned on during a rewrite that does not record: that one is replaced", () => {
  using world = new World();
  const aof = world.aof();
  aof.bgrewrite();
  expect(aof.turnOn()).toBe(true);
  expect([world.aborted, world.sinks.length]).toEqual([1, 2]);
  aof.turnOff();
});

test("cannot begin: says so, and what was there stays", () => {
  using world = new World();
  const aof = start(world, world.aof());
  set(aof, "a");
  aof.writer.readyToLeave();
  mkdirSync(world.path("temp-appendonly.aof.manifest"));
  expect(aof.bgrewrite()).toBe("failed");
  expect(world.manifestText).toBe(b(1) + i(1));
  set(aof, "b");
  expect(world.read(INCR(1))).toBe(SELECT0 + commands("set a 1", "set b 1"));
  rmSync(world.path("temp-appendonly.aof.manifest"), { recursive: true });
  expect(aof.bgrewrite()).toBe("started");
  aof.turnOff();

  using off = new World();
  const other = off.aof(undefined, { names: { ...off.names, root: `${off.root}/missing` } });
  expect(other.turnOn()).toBe(false);
  expect([other.state, other.rewrite.lastOk]).toEqual(["off", false]);
  expect(off.log.has("Can't open or create append-only dir appendonlydir: No such file")).toBe(true);
});

test("aof-disable-auto-gc keeps the history until it is allowed to go", async () => {
  using world = new World();
  world.settings.aofDisableAutoGc = true;
  const aof = start(world, world.aof());
  for (let n = 1; n <= 2; n++) {
    aof.bgrewrite();
    await until(() => world.sinks.length === n);
    await finish(world, aof, "");
  }
  expect(world.manifestText.match(/type h/g)?.length).toBe(4);
  expect(existsSync(world.path(BASE(1)))).toBe(true);
  aof.collectGarbage();
  expect(existsSync(world.path(BASE(1)))).toBe(true);
  world.settings.aofDisableAutoGc = false;
  aof.collectGarbage();
  expect(world.manifestText).toBe(b(3) + i(3));
  await until(() => files(world).length === 3);
  aof.close();
});

test("a failed fsync is mended by a rewrite, and by nothing less", async () => {
  const disk = new TestDisk();
  using world = new World();
  const aof = start(world, world.aof(disk));
  set(aof, "a");
  world.clock.now += 1000;
  aof.tick();
  disk.finish(systemError("EIO"));
  expect(aof.writer.refusal).toContain("MISCONF");
  aof.tick();
  expect(world.sinks.length).toBe(1);
  world.sinks[0]!.failed(systemError("EIO"));
  expect(aof.writer.failure).not.toBeNull();
  aof.tick();
  expect(world.sinks.length).toBe(1);
  world.clock.now += 1000;
  aof.tick();
  expect(world.sinks.length).toBe(2);
  await finish(world, aof, commands("set a 1"));
  expect(aof.writer.failure).toBeNull();
  set(aof, "b");
  expect(world.load().executed).toEqual(["set a 1", "SELECT 0", "set b 1"]);
  aof.folder.load();
  aof.close();
});

test("DEBUG LOADAOF: what is in the buffer is loaded too, and a cut file is appended to at its new end", () => {
  using world = new World();
  const aof = start(world, world.aof());
  aof.writer.command(0, args("set a 1"));
  expect(aof.beforeReload()).toBe(true);
  world.executed = [];
  const load = aof.load(world.parts);
  expect(load.step(() => false)).toBe("loaded");
  expect(world.executed.at(-1)).toBe("set a 1");
  expect(aof.afterReload(load)).toBe(true);
  set(aof, "b");
  world.write(INCR(1), `${world.read(INCR(1))}*3\r\n$3\r\nSE`);
  aof.beforeReload();
  const torn = aof.load(world.parts);
  expect([torn.step(() => false), torn.truncated]).toEqual(["loaded", true]);
  expect(aof.afterReload(torn)).toBe(true);
  set(aof, "c");
  aof.close();
  expect(world.load().executed.filter((line) => line.startsWith("set"))).toEqual(
    ["a", "b", "c"].map((key) => `set ${key} 1`),
  );
});

test("with always nobody waits longer because of a rewrite", async () => {
  using world = new World();
  world.settings.appendfsync = "always";
  const aof = start(world, world.aof());
  let durable = 0;
  for (let n = 0; n < 50; n++) {
    aof.writer.command(0, args(`set k${n} 1`));
    aof.writer.flush();
    aof.writer.whenDurable((failure) => {
      if (failure === null) durable++;
    });
    if (n === 20) aof.bgrewrite();
    if (n === 40) await until(() => world.sinks.length === 1);
    if (n === 40) await finish(world, aof, commands("set base 1"));
    await Bun.sleep(0);
  }
  await until(() => durable === 50);
  expect(aof.writer.synced).toBe(aof.writer.appended);
  aof.close();
});
