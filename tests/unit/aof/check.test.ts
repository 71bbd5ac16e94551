/** check-aof: what it says, beside the real redis-check-aof where there is one, and what it cuts off. */
import { expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkAof } from "../../../src/aof/check.ts";
import { command, commands, World } from "./support.ts";

const real = Bun.which("redis-check-aof");
const INCR = "appendonly.aof.1.incr.aof";
const BASE = "appendonly.aof.1.base.aof";

function check(args: string[], answer = "n"): { code: number; text: string } {
  let text = "";
  const code = checkAof(args, {
    print: (part) => {
      text += part;
    },
    answer: () => answer,
    checkRdb: (_path, print) => {
      print("[offset 0] Checking RDB file");
      return 15;
    },
  });
  return { code, text };
}

/** What the real tool says, and that ours says the same. */
function alike(args: string[], cwd: string): { code: number; text: string } {
  const ours = check(args.map((arg, i) => (i === args.length - 1 ? join(cwd, arg) : arg)));
  if (real !== null) {
    const theirs = Bun.spawnSync([real, ...args.slice(0, -1), join(cwd, args.at(-1)!)], { stdin: null });
    // The real one goes on counting lines in the next file.
    const plain = (text: string) => (args[0]!.endsWith(".manifest") ? text.replace(/_line=\d+/g, "") : text);
    expect(plain(ours.text)).toBe(plain(theirs.stdout.toString("latin1")));
    expect(ours.code).toBe(theirs.exitCode);
  }
  return ours;
}

function withFile(content: string): World {
  const world = new World();
  world.write("f.aof", content);
  return world;
}

test("a good file, an empty file, damage of every kind", () => {
  const good = command("set foo hello");
  for (const [content, said, code] of [
    [good, "is valid", 0],
    ["", "is empty", 0],
    [`${good}!!!`, "format error", 1],
    [`${good}!!!`, "ok_up_to_line=8", 1],
    [commands("multi", "set a b", "exec"), "is valid", 0],
    [commands("multi", "set a b"), "Reached EOF before reading EXEC for MULTI", 1],
    [commands("multi", "multi"), "Unexpected MULTI", 1],
    [commands("exec"), "Unexpected EXEC", 1],
    ["*1\r\n$-5\r\n", "Expected to read string of -5 bytes, which is not in the suitable range", 1],
    ["*1\r\n#4\r\nexec\r\n", "Expected prefix '$', got: '#'", 1],
    ["*1\r\n$4\r\nexecXY*1\r\n", "Expected \\r\\n, got: 5859", 1],
    ["*1\r\n$4\r\npingX", "Expected to read 6 bytes, got 5 bytes", 1],
    ["*1\r\n$99999\r\nabc", "Expected to read 100001 bytes, got 3 bytes", 1],
    ["*abc\r\n", "Expected \\r\\n, got: 6162", 1],
    [`#TS:1\r\n${good}#TS:2\r\n`, "is valid", 0],
    [commands(`set k ${"x".repeat(100)}`, `set k ${"y".repeat(3_000_000)}`, "set a b"), "is valid", 0],
  ] as const) {
    using world = withFile(content);
    const result = alike(["f.aof"], world.folder.directory);
    expect(result.text).toContain(said);
    expect(result.code).toBe(code);
  }
});

test("cut at every byte", () => {
  const content = commands("set a 1", "multi", "set b 2", "incr b", "exec", "set c 3");
  for (let length = 0; length <= content.length; length++) {
    using world = withFile(content.slice(0, length));
    // What stands behind the end of a cut length line is chance in the real tool.
    const cutLine = /\*\d*\r?$|\$\d*\r?$/.test(content.slice(0, length));
    if (cutLine) expect(check([world.path("f.aof")]).code).toBe(1);
    else alike(["f.aof"], world.folder.directory);
  }
});

test("--fix cuts to what will load, if the user agrees", () => {
  const whole = command("set foo hello");
  for (const tail of [command("multi") + command("set a b"), command("set a b").slice(0, -1), "!!!"]) {
    using world = withFile(whole + tail);
    const path = world.path("f.aof");
    const refused = check(["--fix", path], "no");
    expect([refused.code, refused.text.includes("Aborting...")]).toEqual([1, true]);
    expect(world.read("f.aof")).toBe(whole + tail);
    const fixed = check(["--fix", path], "Y");
    expect(fixed.code).toBe(0);
    expect(fixed.text).toContain(`This will shrink the AOF ${path} from`);
    expect(fixed.text).toContain("Continue? [y/N]: Successfully truncated AOF");
    expect(world.read("f.aof")).toBe(whole);
  }
});

test("a length beyond all memory is not believed (the real tool dies of it)", () => {
  using world = withFile(`*1\r\n$${"9".repeat(15)}\r\nabc`);
  const { code, text } = check([world.path("f.aof")]);
  expect(code).toBe(1);
  expect(text).toContain("Expected to read 1000000000000001 bytes, got 3 bytes");
});

