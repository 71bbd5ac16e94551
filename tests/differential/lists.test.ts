import { differential } from "./lib/suite.ts";
import { LISTS } from "./scripts/lists.ts";
import { SORT } from "./scripts/sort.ts";

await differential("lists and SORT", { ...LISTS, ...SORT });
