import { differential } from "./lib/suite.ts";
import { BITMAPS } from "./scripts/bitmaps.ts";

await differential("bitmaps", BITMAPS);
