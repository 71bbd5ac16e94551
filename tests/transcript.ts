/**
 * Transcripts: commands with what a real server answered, for commands that no oracle here knows (Redis 8.x). The
 * files in tests/command/transcripts/ were recorded from Redis just after 8.8 (unstable, June 2026) by
 *
 *     bun tests/transcript.ts PORT FILE        plays the file's commands on that server and writes it anew
 *
 *     # a comment
 *     SET k v IFEQ x          a command, quoted as in redis-cli
 *       $-1                   the reply in RESP2, line ends as spaces
 *       3: _                  the reply in RESP3, where it is another one
 *       * expire k            keyspace events that came of it, in their order; of fields, with the whole channel
 *
 * Each file begins on an empty server. Nothing in it may depend on the clock.
 */
import { splitLine } from "./differential/lib/script.ts";
import { Wire } from "./differential/lib/wire.ts";
import { RespClient } from "./resp-client.ts";

/** Plays the commands of a transcript on the server at `port`; the transcript that this gives. */
export async function play(port: number, transcript: string): Promise<string> {
  const lines = transcript.split("\n").filter((line) => !line.startsWith("  "));
  const two = await playOnce(port, 2, lines);
  const three = await playOnce(port, 3, lines);
  const out: string[] = [];
  for (const [i, line] of lines.entries()) {
    out.push(line);
    const reply = two.replies[i];
    if (reply === undefined) continue;
    out.push(`  ${reply}`);
    if (three.replies[i] !== reply) out.push(`  3: ${three.replies[i]}`);
    for (const event of two.events[i]!) out.push(`  * ${event}`);
  }
  return out.join("\n");
}

interface Played {
  /** By number of line; comments have none. */
  replies: (string | undefined)[];
  events: string[][];
}

async function playOnce(port: number, resp: 2 | 3, lines: readonly string[]): Promise<Played> {
  const wire = await Wire.open(port);
  const listener = await RespClient.open(port);
  await wire.send([
    ["HELLO", String(resp)],
    ["FLUSHALL"],
    ["CONFIG", "SET", "notify-keyspace-events", "KEA"],
  ]);
  await listener.call("PSUBSCRIBE", "__keyevent@*");
  await listener.call("PSUBSCRIBE", "__subkey*");
  const played: Played = { replies: [], events: [] };
  for (const line of lines) {
    const words = line.startsWith("#") ? [] : splitLine(line);
    if (words.length === 0) {
      played.replies.push(undefined);
      played.events.push([]);
      continue;
    }
    const [reply] = await wire.send([words]);
    played.replies.push(shown(reply!));
    played.events.push(await eventsUntilNow(listener));
  }
  wire.close();
  listener.close();
  return played;
}

/** What the subscriber has been sent before a ping of its own. */
async function eventsUntilNow(listener: RespClient): Promise<string[]> {
  const events: string[] = [];
  listener.send("PING");
  for (;;) {
    const message = await listener.next();
    if (!Array.isArray(message)) throw new Error(`not a message: ${JSON.stringify(message)}`);
    if (message[0] === "pong") return events;
    const channel = String(message[2]);
    const shownAs = channel.startsWith("__sub") ? channel : channel.replace(/^.*:/, "");
    events.push(`${shownAs} ${message[3]}`.replaceAll("\n", "\\n"));
  }
}

function shown(reply: Buffer): string {
  return reply
    .toString("latin1")
    .replace(/\r\n$/, "")
    .replaceAll("\r\n", " ")
    .replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

if (import.meta.main) {
  const [port, path] = process.argv.slice(2);
  const file = Bun.file(path!);
  await Bun.write(file, await play(Number(port), await file.text()));
}
