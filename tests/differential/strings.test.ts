import { differential } from "./lib/suite.ts";
import { STRINGS } from "./scripts/strings.ts";

await differential("strings", STRINGS);
