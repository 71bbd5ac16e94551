/** Loading: whole commands and whole transactions, of every file there may be. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { type Random, seeded } from "../bytes/random.ts";
import { command, commands, World } from "./support.ts";

const INCR = "appendonly.aof.1.incr.aof";
const INCR2 = "appendonly.aof.2.incr.aof";
const ONE = `file ${INCR} seq 1 type i\n`;
const TWO = `${ONE}file ${INCR2} seq 2 type i\n`;

function withFile(content: string): World {
  const world = new World();
  world.manifest(ONE);
  world.write(INCR, content);
  return world;
}

const size = (world: World, name = INCR) => statSync(world.path(name)).size;

test("no folder, an empty folder, empty files", () => {
  using nothing = new World();
  expect(nothing.load().state).toBe("missing");
  nothing.folder.create();
  expect(nothing.load().state).toBe("missing");
  using empty = withFile("");
  expect(empty.load().state).toBe("empty");
});

test("base and incremental files load in order, empty ones among them", () => {
  using world = new World();
  world.manifest(`file appendonly.aof.1.base.aof seq 1 type b\n${TWO}file x seq 5 type i\n`);
  world.write("appendonly.aof.1.base.aof", commands("set k1 v1"));
  world.write(INCR, "");
  world.write(INCR2, commands("set k2 v2"));
  world.write("x", commands("select 3", "set k3 v3"));
  const { state, load } = world.load();
  expect(state).toBe("loaded");
  expect(world.executed).toEqual([
    ...["-- file", "set k1 v1", "-- file", "-- file", "set k2 v2"],
    ...["-- file", "select 3", "set k3 v3"],
  ]);
  expect(load.loadedBytes).toBe(load.totalBytes);
  expect(world.log.lines.filter((line) => line.includes("DB loaded")).length).toBe(4);
});

test("a missing part is fatal and named once", () => {
  using world = new World();
  world.manifest(TWO);
  world.write(INCR2, commands("set k2 v2"));
  expect(world.load().state).toBe("failed");
  const named = world.log.lines.filter((line) => /incr.aof .*No such file or directory/.test(line));
  expect(named.length).toBe(1);
});

test("cut at every byte: what loads is a prefix of whole commands, and what is appended then is kept", () => {
  const whole = [
    "set a 1",
    "multi",
    "set b 2",
    "incr b",
    "exec",
    "set c 3",
    "multi",
    "del a",
    "del b",
    "exec",
    "set d 4",
  ];
  const content = `#TS:1628217470\r\n${commands(...whole.slice(0, 5))}#TS:1628217471\r\n${commands(...whole.slice(5))}`;
  // What a reader may see: after each command outside of transactions, and after each EXEC.
  const states = [
    [],
    ["set a 1"],
    ["set a 1", "set b 2", "incr b"],
    ["set a 1", "set b 2", "incr b", "set c 3"],
    ["set a 1", "set b 2", "incr b", "set c 3", "del a", "del b"],
    ["set a 1", "set b 2", "incr b", "set c 3", "del a", "del b", "set d 4"],
  ].map((state) => state.join());
  let reached = -1;
  for (let length = 0; length <= content.length; length++) {
    using world = withFile(content.slice(0, length));
    const first = world.load();
    expect(first.state).toBe(length === 0 ? "empty" : "loaded");
    const state = states.indexOf(first.executed.join());
    expect(state).toBeGreaterThanOrEqual(reached);
    reached = state;
    // The file is whole now: what is appended is read with the rest at the next start.
    world.write(INCR, world.read(INCR) + command("set appended 1"));
    const again = world.load();
    expect(again.state).toBe("loaded");
    expect(again.load.truncated).toBe(false);
    expect(again.executed).toEqual([...first.executed, "set appended 1"]);
  }
  expect(reached).toBe(states.length - 1);
});

test("a tail cut inside of a transaction is cut before its MULTI", () => {
  const before = command("set foo hello");
  for (const tail of ["multi", "multi/set bar world", "multi/set bar world/set x 1"]) {
    using world = withFile(before + commands(...tail.split("/")));
    const { state, load, executed } = world.load();
    expect([state, load.truncated, executed]).toEqual(["loaded", true, ["set foo hello"]]);
    expect(size(world)).toBe(before.length);
    expect(world.log.has(`Revert incomplete MULTI/EXEC transaction in AOF file ${INCR}`)).toBe(true);
  }
  using half = withFile(before + commands("multi", "set bar world") + command("set x y").slice(0, -3));
  half.load();
  expect(size(half)).toBe(before.length);
});

test("aof-load-truncated no refuses a torn tail and leaves it", () => {
  using world = withFile(command("set foo hello") + command("set bar world").slice(0, -1));
  world.settings.aofLoadTruncated = false;
  const before = size(world);
  expect(world.load().state).toBe("failed");
  expect(world.log.lines.at(-1)).toContain("Unexpected end of file reading the append only file");
  expect(size(world)).toBe(before);
});

test("the report of a torn tail is Redis's", () => {
  using world = withFile(command("set foo hello") + command("set bar world").slice(0, -1));
  world.load();
  const warnings = world.log.lines.filter((line) => line.startsWith("#"));
  expect(warnings).toEqual([
    `# !!! Warning: short read while loading the AOF file ${INCR}!!!`,
    `# !!! Truncating the AOF ${INCR} at offset 33 !!!`,
    `# AOF ${INCR} loaded anyway because aof-load-truncated is enabled`,
  ]);
});

test("a torn file that is not the last is fatal and left as it is", () => {
  using world = new World();
  world.manifest(TWO);
  world.write(INCR, command("set bar world").slice(0, -1));
  world.write(INCR2, command("set k v"));
  const before = size(world);
  expect(world.load().state).toBe("failed");
  expect(world.log.lines.at(-1)).toContain("Fatal error: the truncated file is not the last file");
  expect(size(world)).toBe(before);
});

test("unless nothing comes after it: a rewrite was interrupted", () => {
  using world = new World();
  world.manifest(TWO);
  world.write(INCR, command("set k v") + command("set bar world").slice(0, -1));
  world.write(INCR2, "");
  const { state, executed } = world.load();
  expect([state, executed]).toEqual(["loaded", ["set k v"]]);
});

test("damage is refused in Redis's words, which come last", () => {
  const good = command("set foo hello");
  for (const [content, reason] of [
    [`${good}!!!${good}`, "expected '*', got '!' at offset 33"],
    [`${good}\0\0\0\0`, "expected '*', got byte 0 at offset 33"],
    ["*0\r\n", "invalid multibulk length at offset 0"],
    ["*-1\r\n", "invalid multibulk length at offset 0"],
    ["*x\r\n", "invalid multibulk length at offset 0"],
    ["*1\r\nping\r\n", "expected '$', got 'p' at offset 4"],
    ["*1\r\n$-1\r\n", "invalid bulk length at offset 4"],
    ["*2\r\n$3\r\nGET\r\n$-5\r\n", "invalid bulk length at offset 13"],
    ["*1\r\n$4\r\npingXY", "a bulk does not end with CRLF at offset 12"],
    [`*1\r\n$${"9".repeat(40)}\r\n`, "invalid bulk length at offset 4"],
    [commands("multi", "set a 1", "multi"), "MULTI inside of a transaction at offset 42"],
    [commands("set a 1", "exec"), "EXEC without MULTI at offset 27"],
  ] as const) {
    using world = withFile(content);
    expect(world.load().state).toBe("failed");
    expect(world.log.lines.slice(-2)).toEqual([
      `# Cannot read the append only file ${INCR}: ${reason}`,
      `# Bad file format reading the append only file ${INCR}: make a backup of your AOF file, then use ` +
        "./redis-check-aof --fix <filename.manifest>",
    ]);
  }
});

test("a length that the file does not have is a torn tail, and nothing is allocated for it", () => {
  using world = withFile(`${command("set foo hello")}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000000\r\nabc`);
  const { state, executed } = world.load();
  expect([state, executed]).toEqual(["loaded", ["set foo hello"]]);
  using many = withFile("*2000000000\r\n$3\r\nSET\r\n");
  expect(many.load().state).toBe("loaded");
  expect(size(many)).toBe(0);
});

test("an unknown command is named last, and ends loading", () => {
  using world = withFile(commands("set foo hello", "bla foo hello", "set foo hello"));
  const { state, executed } = world.load();
  expect([state, executed]).toEqual(["failed", ["set foo hello"]]);
  expect(world.log.lines.at(-1)).toBe(`# Unknown command 'bla' reading the append only file ${INCR}`);
});

test("timestamps are skipped, in transactions too", () => {
  using world = withFile(
    `#TS:1\r\n${commands("set a 1")}#TS:2\r\n#TS:3\r\n${commands("MULTI", "set b 2")}#TS:4\r\n${commands("set c 3", "EXEC")}#TS:5\r\n`,
  );
  expect(world.load().executed).toEqual(["set a 1", "set b 2", "set c 3"]);
});

test("an RDB base, in order and not", () => {
  using world = new World();
  world.manifest(`file appendonly.aof.1.base.rdb seq 1 type b\n${ONE}`);
  world.write("appendonly.aof.1.base.rdb", "REDIS0011 data!");
  world.write(INCR, commands("set k v"));
  const { state, load } = world.load();
  expect([state, load.baseBytes]).toEqual(["loaded", 15]);
  expect(world.log.has("Reading RDB base file on AOF loading...")).toBe(true);
  world.write("appendonly.aof.1.base.rdb", "REDIS0011 corrupt!");
  expect(world.load().state).toBe("failed");
  expect(world.log.lines.at(-1)).toBe(
    "# Error reading the RDB base file appendonly.aof.1.base.rdb, AOF loading aborted",
  );
});

test("long commands, long transactions and large arguments load in slices of any length", () => {
  const random = seeded("aof load");
  const lines: string[] = [];
  const expected: string[] = [];
  const add = (line: string) => {
    lines.push(line);
    expected.push(line);
  };
  add(`set big ${"x".repeat(3_500_000)}`);
  add(`sadd many ${Array.from({ length: 200_000 }, (_, i) => i).join(" ")}`);
  for (let i = 0; i < 300; i++) {
    const transaction = random.below(3) === 0;
    if (transaction) lines.push("MULTI");
    for (let n = random.below(transaction ? 40 : 4); n >= 0; n--)
      add(`set key:${random.below(1000)} ${"v".repeat(random.below(random.below(2) === 0 ? 30 : 30_000))}z`);
    if (transaction) lines.push("EXEC");
  }
  using world = withFile(commands(...lines));
  const { state, executed } = world.load(() => random.below(2) === 0);
  expect(state).toBe("loaded");
  expect(executed.length).toBe(expected.length);
  expect(executed.every((line, i) => line === expected[i])).toBe(true);
});

/** A megabyte of commands and transactions; `ends`: where it may end, and how many commands there are by then. */
function megabyte(random: Random): { content: string; ends: { at: number; count: number }[] } {
  let content = "";
  let count = 0;
  const ends = [{ at: 0, count: 0 }];
  while (content.length < 1024 * 1024) {
    const size = random.below(4) === 0 ? 1 + random.below(6) : 0;
    if (size > 0) content += command("MULTI");
    for (let i = 0; i <= size; i++, count++)
      content += command(`set k${count} ${"v".repeat(random.below(random.below(20) === 0 ? 20_000 : 200))}z`);
    if (size > 0) content += command("EXEC");
    ends.push({ at: content.length, count });
  }
  return { content, ends };
}

