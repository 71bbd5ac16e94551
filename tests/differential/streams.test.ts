import { describe, test } from "bun:test";
import { oracleIsOlder } from "./lib/pair.ts";
import type { Scripts } from "./lib/suite.ts";
import { differential } from "./lib/suite.ts";
import { STREAM_GROUPS } from "./scripts/stream-groups.ts";
import { STREAMS } from "./scripts/streams.ts";

/** What 7.2 changed: when consumers are created and counted as changes, two sentences, a bound for timeouts. */
const CHANGED = /^(IDs|XADD|XREAD|XCLAIM|XSETID)/;

const scripts: Scripts = {};
for (const [name, script] of Object.entries({ ...STREAMS, ...STREAM_GROUPS }))
  if (!oracleIsOlder || !CHANGED.test(name)) scripts[name] = script;
  else describe("differential streams", () => test.skip(`${name} [needs redis-server 7.2]`, () => {}));

await differential("streams", scripts);
