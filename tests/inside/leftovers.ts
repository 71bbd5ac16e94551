/** A program for inside.test.ts: servers in all kinds of business are closed, and nothing is to be left. */
import { readdirSync, readlinkSync } from "node:fs";
import { startRedbun } from "../../src/inside/inside.ts";
import { RespClient } from "../resp-client.ts";

/** Standard input and output may be sockets. */
const INHERITED = new Set<string>();
for (const target of descriptors()) INHERITED.add(target);

/** Files of servers, sockets: the runtime's own descriptors are not theirs. */
function descriptors(): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // That of the folder itself.
      }
    })
    .filter((target) => /redbun-|^socket:/.test(target) && !INHERITED.has(target));
}

async function business(): Promise<void> {
  const master = await startRedbun({ appendonly: true, save: "3600 1" });
  const replica = await startRedbun({ replicaof: `127.0.0.1 ${master.port}`, "busy-reply-threshold": 1 });
  const client = await RespClient.open(master.port);
  await client.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  for (let i = 0; i < 1000; i++) client.send("SET", `key:${i}`, "value", "EX", "1000");
  for (let i = 0; i < 1000; i++) await client.next();
  await client.call("WAIT", "1", "10000");
  const waiting = await RespClient.open(master.port);
  waiting.send("BLPOP", "list", "3600");
  while (!(await client.text("INFO", "clients")).includes("blocked_clients:1"));
  await client.call("CLIENT", "PAUSE", "3600000", "WRITE");
  await client.call("BGSAVE");
  // Never ends by itself, and pauses: the loop is the script's until then.
  const script = await RespClient.open(replica.port);
  script.send("EVAL", "while true do end", "0");
  const other = await RespClient.open(replica.port);
  while ((await other.call("PING")) === "PONG");
  await Promise.all([master.close(), replica.close()]);
  for (const each of [client, waiting, script, other]) while ((await each.nextOrEnd()) !== undefined);
}

await business();
await business();
// A sync that was under way closes its file when it is done.
const until = performance.now() + 10_000;
while (descriptors().length > 0 && performance.now() < until)
  await new Promise((resolve) => setImmediate(resolve));
console.log(`left open: ${descriptors().join(" ") || "nothing"}`);
