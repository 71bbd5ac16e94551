import { differential } from "./lib/suite.ts";
import { GENERIC, OBJECT } from "./scripts/generic.ts";

await differential("generic, databases and OBJECT", { ...GENERIC, ...OBJECT });
