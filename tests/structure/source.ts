/** The source files and what they import, for the tests that guard the structure. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dir, "..", "..");

export interface SourceFile {
  /** Relative to the project's root, with forward slashes. */
  path: string;
  text: string;
}

export function filesUnder(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name).replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

const IMPORT = /^(?:import|export)\s(?:[^"';]*?\sfrom\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

/** What the file imports: paths relative to the root, or package names. Types count unless `values` says no. */
export function importsOf(file: SourceFile, values = false): string[] {
  const found = [...file.text.matchAll(IMPORT)];
  const wanted = values ? found.filter(([statement]) => !/^(import|export) type\s/.test(statement)) : found;
  return wanted.map(([, from, dynamic]) => {
    const name = from ?? dynamic!;
    if (!name.startsWith(".")) return name;
    return relative(ROOT, join(ROOT, dirname(file.path), name)).replaceAll("\\", "/");
  });
}
