import { differential } from "./lib/suite.ts";
import { EXPIRE } from "./scripts/expire.ts";

await differential("expiry", EXPIRE);
