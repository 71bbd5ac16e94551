import { differential } from "./lib/suite.ts";
import { PUBSUB } from "./scripts/pubsub.ts";

await differential("pub/sub", PUBSUB);
