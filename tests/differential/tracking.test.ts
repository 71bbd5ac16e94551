/**
 * Client-side caching: the same commands of three clients on both servers; all that each of them receives, replies and
 * pushes in their order, must be the same bytes.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { oracleIsOlder, Pair } from "./lib/pair.ts";
import { splitLine } from "./lib/script.ts";
import { encode, show } from "./lib/wire.ts";
import { TRACKING } from "./scripts/tracking.ts";

/** A connection that takes what it has received up to a mark. */
class Tap {
  private received = Buffer.alloc(0);
  private arrived: () => void = () => {};
  private socket!: Bun.Socket<undefined>;
  private marks = 0;
  id = "";

  static async open(port: number): Promise<Tap> {
    const tap = new Tap();
    tap.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => {
          tap.received = Buffer.concat([tap.received, chunk]);
          tap.arrived();
        },
      },
    });
    tap.id = (await tap.call(["CLIENT", "ID"])).slice(1, -2);
    return tap;
  }

  /** What is received until the commands have been answered, and all pushes that were under way with it. */
  async call(...commands: string[][]): Promise<string> {
    const mark = `mark${++this.marks}`;
    this.socket.write(Buffer.concat([...commands, ["PING", mark]].map(encode)));
    for (;;) {
      const at = this.received.indexOf(mark);
      if (at >= 0 && this.received.length >= at + mark.length + 2) {
        const text = this.received.toString("latin1", 0, at);
        this.received = this.received.subarray(at + mark.length + 2);
        // Without the head of the mark itself, a bulk string or, of a listener in RESP2, an array.
        return text.replace(/(\*2\r\n\$4\r\npong\r\n)?\$\d+\r\n$/, "");
      }
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    }
  }

  close(): void {
    this.socket.end();
  }
}

/** What each client has received with each line. */
async function run(port: number, script: string): Promise<string[]> {
  const taps = new Map<string, Tap>();
  for (const name of ["A", "B", "C"]) taps.set(name, await Tap.open(port));
  const ids = [...taps].map(([name, { id }]) => [name, id] as const);
  const shown = (text: string) =>
    show(
      Buffer.from(
        ids.reduce((so, [name, id]) => so.replaceAll(`:${id}\r\n`, `:@${name}\r\n`), text),
        "latin1",
      ),
    );
  await taps.get("C")!.call(["FLUSHALL"]);
  await taps.get("C")!.call(["CONFIG", "SET", "tracking-table-max-keys", "1000000"]);
  const seen: string[] = [];
  for (const raw of script.split("\n")) {
    const line = raw.trim();
    if (line === "") continue;
    const [name, ...words] = splitLine(line);
    const commands: string[][] = [[]];
    for (const word of words)
      if (word === ";") commands.push([]);
      else commands.at(-1)!.push(ids.reduce((so, [each, id]) => so.replace(`@${each}`, id), word));
    if (words[0] === "close") {
      taps.get(name!)!.close();
      taps.delete(name!);
      const gone = ids.find(([each]) => each === name)![1];
      while ((await taps.get("C")!.call(["CLIENT", "LIST", "ID", gone])).includes("id="));
      continue;
    }
    const own = await taps.get(name!)!.call(...commands);
    // HELLO tells the version.
    seen.push(words[0] === "HELLO" ? line : `${line}: ${shown(own)}`);
    for (const [other, tap] of taps) {
      const text = await tap.call();
      if (text !== "") seen.push(`    ${other}: ${shown(text)}`);
    }
  }
  for (const tap of taps.values()) tap.close();
  return seen;
}

const pair = findOracle() === null ? null : await Pair.start();

describeWithOracle("differential tracking", () => {
  afterAll(() => pair?.stop());
  for (const [name, script] of Object.entries(TRACKING)) {
    if (oracleIsOlder && name.startsWith("needs 7.2"))
      test.skip(`${name} [needs redis-server 7.2]`, () => {});
    else
      test(name, async () => {
        const theirs = await run(pair!.oracle.port, script);
        const ours = await run(pair!.subject.port, script);
        expect(ours).toEqual(theirs);
      });
  }
});
