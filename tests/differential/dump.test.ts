import { differential } from "./lib/suite.ts";
import { DUMP } from "./scripts/dump.ts";

await differential("DUMP and RESTORE", DUMP);
