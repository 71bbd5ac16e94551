import { differential } from "./lib/suite.ts";
import { HYPERLOGLOG, HYPERLOGLOG_LIMIT } from "./scripts/hyperloglog.ts";

await differential("HyperLogLog", HYPERLOGLOG);
await differential("HyperLogLog with a limit", HYPERLOGLOG_LIMIT, ["--hll-sparse-max-bytes", "200"]);
