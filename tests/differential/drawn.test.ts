/**
 * Calls that generators of their own draw, where COMMAND DOCS tells too little to draw from (grammar.test.ts): scripts,
 * users' rules, clients' filters, values of directives, subscribers. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer. Needs
 * an oracle of 7.2, as grammar.test.ts does.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { seeded } from "../unit/bytes/random.ts";
import { DATA } from "./lib/drawn/data.ts";
import { DIRECTIVES_SET } from "./lib/drawn/directives.ts";
import { SCRIPTS } from "./lib/drawn/scripts.ts";
import { SESSIONS } from "./lib/drawn/sessions.ts";
import { subscribers } from "./lib/drawn/subscribers.ts";
import { USERS } from "./lib/drawn/users.ts";
import { type Family, ROUNDS, roundOf } from "./lib/drawn.ts";
import { oracleIsOlder, Pair } from "./lib/pair.ts";

const FAMILIES: readonly Family[] = [SCRIPTS, SESSIONS, USERS, DATA, DIRECTIVES_SET];
const CALLS = 50;

const pair = findOracle() === null || oracleIsOlder ? null : await Pair.start();

describeWithOracle("differential drawn", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds of subscribers [needs redis-server 7.2]`,
    async () => {
      const random = seeded("differential drawn, subscribers");
      for (let i = 0; i < ROUNDS; i++) {
        const problem = await subscribers([pair!.oracle.port, pair!.subject.port], random, CALLS);
        expect(problem === null ? "" : `round ${i}\n${problem}`).toBe("");
      }
    },
    120_000,
  );

  for (const family of FAMILIES)
    test.skipIf(oracleIsOlder)(
      `${ROUNDS} rounds of ${family.name} [needs redis-server 7.2]`,
      async () => {
        const random = seeded(`differential drawn, ${family.name}`);
        for (let i = 0; i < ROUNDS; i++) {
          const problem = await roundOf(pair!, family, random, i % 2 === 0 ? 2 : 3, CALLS);
          expect(problem === null ? "" : `round ${i}\n${problem}`).toBe("");
        }
      },
      120_000,
    );
});
