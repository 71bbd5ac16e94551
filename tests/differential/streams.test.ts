import { differential } from "./lib/suite.ts";
import { STREAMS } from "./scripts/streams.ts";

await differential("streams", STREAMS);
