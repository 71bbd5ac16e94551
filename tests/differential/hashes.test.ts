import { differential } from "./lib/suite.ts";
import { HASHES } from "./scripts/hashes.ts";

await differential("hashes", HASHES);
