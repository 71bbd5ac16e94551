/**
 * `bun run bench`: redbun beside a real redis-server, in one run, as ratios. See options.ts for the usage; each
 * section has a file of its own.
 */
import { collections } from "./collections.ts";
import type { Measure } from "./contestants.ts";
import { versionOf } from "./contestants.ts";
import { expiry } from "./expiry.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { memory } from "./memory.ts";
import { parseOptions, type Section } from "./options.ts";
import { persistence } from "./persistence.ts";
import { printHeader, printMeasure, printSection, type Versions, writeJson } from "./report.ts";
import { stall } from "./stall.ts";
import { throughput } from "./throughput.ts";

const RUN: Record<Section, typeof throughput> = {
  throughput,
  memory,
  collections,
  growth,
  persistence,
  stall,
  expiry,
  idle,
};

const options = parseOptions(process.argv.slice(2));
const started = new Date();
const versions = await findVersions();
console.log(`Redis   ${versions.redis}   ${options.redis.join(" ")}`);
console.log(`redbun  ${versions.redbun}   ${options.redbun.join(" ")}`);

const measures: Measure[] = [];
let broken = 0;
printHeader();
for (const section of options.sections) {
  printSection(section);
  try {
    await RUN[section](options, (measure) => {
      measures.push(measure);
      printMeasure(measure);
    });
  } catch (error) {
    broken++;
    console.log(`  broke off: ${error instanceof Error ? error.message : error}`);
  }
}
await writeJson(options, versions, started, measures);
console.log(`\nwritten to ${options.json}`);
process.exit(broken > 0 ? 1 : 0);

async function findVersions(): Promise<Versions> {
  for (const program of [options.redis[0]!, options.redbun[0]!, options.benchmark]) {
    if (Bun.which(program) === null) {
      console.error(`bench: ${program} is not there (see --help)`);
      process.exit(2);
    }
  }
  return {
    redis: await versionOf("redis", options),
    redbun: await versionOf("redbun", options),
    benchmark: Bun.spawnSync([options.benchmark, "--version"]).stdout.toString().trim(),
  };
}
