/**
 * The longest time a client waits for PING while another loads millions of keys.
 */
import { inTurn, type Report } from "./contestants.ts";
import { loadEncoded, Template } from "./loader.ts";
import type { Options } from "./options.ts";
import { startProbe } from "./probe.ts";

const key = new Template(["SET", "key:############", `value:${"#".repeat(26)}`]);

export async function stall(options: Options, report: Report): Promise<void> {
  const keys = options.stallKeys;
  const results = await inTurn(options, [], async ({ port, process }) => {
    const probe = await startProbe(port, process.pid);
    const start = performance.now();
    await loadEncoded(port, keys, (i, buffer, at) => key.encode(buffer, at, [i, i]));
    return { seconds: (performance.now() - start) / 1000, ...(await probe.stop()) };
  });
  const { redis, redbun } = results;
  const line = { section: "stall", details: { keys, results } };
  const control = `own delay at worst ${redis.echoWorst.toFixed(1)}, ${redbun.echoWorst.toFixed(1)} ms`;
  report({
    ...line,
    name: `worst PING, loading ${keys} keys`,
    unit: "ms",
    redis: redis.worstCorrected,
    redbun: redbun.worstCorrected,
    goal: { kind: "value", atMost: 20 },
    note: `uncorrected ${redis.worst.toFixed(1)}, ${redbun.worst.toFixed(1)}; ${control}`,
  });
  report({ section: "stall", name: "p99.9 PING", unit: "ms", redis: redis.p999, redbun: redbun.p999 });
  report({
    section: "stall",
    name: "keys loaded",
    unit: "keys/s",
    redis: keys / redis.seconds,
    redbun: keys / redbun.seconds,
  });
}
