/** The manifest: what Redis 7 reads and writes, and its sentences for what it does not. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Manifest, ManifestError } from "../../../src/aof/manifest.ts";
import { commands, World } from "./support.ts";

function refusal(text: string): string {
  try {
    Manifest.parse(text);
  } catch (error) {
    if (error instanceof ManifestError) return error.message;
    throw error;
  }
  return "accepted";
}

const BASE = "file a.1.base.rdb seq 1 type b\n";

test("reads base, history and incremental files, and writes them in that order", () => {
  const text = `${BASE}file a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type i\nfile a.4.incr.aof seq 4 type i\n`;
  const manifest = Manifest.parse(text);
  expect(manifest.files.map(({ name }) => name)).toEqual(["a.1.base.rdb", "a.2.incr.aof", "a.4.incr.aof"]);
  expect(manifest.history.length).toBe(1);
  expect([manifest.baseSeq, manifest.incrSeq]).toEqual([1, 4]);
  expect(manifest.format()).toBe(text);
});

test("unknown keys and comments are skipped, keys are of any case and order", () => {
  const manifest = Manifest.parse("# file x seq 1 type x\nTYPE i new value SEQ 3 FILE f\n");
  expect(manifest.incrs).toEqual([{ name: "f", seq: 3, type: "i" }]);
});

test("names with blanks and line ends are quoted, and read back", () => {
  for (const name of [" file seq \n\n.aof ", 'a"b', "a'b", "a\x01\xffb"]) {
    const manifest = new Manifest();
    manifest.nextIncr(name);
    expect(Manifest.parse(manifest.format()).incrs[0]!.name).toBe(`${name}.1.incr.aof`);
  }
  const manifest = new Manifest();
  manifest.nextBase(" file seq \n\n.aof ", "rdb");
  expect(manifest.format()).toBe('file " file seq \\n\\n.aof .1.base.rdb" seq 1 type b\n');
});

test("refuses what Redis refuses, in its words", () => {
  expect(refusal("")).toBe("Found an empty AOF manifest");
  const invalid = "Invalid AOF manifest file format";
  expect(refusal(`${BASE}\n`)).toBe(invalid);
  expect(refusal("filx a seq 1 type b\n")).toBe(invalid);
  expect(refusal("file a type i\n")).toBe(invalid);
  expect(refusal("file a seq 1 type i newkey\n")).toBe(invalid);
  expect(refusal("file a seq 0 type i\n")).toBe(invalid);
  expect(refusal("file a seq x type i\n")).toBe(invalid);
  expect(refusal('file "a seq 1 type i\n')).toBe(invalid);
  expect(refusal("!!!\n")).toBe(invalid);
  expect(refusal(`${BASE}${BASE}`)).toBe("Found duplicate base file information");
  expect(refusal("file a seq 1 type x\n")).toBe("Unknown AOF file type");
  const backwards = "Found a non-monotonic sequence number";
  expect(refusal("file a seq 2 type i\nfile b seq 1 type i\n")).toBe(backwards);
  expect(refusal("file a seq 2 type i\nfile b seq 2 type i\n")).toBe(backwards);
  expect(refusal("file a seq -1 type i\n")).toBe(backwards);
  expect(refusal("file dir/a seq 1 type b\n")).toBe("File can't be a path, just a filename");
  const long = "The AOF manifest file contains too long line";
  expect(refusal(`file a seq 1 type b ${"k v ".repeat(300)}\n`)).toBe(long);
  expect(refusal("file a seq 1 type b")).toBe(long);
});

test("the report of a bad manifest quotes the line", () => {
  using world = new World();
  world.manifest(`${BASE}nonsense\n`);
  expect(world.folder.load()).toBe(false);
  expect(world.log.lines).toEqual([
    "# \n*** FATAL AOF MANIFEST FILE ERROR ***\n",
    "# Reading the manifest file, at line 2\n",
    "# >>> 'nonsense'\n",
    "# Invalid AOF manifest file format\n",
  ]);
});

test("rewrites move base and incremental files to the history, the newest first", () => {
  const manifest = Manifest.parse("file a.5.base.rdb seq 5 type b\nfile a.1.incr.aof seq 1 type i\n");
  for (let i = 0; i < 2; i++) {
    manifest.nextIncr("a");
    manifest.nextBase("a", "rdb");
    manifest.retireIncrs(1);
  }
  expect(manifest.format().split("\n")).toEqual([
    "file a.7.base.rdb seq 7 type b",
    "file a.2.incr.aof seq 2 type h",
    "file a.6.base.rdb seq 6 type h",
    "file a.1.incr.aof seq 1 type h",
    "file a.5.base.rdb seq 5 type h",
    "file a.3.incr.aof seq 3 type i",
    "",
  ]);
});

test("several incremental files retire in order", () => {
  const manifest = new Manifest();
  for (let i = 0; i < 4; i++) manifest.nextIncr("a");
  manifest.retireIncrs(1);
  expect(manifest.history.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(manifest.incrs.map(({ seq }) => seq)).toEqual([4]);
});

test("persisting replaces the file at once and leaves no temporary one", () => {
  using world = new World();
  world.folder.create();
  const manifest = world.folder.manifest.clone();
  manifest.nextIncr("appendonly.aof");
  expect(world.folder.persist(manifest)).toBe(true);
  expect(world.folder.manifest).toBe(manifest);
  expect(readdirSync(world.folder.directory)).toEqual(["appendonly.aof.manifest"]);
  expect(world.manifestText).toBe("file appendonly.aof.1.incr.aof seq 1 type i\n");
});

test("where it cannot be written the old one stays in force", () => {
  using world = new World();
  const manifest = world.folder.manifest.clone();
  manifest.nextIncr("appendonly.aof");
  expect(world.folder.persist(manifest)).toBe(false);
  expect(world.folder.manifest).not.toBe(manifest);
  expect(world.log.has("Can't open the AOF manifest file temp-appendonly.aof.manifest: No such file")).toBe(
    true,
  );
});

test("history is deleted and leaves the manifest", async () => {
  using world = new World();
  world.write("appendonly.aof.1.incr.aof", "x");
  world.write("appendonly.aof.2.incr.aof", "");
  world.manifest(
    "file appendonly.aof.1.incr.aof seq 1 type h\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
  );
  world.folder.load();
  world.folder.deleteHistory();
  expect(world.manifestText).toBe("file appendonly.aof.2.incr.aof seq 2 type i\n");
  while (existsSync(world.path("appendonly.aof.1.incr.aof"))) await Bun.sleep(1);
});

// ---------------------------------------------------------------------- older versions

test("a single file of older versions becomes the base", () => {
  using world = new World();
  writeFileSync(join(world.root, "appendonly.aof"), commands("set k1 v1", "set k2 v2"));
  const { state, executed } = world.load();
  expect([state, executed]).toEqual(["loaded", ["set k1 v1", "set k2 v2"]]);
  expect(existsSync(join(world.root, "appendonly.aof"))).toBe(false);
  expect(world.manifestText).toBe("file appendonly.aof seq 1 type b\n");
});

test("an interrupted upgrade goes on", () => {
  using world = new World();
  writeFileSync(join(world.root, "appendonly.aof"), commands("set k1 v1"));
  world.manifest("file appendonly.aof seq 1 type b\n");
  expect(world.load().executed).toEqual(["set k1 v1"]);
  expect(existsSync(world.path("appendonly.aof"))).toBe(true);
});

test("an old file beside a folder that has its own is left alone", () => {
  using world = new World();
  writeFileSync(join(world.root, "appendonly.aof"), commands("set old 1"));
  world.manifest("file appendonly.aof seq 1 type b\n");
  world.write("appendonly.aof", commands("set k4 v4"));
  expect(world.load().executed).toEqual(["set k4 v4"]);
  expect(existsSync(join(world.root, "appendonly.aof"))).toBe(true);
});

test("an RDB preamble and the commands behind it load from one old file", () => {
  using world = new World();
  writeFileSync(join(world.root, "appendonly.aof"), `REDIS0011 data!${commands("set k3 v3")}`);
  const { state, executed } = world.load();
  expect([state, executed]).toEqual(["loaded", ["set k3 v3"]]);
  expect(world.log.has("Reading RDB preamble from AOF file...")).toBe(true);
  expect(world.log.has("Reading the remaining AOF tail...")).toBe(true);
});
