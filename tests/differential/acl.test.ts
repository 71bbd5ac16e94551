import { differential } from "./lib/suite.ts";
import { ACL } from "./scripts/acl.ts";

await differential("ACL", ACL);
