import { differential } from "./lib/suite.ts";
import { SETS } from "./scripts/sets.ts";

await differential("sets", SETS);
