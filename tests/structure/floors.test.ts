import { expect, test } from "bun:test";
import { filesUnder, importsOf } from "./source.ts";

/**
 * The floors of src/: a file imports only from lower floors. Folders of one row may import each other only on
 * floors 0 and 1; of floor 5 only those to the left. `import type` counts.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["host", "bytes"],
  ["config", "resp", "stats", "memory", "encodings"],
  ["types"],
  ["keyspace"],
  ["call"],
  ["acl", "push", "transactions", "blocking", "rdb", "aof", "replication", "scripting", "cluster"],
  ["commands"],
  ["server"],
  ["console"],
  ["inside"],
  ["main.ts"],
];
const WITHIN_FLOOR = new Set([0, 1]);
const LEFTWARDS = new Set([5]);
/** Packages that src/ may use at all, and where. */
const PACKAGES: Record<string, readonly string[]> = {
  citty: ["src/main.ts"],
  consola: ["src/host/log.ts"],
  "wasmoon-lua5.1/dist/liblua5.1.wasm": ["src/scripting/lua/"],
  bun: ["src/server/", "src/console/"],
  "bun:ffi": ["src/server/process-title.ts"],
};

interface Place {
  folder: string;
  floor: number;
  column: number;
}

/** Where a path of src/ belongs; null where no floor names its folder. */
function placeOf(path: string): Place | null {
  const folder = path.split("/")[1] ?? "";
  for (const [floor, folders] of FLOORS.entries()) {
    const column = folders.indexOf(folder);
    if (column >= 0) return { folder, floor, column };
  }
  return null;
}

function allowed(from: Place, to: Place): boolean {
  if (from.folder === to.folder || to.floor < from.floor) return true;
  if (to.floor > from.floor) return false;
  return WITHIN_FLOOR.has(from.floor) || (LEFTWARDS.has(from.floor) && to.column < from.column);
}

const FILES = filesUnder("src");

test("every file of src/ is on a floor", () => {
  expect(FILES.filter(({ path }) => placeOf(path) === null).map(({ path }) => path)).toEqual([]);
});

test("imports go down", () => {
  const upward: string[] = [];
  for (const file of FILES) {
    const from = placeOf(file.path);
    for (const target of importsOf(file)) {
      const to = target.startsWith("src/") ? placeOf(target) : null;
      if (from !== null && to !== null && !allowed(from, to)) upward.push(`${file.path} -> ${target}`);
    }
  }
  expect(upward).toEqual([]);
});

test("no file needs itself by way of others, types aside", () => {
  const graph = new Map(FILES.map((file) => [file.path, importsOf(file, true)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test("imports leave src/ only for node: modules and the few packages", () => {
  const strange: string[] = [];
  for (const file of FILES)
    for (const target of importsOf(file)) {
      if (target.startsWith("src/") || target.startsWith("node:") || target.startsWith("bun:")) continue;
      const where = PACKAGES[target];
      if (!where?.some((path) => file.path.startsWith(path))) strange.push(`${file.path} -> ${target}`);
    }
  expect(strange).toEqual([]);
});

test("the import parser sees every form", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { b } from "../b/b.ts";',
    "import {",
    "  c,",
    '} from "./c.ts";',
    'export { d } from "./d.ts";',
    'export * from "./e.ts";',
    'import "./f.ts";',
    'const g = await import("./g.ts");',
    'const text = "import x from";',
    'import * as h from "node:fs";',
  ].join("\n");
  const names = importsOf({ path: "src/call/x.ts", text });
  const own = ["a", "c", "d", "e", "f", "g"].map((name) => `src/call/${name}.ts`);
  expect(names.toSorted()).toEqual([...own, "src/b/b.ts", "node:fs"].toSorted());
});
