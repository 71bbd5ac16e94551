import { test } from "bun:test";
import { oracleIsOlder } from "./lib/pair.ts";
import { differential } from "./lib/suite.ts";
import { ZSETS, ZSETS_7_2 } from "./scripts/zsets.ts";

await differential("zsets", oracleIsOlder ? ZSETS : { ...ZSETS, ...ZSETS_7_2 });

if (oracleIsOlder)
  for (const name of Object.keys(ZSETS_7_2)) test.skip(`${name} [needs redis-server 7.2]`, () => {});
