/** The writer: what it puts into the file, when replies may leave, and what it does when the disk does not obey. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AofWriter } from "../../../src/aof/writer.ts";
import { Call } from "../../../src/call/call.ts";
import type { Session } from "../../../src/call/session.ts";
import { Request } from "../../../src/resp/request.ts";
import { canMount, mountTmpfs, unmount } from "../../tmpfs.ts";
import { seeded } from "../bytes/random.ts";
import { args, command, commands, systemError, TestDisk, World, waiter } from "./support.ts";

const FILE = "appendonly.aof.1.incr.aof";
const SELECT0 = command("SELECT 0");

function opened(disk?: TestDisk): { world: World; writer: AofWriter; text: () => string } {
  const world = new World();
  world.folder.create();
  const writer = world.writer(disk);
  writer.use(writer.openFile(world.path(FILE), "append"));
  return { world, writer, text: () => world.read(FILE) };
}

function call(database: number, line: string, effects: string[] | null = null): Call {
  const made = new Call();
  made.load(Request.of(args(line)));
  made.session = { dbIndex: database } as Session;
  made.effects = effects?.map(args) ?? null;
  return made;
}

describe("what is written", () => {
  test("commands as multibulks, SELECT where the database changes", () => {
    const { world, writer, text } = opened();
    using _ = world;
    writer.record(call(0, "set a 1"));
    writer.record(call(0, "set b 2"));
    writer.record(call(15, "set c 3"));
    writer.command(0, args("DEL a"));
    expect(text()).toBe("");
    expect(writer.flush()).toBe("done");
    expect(text()).toBe(
      `${SELECT0}${commands("set a 1", "set b 2")}${command("SELECT 15")}${command("set c 3")}${SELECT0}${command("DEL a")}`,
    );
    expect(writer.appended).toBe(text().length);
    expect(writer.written).toBe(text().length);
  });

  test("effects instead of the command; several of them as a transaction, none not at all", () => {
    const { world, writer, text } = opened();
    using _ = world;
    writer.record(call(0, "spop s", ["SREM s x"]));
    writer.record(call(0, "lmpop 1 a", ["LPOP a 1", "DEL a", "DEL b"]));
    writer.record(call(0, "nothing", []));
    writer.flush();
    expect(text()).toBe(
      `${SELECT0}${command("SREM s x")}${commands("MULTI", "LPOP a 1", "DEL a", "DEL b", "EXEC")}`,
    );
  });

  test("a transaction is bracketed where it has two commands or more, SELECT inside", () => {
    const { world, writer, text } = opened();
    using _ = world;
    writer.begin();
    writer.end();
    writer.begin();
    writer.record(call(0, "set a 1"));
    writer.end();
    writer.begin();
    writer.record(call(3, "set b 2"));
    writer.record(call(0, "spop s", ["SREM s x", "DEL s"]));
    // A script inside of a transaction.
    writer.begin();
    writer.record(call(0, "set c 3"));
    writer.end();
    writer.end();
    writer.flush();
    expect(text()).toBe(
      `${SELECT0}${command("set a 1")}` +
        `${commands("MULTI", "SELECT 3", "set b 2", "SELECT 0", "SREM s x", "DEL s", "set c 3", "EXEC")}`,
    );
  });

  test("nothing of a transaction is written before its end", () => {
    const { world, writer, text } = opened();
    using _ = world;
    writer.record(call(0, "set a 1"));
    writer.begin();
    writer.record(call(0, "set b 2"));
    expect(writer.flush()).toBe("done");
    expect(text()).toBe("");
    writer.record(call(0, "set c 3"));
    writer.end();
    writer.flush();
    expect(text()).toBe(`${SELECT0}${commands("set a 1", "MULTI", "set b 2", "set c 3", "EXEC")}`);
  });

  test("timestamps once a second, outside of transactions", () => {
    const { world, writer, text } = opened();
    using _ = world;
    world.settings.aofTimestampEnabled = true;
    writer.record(call(0, "set a 1"));
    writer.record(call(0, "set a 2"));
    world.clock.now += 1000;
    writer.begin();
    writer.record(call(0, "set a 3"));
    world.clock.now += 1000;
    writer.record(call(0, "set a 4"));
    writer.end();
    writer.record(call(0, "set a 5"));
    writer.flush();
    expect(text()).toBe(
      `#TS:1700000000\r\n${SELECT0}${commands("set a 1", "set a 2")}#TS:1700000001\r\n` +
        `${commands("MULTI", "set a 3", "set a 4", "EXEC")}#TS:1700000002\r\n${command("set a 5")}`,
    );
  });

  test("what was in the file stays in front", () => {
    using world = new World();
    world.write(FILE, command("set old 1"));
    const writer = world.writer();
    writer.use(writer.openFile(world.path(FILE), "append"));
    writer.record(call(0, "set new 1"));
    writer.flush();
    expect(world.read(FILE)).toBe(`${command("set old 1")}${SELECT0}${command("set new 1")}`);
    expect(writer.fileSize).toBe(world.read(FILE).length);
  });

  test("large and small writes keep their order and every byte", () => {
    const random = seeded("aof writer");
    using world = new World();
    world.write(FILE, "0123456789");
    const writer = world.writer();
    writer.use(writer.openFile(world.path(FILE), "append"));
    let expected = `0123456789${SELECT0}`;
    const sizes = [1, 131_071, 131_072, 131_073, 262_143, 262_144, 300_000, 5_000_000];
    for (let i = 0; i < 60; i++) {
      const length = i < sizes.length ? sizes[i]! : random.below(random.below(3) === 0 ? 400_000 : 100);
      const line = `set k${i} ${String.fromCharCode(97 + (i % 26)).repeat(length + 1)}`;
      writer.record(call(0, line));
      expected += command(line);
      if (random.below(2) === 0) writer.flush();
    }
    writer.flush();
    writer.flush();
    expect(world.read(FILE) === expected).toBe(true);
  });

  test("arguments need not lie behind one another", () => {
    const { world, writer, text } = opened();
    using _ = world;
    const odd = new Call();
    odd.buf = new Uint8Array(Buffer.from("1 akey set"));
    odd.start = Int32Array.from([7, 2, 0]);
    odd.end = Int32Array.from([10, 6, 1]);
    odd.argc = 3;
    odd.session = { dbIndex: 0 } as Session;
    for (let i = 0; i < 5000; i++) writer.record(odd);
    writer.flush();
    expect(text()).toBe(SELECT0 + command("set akey 1").repeat(5000));
  });
});

describe("appendfsync", () => {
  test("always: replies wait for the fsync, and all that comes meanwhile shares the next", () => {
    const disk = new TestDisk();
    const { world, writer, text } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    const [a, b, c] = [waiter(), waiter(), waiter()];
    writer.record(call(0, "set a 1"));
    expect(writer.flush()).toBe("pending");
    writer.whenDurable(a.done);
    const afterA = text().length;
    for (const [line, who] of [
      ["set b 2", b],
      ["set c 3", c],
    ] as const) {
      writer.record(call(0, line));
      expect(writer.flush()).toBe("pending");
      writer.whenDurable(who.done);
    }
    expect(text().length).toBe(afterA);
    expect(disk.pending.length).toBe(1);
    disk.finish();
    expect([a.answers, b.answers, c.answers]).toEqual([[null], [], []]);
    expect(writer.synced).toBe(afterA);
    expect(text()).toBe(SELECT0 + commands("set a 1", "set b 2", "set c 3"));
    expect(disk.pending.length).toBe(1);
    disk.finish();
    expect([b.answers, c.answers]).toEqual([[null], [null]]);
    expect(disk.pending.length).toBe(0);
    expect(disk.syncs).toBe(2);
    expect(writer.flush()).toBe("done");
  });

  test("always: what only read waits as well while others' writes are under way", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    writer.record(call(0, "set a 1"));
    writer.flush();
    expect(writer.flush()).toBe("pending");
    const reader = waiter();
    writer.whenDurable(reader.done);
    disk.finish();
    expect(reader.answers).toEqual([null]);
    expect(writer.flush()).toBe("done");
  });

  test("always: replies that cannot wait are synced on this thread, and others with them", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    const [a, b] = [waiter(), waiter()];
    writer.record(call(0, "set a 1"));
    writer.flush();
    writer.whenDurable(a.done);
    writer.record(call(0, "set b 1"));
    writer.flush();
    writer.whenDurable(b.done);
    writer.record(call(0, "set c 1"));
    expect(writer.flushNow()).toBe("done");
    expect([a.answers, b.answers, writer.synced]).toEqual([[null], [null], writer.appended]);
    disk.finish();
    expect([disk.pending.length, writer.flush()]).toEqual([0, "done"]);
    disk.nowError = systemError("EIO");
    writer.record(call(0, "set d 1"));
    expect(writer.flushNow()).toBe("failed");
    expect(writer.refusal).not.toBeNull();
  });

  test("always: a disk that has shown to be quick is waited for on this thread, until it is slow", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    let turns = 0;
    const turn = () => {
      writer.record(call(0, `set k ${turns++}`));
      const result = writer.flushTurn();
      if (result === "pending") disk.finish();
      expect(writer.synced).toBe(writer.appended);
      return result;
    };
    expect(turn()).toBe("pending");
    while (turn() !== "done") expect(turns).toBeLessThan(100);
    const before = disk.syncs;
    for (let i = 0; i < 5; i++) expect(turn()).toBe("done");
    expect(disk.syncs).toBe(before + 5);

    disk.nowMilliseconds = 20;
    turn();
    expect(turn()).toBe("pending");
    disk.nowMilliseconds = 0;
    while (turn() !== "done") expect(turns).toBeLessThan(300);

    // What fails is told to the turn that it concerns.
    disk.nowError = systemError("EIO");
    expect(writer.flushTurn()).toBe("done");
    writer.record(call(0, "set lost 1"));
    expect(writer.flushTurn()).toBe("failed");
    expect(writer.refusal).not.toBeNull();
    expect(writer.synced).toBeLessThan(writer.appended);
  });

  test("always: a real disk", async () => {
    const { world, writer } = opened();
    using _ = world;
    world.settings.appendfsync = "always";
    const order: number[] = [];
    const all: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      writer.record(call(0, `set k${i} v`));
      writer.flush();
      all.push(
        new Promise((resolve) =>
          writer.whenDurable((failure) => {
            if (failure === null) order.push(i);
            resolve();
          }),
        ),
      );
      if (i % 7 === 0) await Bun.sleep(0);
    }
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(writer.synced).toBe(writer.appended);
    writer.stop(false);
  });

  test("everysec: one fsync a second, also when nothing comes any more", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    expect(writer.flush()).toBe("done");
    expect(disk.syncs).toBe(0);
    world.clock.now += 1000;
    expect(writer.flush()).toBe("done");
    expect(disk.syncs).toBe(1);
    disk.finish();
    expect(writer.synced).toBe(writer.appended);
    world.clock.now += 5000;
    writer.flush();
    expect(disk.syncs).toBe(1);
  });

  test("everysec: a write is put off while an fsync is under way, for two seconds at most", () => {
    const disk = new TestDisk();
    const { world, writer, text } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    world.clock.now += 1000;
    writer.flush();
    const before = text();
    writer.record(call(0, "set b 2"));
    expect(writer.flush()).toBe("done");
    world.clock.now += 1999;
    writer.flush();
    expect(text()).toBe(before);
    expect(writer.delayedFsyncs).toBe(0);
    world.clock.now += 1;
    writer.flush();
    expect(text()).toBe(before + command("set b 2"));
    expect(writer.delayedFsyncs).toBe(1);
    expect(world.log.has("Asynchronous AOF fsync is taking too long (disk is busy?)")).toBe(true);
    // A quick disk: what was put off goes out when the fsync ends.
    disk.finish();
    world.clock.now += 1000;
    writer.record(call(0, "set c 3"));
    writer.flush();
    writer.record(call(0, "set d 4"));
    writer.flush();
    expect(text().endsWith(command("set c 3"))).toBe(true);
    disk.finish();
    expect(text().endsWith(command("set d 4"))).toBe(true);
  });

  test("no: never", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "no";
    for (let i = 0; i < 5; i++) {
      writer.record(call(0, "set a 1"));
      expect(writer.flush()).toBe("done");
      world.clock.now += 10_000;
    }
    expect(disk.syncs).toBe(0);
  });

  test("from everysec to always: what is not synced yet is", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    writer.flush();
    world.settings.appendfsync = "always";
    expect(writer.flush()).toBe("pending");
    expect(disk.syncs).toBe(1);
  });

  test("from always to everysec: those who wait are let go with the fsync under way", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    const [a, b] = [waiter(), waiter()];
    writer.record(call(0, "set a 1"));
    writer.flush();
    writer.whenDurable(a.done);
    writer.record(call(0, "set b 1"));
    writer.flush();
    writer.whenDurable(b.done);
    world.settings.appendfsync = "everysec";
    disk.finish();
    expect([a.answers, b.answers]).toEqual([[null], [null]]);
  });

  test("no-appendfsync-on-rewrite: no fsync while a snapshot is written, and nobody waits", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    world.settings.noAppendfsyncOnRewrite = true;
    world.saving = true;
    writer.record(call(0, "set a 1"));
    expect(writer.flush()).toBe("done");
    expect(disk.syncs).toBe(0);
    world.saving = false;
    expect(writer.flush()).toBe("pending");
  });
});

describe("a failed fsync", () => {
  test("is never taken for one that succeeded later", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    const [a, b] = [waiter(), waiter()];
    writer.record(call(0, "set a 1"));
    writer.flush();
    writer.whenDurable(a.done);
    writer.record(call(0, "set b 1"));
    writer.flush();
    writer.whenDurable(b.done);
    const error = systemError("EIO");
    disk.finish(error);
    expect([a.answers, b.answers]).toEqual([[error], [error]]);
    expect(writer.refusal).toBe("MISCONF Errors writing to the AOF file: Input/output error");
    expect(writer.synced).toBe(0);
    for (let i = 0; i < 5; i++) {
      world.clock.now += 5000;
      expect(writer.flush()).toBe("done");
    }
    expect(disk.syncs).toBe(1);
    expect(writer.failure).toBe(error);
    // Something is recorded all the same (a key expires): it is not safe either.
    writer.command(0, args("DEL a"));
    expect(writer.flush()).toBe("failed");
    expect(writer.flush()).toBe("done");
    const late = waiter();
    writer.whenDurable(late.done);
    expect(late.answers).toEqual([error]);
  });

  test("of a file that is left in the same turn is told to that turn", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    writer.record(call(0, "set a 1"));
    // A rewrite begins within the turn: the old file is synced and left before the turn ends.
    disk.nowError = systemError("EIO");
    expect(writer.readyToLeave()).toBe(true);
    writer.leave();
    writer.use(writer.openFile(world.path("next"), "create"));
    expect(writer.flushTurn()).toBe("failed");
    expect(writer.flushTurn()).toBe("done");
  });

  test("with everysec refuses writes as well", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    world.clock.now += 1000;
    writer.flush();
    disk.finish(systemError("EIO"));
    expect(writer.refusal).not.toBeNull();
    expect(world.log.has("Fail to fsync the AOF file: Input/output error")).toBe(true);
    writer.record(call(0, "set b 1"));
    expect(writer.flush()).toBe("done");
  });

  test("of a file that was left no longer counts after a rewrite", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    writer.flush();
    disk.nowError = systemError("EIO");
    expect(writer.readyToLeave()).toBe(true);
    writer.leave();
    writer.use(writer.openFile(world.path("next"), "create"));
    expect(writer.failure).toBe(disk.nowError);
    writer.forgetOldFailures();
    expect(writer.failure).toBeNull();
    writer.record(call(0, "set b 1"));
    writer.flush();
    expect(world.read("next")).toBe(SELECT0 + command("set b 1"));
  });
});

describe("another file", () => {
  test("begins with SELECT, and the one before is on disk by then", () => {
    const disk = new TestDisk();
    const { world, writer, text } = opened(disk);
    using _ = world;
    writer.record(call(0, "set a 1"));
    let ready = false;
    writer.prepareToLeave(() => {
      ready = true;
    });
    expect([ready, disk.pending.length]).toEqual([false, 1]);
    writer.record(call(0, "set b 2"));
    writer.flush();
    disk.finish();
    expect(ready).toBe(true);
    writer.record(call(0, "set c 3"));
    expect(writer.readyToLeave()).toBe(true);
    expect(writer.synced).toBe(writer.appended);
    expect(text()).toBe(SELECT0 + commands("set a 1", "set b 2", "set c 3"));
    writer.leave();
    const total = writer.appended;
    writer.use(writer.openFile(world.path("next"), "create"));
    expect(writer.appended).toBe(total);
    writer.record(call(0, "set d 4"));
    writer.flush();
    expect(world.read("next")).toBe(SELECT0 + command("set d 4"));
  });

  test("always: those who wait are answered when the file is left", () => {
    const disk = new TestDisk();
    const { world, writer } = opened(disk);
    using _ = world;
    world.settings.appendfsync = "always";
    const [a, b] = [waiter(), waiter()];
    writer.record(call(0, "set a 1"));
    writer.flush();
    writer.whenDurable(a.done);
    writer.record(call(0, "set b 1"));
    writer.flush();
    writer.whenDurable(b.done);
    writer.prepareToLeave(() => {
      expect(writer.readyToLeave()).toBe(true);
      writer.leave();
      writer.use(writer.openFile(world.path("next"), "create"));
    });
    disk.finish();
    expect([a.answers, b.answers]).toEqual([[null], [null]]);
  });
});

// ---------------------------------------------------------------------- a disk that is full

const mount = join(mkdtempSync(join(tmpdir(), "redbun-full-")), "disk");

beforeAll(() => {
  mkdirSync(mount);
  if (canMount) mountTmpfs(mount, "256k");
});

afterAll(() => {
  if (canMount) unmount(mount);
  rmSync(join(mount, ".."), { recursive: true, force: true });
});

function onSmallDisk(policy: "always" | "everysec") {
  const world = new World();
  world.settings.appendfsync = policy;
  const path = join(mount, "f");
  rmSync(path, { force: true });
  const writer = world.writer();
  writer.use(writer.openFile(path, "create"));
  const ballast = join(mount, "ballast");
  const fill = () => {
    writeFileSync(ballast, "");
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(4096), { flag: "a" });
    } catch {
      // Full.
    }
  };
  const free = () => rmSync(ballast, { force: true });
  const end = () => {
    writer.stop(true);
    free();
    world[Symbol.dispose]();
  };
  return { world, writer, path, fill, free, end, text: () => readFileSync(path, "latin1") };
}

describe.skipIf(!canMount)("a full disk [needs mount]", () => {
  test("everysec: half a write is cut off, writes are refused, and all is there when there is room again", () => {
    const { world, writer, fill, free, end, path, text } = onSmallDisk("everysec");
    writer.record(call(0, "set a 1"));
    writer.flush();
    const before = text();
    fill();
    const big = `set b ${"b".repeat(100_000)}`;
    writer.record(call(0, big));
    expect(writer.flush()).toBe("done");
    expect(writer.refusal).toBe("MISCONF Errors writing to the AOF file: No space left on device");
    expect(text()).toBe(before);
    expect(world.log.has("Short write while writing to the AOF file: (nwritten=")).toBe(true);
    // It is tried once a second, and recorded meanwhile is what expires.
    writer.command(0, args("DEL c"));
    for (let i = 0; i < 3; i++) {
      world.clock.now += 1000;
      writer.flush();
      expect(text()).toBe(before);
    }
    free();
    writer.flush();
    expect(writer.failure).not.toBeNull();
    world.clock.now += 1000;
    writer.flush();
    expect(writer.failure).toBeNull();
    expect(world.log.has("AOF write error looks solved, Redis can write again.")).toBe(true);
    writer.record(call(0, "set d 4"));
    // An fsync may be under way.
    writer.flush(true);
    expect(text() === before + command(big) + commands("DEL c", "set d 4")).toBe(true);
    expect(statSync(path).size).toBe(writer.fileSize);
    end();
  });

  test("always: who wrote hears of it, who reads does not, and it goes on", async () => {
    const { world, writer, fill, free, end, text } = onSmallDisk("always");
    fill();
    writer.record(call(0, `set b ${"b".repeat(50_000)}`));
    expect(writer.flush()).toBe("failed");
    expect(writer.flush()).toBe("done");
    expect(text()).toBe("");
    free();
    world.clock.now += 1000;
    expect(writer.flush()).toBe("pending");
    const failure = await new Promise((resolve) => writer.whenDurable(resolve));
    expect(failure).toBeNull();
    expect(writer.refusal).toBeNull();
    expect(text().length).toBe(writer.appended);
    end();
  });

  test("always: a turn hears of a write that failed before its end, by whomever it was tried", () => {
    const { world, writer, fill, free, end } = onSmallDisk("always");
    const tries = [() => writer.flush(), () => writer.prepareToLeave(() => {}), () => writer.flush(true)];
    for (const first of tries) {
      fill();
      writer.record(call(0, `set b ${"b".repeat(5000)}`));
      first();
      expect(writer.flushTurn()).toBe("failed");
      // Who reads afterwards is not told, and who writes is refused before.
      expect(writer.flushTurn()).toBe("done");
      expect(writer.flushNow()).toBe("done");
      writer.record(call(0, "set c 1"));
      writer.flush(true);
      expect(writer.flushNow()).toBe("failed");
      expect(writer.flushNow()).toBe("done");
      // Written and failed and written within a turn: it is refused, to be on the safe side.
      writer.record(call(0, "set d 1"));
      writer.flush(true);
      free();
      world.clock.now += 1000;
      writer.flush(true);
      expect(writer.failure).toBeNull();
      expect(writer.flushTurn()).toBe("failed");
      expect(writer.flushNow()).toBe("done");
    }
    end();
  });

  test("writes of many pieces that fail at any place are undone and redone whole", () => {
    const { writer, fill, free, end, text } = onSmallDisk("everysec");
    let expected = SELECT0;
    for (const length of [10, 5000, 4096, 130_000]) {
      const line = `set k ${"v".repeat(length)}`;
      fill();
      writer.record(call(0, line));
      writer.flush(true);
      free();
      writer.flush(true);
      expect(writer.failure).toBeNull();
      expected += command(line);
      expect(text() === expected).toBe(true);
    }
    // Turned on and off while full: the rest is smaller than what had been cut off.
    const tail = commands("set x 1");
    fill();
    writer.record(call(0, "set x 1"));
    writer.flush(true);
    free();
    writer.flush(true);
    expect(text() === expected + tail).toBe(true);
    end();
  });

  test("the current file is not left while something of it cannot be written", () => {
    const { world, writer, fill, free, end } = onSmallDisk("everysec");
    fill();
    writer.record(call(0, `set b ${"b".repeat(50_000)}`));
    writer.flush();
    expect(writer.readyToLeave()).toBe(false);
    free();
    world.clock.now += 1000;
    expect(writer.readyToLeave()).toBe(true);
    end();
  });
});

test("turning off in the middle of a transaction leaves it out", () => {
  const { world, writer, text } = opened();
  using _ = world;
  writer.record(call(0, "set a 1"));
  writer.begin();
  writer.record(call(0, "set b 2"));
  writer.record(call(0, "set c 3"));
  writer.stop(false);
  writer.end();
  expect(text()).toBe(SELECT0 + command("set a 1"));
  expect(writer.active).toBe(false);
  expect(writer.flush()).toBe("done");
});
