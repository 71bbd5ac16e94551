import { test } from "bun:test";
import { oracleIsOlder } from "./lib/pair.ts";
import { differential } from "./lib/suite.ts";
import { SCRIPTING, SCRIPTING_7_2 } from "./scripts/scripting.ts";

await differential("scripting", oracleIsOlder ? SCRIPTING : { ...SCRIPTING, ...SCRIPTING_7_2 });

if (oracleIsOlder)
  for (const name of Object.keys(SCRIPTING_7_2)) test.skip(`${name} [needs redis-server 7.2]`, () => {});
