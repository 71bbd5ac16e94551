import { test } from "bun:test";
import { oracleIsOlder } from "./lib/pair.ts";
import { differential } from "./lib/suite.ts";
import { GEO, GEO_7_2 } from "./scripts/geo.ts";

await differential("geo", oracleIsOlder ? GEO : { ...GEO, ...GEO_7_2 });

if (oracleIsOlder)
  for (const name of Object.keys(GEO_7_2)) test.skip(`${name} [needs redis-server 7.2]`, () => {});