test("an annotation cut off, and a command of no arguments, do not load and are not valid", () => {
  for (const tail of ["#TS:16282", "*0\r\n", "*-1\r\n"]) {
    using world = withFile(command("set a b") + tail);
    expect(check([world.path("f.aof")]).code).toBe(1);
  }
});

test("an RDB preamble", () => {
  using world = new World();
  world.write("f.aof", `REDIS0011 data!${command("set a b")}`);
  const { code, text } = check([world.path("f.aof")]);
  expect(code).toBe(0);
  expect(text).toContain("RDB preamble is OK, proceeding with AOF tail...");
});

test("a manifest: all its files, in Redis's words", () => {
  using world = new World();
  world.manifest(`file ${BASE} seq 1 type b\nfile ${INCR} seq 1 type i\n`);
  world.write(BASE, commands("set foo hello", "set bar world"));
  world.write(INCR, commands("set foo hello"));
  const { code, text } = alike(["appendonly.aof.manifest"], world.folder.directory);
  expect(code).toBe(0);
  expect(text.split("\n").filter((line) => !line.startsWith("AOF analyzed"))).toEqual([
    "Start checking Multi Part AOF",
    "Start to check BASE AOF (RESP format).",
    `BASE AOF ${BASE} is valid`,
    "Start to check INCR files.",
    `INCR AOF ${INCR} is valid`,
    "All AOF files and manifest are valid",
    "",
  ]);
  world.write(BASE, commands("set foo hello", "multi", "set bar world"));
  expect(alike(["appendonly.aof.manifest"], world.folder.directory).text).toContain("is not valid");
  const fix = check(["--fix", world.path("appendonly.aof.manifest")], "y");
  expect(fix.text).toContain(`Failed to truncate AOF ${BASE} because it is not the last file`);
  world.manifest(`file ${BASE} seq 1 type b\n!!!\n`);
  expect(check([world.path("appendonly.aof.manifest")]).text).toContain("Invalid AOF manifest file format");
});

test("an AOF with a manifest's words in it is an AOF", () => {
  using world = withFile(commands("set file file", "set k file"));
  expect(check([world.path("f.aof")]).text).toContain("Start checking Old-Style AOF");
});

test("--truncate-to-timestamp", () => {
  const stamped =
    `#TS:1628217470\r\n${command("set foo1 bar1")}#TS:1628217471\r\n${command("set foo2 bar2")}` +
    `#TS:1628217472\r\n#TS:1628217473\r\n${command("set foo3 bar3")}#TS:1628217474\r\n`;
  using world = new World();
  world.manifest(`file ${INCR} seq 1 type i\n`);
  world.write(INCR, stamped);
  const to = (timestamp: string) =>
    check(["--truncate-to-timestamp", timestamp, world.path("appendonly.aof.manifest")]);
  expect(to("1628217474").text).toContain("Truncate nothing in AOF");
  expect(to("1628217473").text).toContain(`Successfully truncated AOF ${INCR} to timestamp 1628217473`);
  expect(world.load().executed).toEqual(["set foo1 bar1", "set foo2 bar2", "set foo3 bar3"]);
  expect(to("1628217471").code).toBe(0);
  expect(world.load().executed).toEqual(["set foo1 bar1", "set foo2 bar2"]);
  expect(to("1628217470").code).toBe(0);
  expect(world.load().executed).toEqual(["set foo1 bar1"]);
  expect(to("1628217469")).toEqual({ code: 1, text: expect.stringContaining("aborting") });
  expect(to("soon").text).toBe("Invalid timestamp, aborting...\n");
  world.write(BASE, stamped);
  world.manifest(`file ${BASE} seq 1 type b\nfile ${INCR} seq 1 type i\n`);
  expect(to("1628217471").text).toContain("because it is not the last file");
});

test("arguments that make no sense, and files that are not there", () => {
  expect(check([])).toEqual({ code: 1, text: expect.stringContaining("Usage: ") });
  expect(check(["--fix"])).toEqual({
    code: 1,
    text: "Cannot open file --fix: No such file or directory\n",
  });
  expect(check(["a", "b"]).code).toBe(1);
  using world = new World();
  world.manifest(`file ${INCR} seq 1 type i\n`);
  expect(check([world.path("appendonly.aof.manifest")])).toEqual({
    code: 1,
    text: expect.stringContaining("No such file or directory"),
  });
});

test("the preamble file of Redis's own suite", () => {
  const sample = "/tmp/redis-src/tests/assets/rdb-preamble.aof";
  if (!Bun.file(sample).size) return;
  using world = new World();
  writeFileSync(join(world.root, "x"), "");
  copyFileSync(sample, join(world.root, "x"));
  const result = checkAof([join(world.root, "x")], {
    print: () => {},
    answer: () => "",
    checkRdb: () => 117,
  });
  expect(result).toBe(0);
});
