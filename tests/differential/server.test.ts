import { differential } from "./lib/suite.ts";
import { SERVER } from "./scripts/server.ts";

await differential("CONFIG, SLOWLOG, LATENCY, MEMORY, DEBUG, INFO", SERVER, [
  "--enable-debug-command",
  "yes",
]);