test("a power cut anywhere in a megabyte: exactly the whole commands and transactions before it", () => {
  const random = seeded("aof cuts");
  const { content, ends } = megabyte(random);
  using world = withFile("");
  for (let n = 0; n < 100; n++) {
    const cut =
      n % 2 === 0 ? random.below(content.length) : random.pick(ends.slice(1)).at - 1 + random.below(3);
    world.write(INCR, content.slice(0, cut));
    const expected = ends.findLast(({ at }) => at <= cut)!;
    const { state, executed } = world.load();
    expect(state).toBe(cut === 0 ? "empty" : "loaded");
    expect(executed.length).toBe(expected.count);
    expect(size(world)).toBe(expected.at);
  }
});

/**
 * REDBUN_CUTS=1048576 cuts at every byte of the megabyte. Of what lies before a cut only the last whole commands are in
 * the file: the loader keeps nothing of those that came earlier.
 */
test("a power cut at each of many bytes in turn", () => {
  const { content, ends } = megabyte(seeded("aof cuts in turn"));
  // A first command may be longer than all others together.
  const cuts = Math.max(Number(process.env.REDBUN_CUTS ?? 5000), ends[5]!.at);
  using world = withFile("");
  let last = 0;
  for (let cut = 1; cut <= Math.min(cuts, content.length); cut++) {
    while (last + 1 < ends.length && ends[last + 1]!.at <= cut) last++;
    const from = ends[Math.max(0, last - 1)]!;
    world.write(INCR, content.slice(from.at, cut));
    const { state, executed } = world.load();
    const kept = ends[last]!;
    if (
      state !== "loaded" ||
      executed.length !== kept.count - from.count ||
      size(world) !== kept.at - from.at
    )
      throw new Error(`cut at ${cut}: ${state}, ${executed.length} commands, ${size(world)} bytes left`);
  }
  expect(last).toBeGreaterThan(0);
});
