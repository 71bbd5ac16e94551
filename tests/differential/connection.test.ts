import { differential } from "./lib/suite.ts";
import { CONNECTION } from "./scripts/connection.ts";

await differential("connection and COMMAND", CONNECTION);
