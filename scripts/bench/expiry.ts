/**
 * Many keys falling due within one second, evenly spread: when are they gone without being touched, and how
 * long does a client wait meanwhile? DBSIZE counts keys that are due but not yet deleted.
 */
import { infoField } from "../lib/wire.ts";
import { type Contestant, inTurn, type Report } from "./contestants.ts";
import { loadEncoded, Template } from "./loader.ts";
import type { Options } from "./options.ts";
import { startProbe } from "./probe.ts";

const key = new Template(["SET", "key:############", "value", "PXAT", "#############"]);
const POLL_MS = 5;
const GIVE_UP_MS = 120_000;

export async function expiry(options: Options, report: Report): Promise<void> {
  const keys = options.expiryKeys;
  const results = await inTurn(options, [], (contestant) => expire(contestant, keys));
  const { redis, redbun } = results;
  report({
    section: "expiry",
    name: `${keys} keys due in one second: gone after its end`,
    unit: "s",
    redis: redis.secondsToEmpty,
    redbun: redbun.secondsToEmpty,
    goal: { kind: "value", atMost: 1 },
    details: { keys, results },
  });
  report({
    section: "expiry",
    name: "worst PING meanwhile",
    unit: "ms",
    redis: redis.worstCorrected,
    redbun: redbun.worstCorrected,
    goal: { kind: "value", atMost: 20 },
    note: `own delay at worst ${redis.echoWorst.toFixed(1)}, ${redbun.echoWorst.toFixed(1)} ms`,
  });
}

async function expire({ port, wire, process }: Contestant, keys: number) {
  // Slow servers need more time to load before the keys fall due: at least 40,000 keys a second.
  const due = Math.ceil((Date.now() + 3000 + keys / 40) / 1000) * 1000;
  await loadEncoded(port, keys, (i, buffer, at) => {
    return key.encode(buffer, at, [i, due + Math.floor((i * 1000) / keys)]);
  });
  const left = due - Date.now();
  if (left < 500) throw new Error(`loading ${keys} keys took too long, the first are due already`);
  const loaded = await wire.command("DBSIZE");
  if (loaded !== keys) throw new Error(`DBSIZE is ${loaded} after ${keys} keys`);
  await Bun.sleep(left - 400);
  const probe = await startProbe(port, process.pid);
  await Bun.sleep(due + 900 - Date.now());
  while ((await wire.command("DBSIZE")) !== 0) {
    if (Date.now() - due > GIVE_UP_MS) throw new Error("the keys do not go away");
    await Bun.sleep(POLL_MS);
  }
  const secondsToEmpty = (Date.now() - due - 1000) / 1000;
  const figures = await probe.stop();
  const expired = infoField(await wire.command("INFO", "stats"), "expired_keys");
  return { secondsToEmpty: Math.max(0, secondsToEmpty), expired: Number(expired), ...figures };
}
