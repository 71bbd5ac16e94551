/**
 * `bun run build` compiles dist/redbun for this machine, and the package's entry for Node; `--all` compiles every released target into
 * dist/redbun-VERSION-TARGET and writes dist/SHA256SUMS; `--target linux-arm64` (repeatable) compiles only
 * that one, under its release name. Bun fetches the runtime of a foreign target from the npm registry; a
 * target that fails is reported, the others are kept, and the exit code is 1.
 */
import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json";
import { REDBUN_VERSION } from "../src/host/version.ts";
import { buildNodeEntry } from "./lib/node-entry.ts";

const TARGETS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"] as const;
type Target = (typeof TARGETS)[number];

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");

const { values } = parseArgs({
  options: { all: { type: "boolean" }, target: { type: "string", multiple: true } },
});
if (manifest.version !== REDBUN_VERSION) {
  fail(`package.json says ${manifest.version}, src/host/version.ts says ${REDBUN_VERSION}`);
}
const targets = values.all ? [...TARGETS] : (values.target ?? []).map(parseTarget);

mkdirSync(DIST, { recursive: true });
if (targets.length === 0) {
  const error = await compile(join(DIST, "redbun"));
  if (error) fail(`dist/redbun: ${error}`);
  await buildNodeEntry(DIST);
} else {
  const built: string[] = [];
  const failures: string[] = [];
  for (const target of targets) {
    const file = join(
      DIST,
      `redbun-${REDBUN_VERSION}-${target}${target.startsWith("windows") ? ".exe" : ""}`,
    );
    const error = await compile(file, target);
    if (error) failures.push(`${target}: ${error}`);
    else built.push(file);
  }
  if (values.all) await writeChecksums(built);
  if (failures.length > 0) fail(`${failures.length} of ${targets.length} not built\n${failures.join("\n")}`);
}

function parseTarget(name: string): Target {
  const target = TARGETS.find((each) => each === name);
  return target ?? fail(`unknown target ${name}; there are ${TARGETS.join(", ")}`);
}

/** Compiles the server into `outfile`; gives what went wrong, or null. */
async function compile(outfile: string, target?: Target): Promise<string | null> {
  const start = performance.now();
  rmSync(outfile, { force: true });
  try {
    await Bun.build({
      entrypoints: [join(ROOT, "src", "main.ts")],
      // Names stay: they are in the error lines of the log. A bytecode cache halves the time to start.
      minify: { whitespace: true, syntax: true, identifiers: false },
      bytecode: true,
      format: "esm",
      sourcemap: "linked",
      compile: {
        outfile,
        ...(target && { target: `bun-${target}` as const }),
        // A server must not pick up settings from whatever directory it is started in.
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
    });
  } catch (error) {
    return describe(error);
  }
  rmSync(`${outfile.replace(/\.exe$/, "")}.map`, { force: true }); // the executable has it inside too
  const { size } = Bun.file(outfile);
  if (size === 0) return "bun wrote no file";
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${join("dist", basename(outfile))}  ${(size / 2 ** 20).toFixed(0)} MiB  ${seconds} s`);
  return null;
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(String)].join("\n  ");
  return String(error);
}

/** The format of sha256sum, so that `sha256sum -c SHA256SUMS` works where the files lie. */
async function writeChecksums(files: string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) {
    const hash = new Bun.CryptoHasher("sha256");
    for await (const chunk of Bun.file(file).stream()) hash.update(chunk);
    lines.push(`${hash.digest("hex")}  ${basename(file)}\n`);
  }
  await Bun.write(join(DIST, "SHA256SUMS"), lines.join(""));
}

function fail(message: string): never {
  console.error(`build: ${message}`);
  process.exit(1);
}
