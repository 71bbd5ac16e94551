/** Streams over a socket: who waits, what wakes them and with what, and the shape of replies in both protocols. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { startServer } from "../server.ts";
import { RawClient } from "./raw-client.ts";

const server = await startServer();
const clients: RawClient[] = [];

async function connect(): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  clients.push(client);
  return client;
}

const admin = await RawClient.open(server.port);

afterAll(async () => {
  admin.end();
  await server.stop();
});

beforeEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await blocked(0);
  await ask("+OK\r\n", "FLUSHALL");
});

/** Sends a command (words separated by blanks) and awaits exactly this reply. */
async function ask(reply: string, command: string, client = admin): Promise<void> {
  await client.command(...command.split(" "));
  await client.expect(reply);
}

/** Waits until so many clients wait. */
async function blocked(count: number): Promise<void> {
  for (;;) {
    await admin.command("INFO", "clients");
    const text = await admin.until((got) => got.endsWith("\r\n\r\n"));
    admin.takeText();
    if (text.includes(`blocked_clients:${count}\r\n`)) return;
  }
}

/** A client that has sent this command and waits. */
async function waiting(command: string, others = 0): Promise<RawClient> {
  const client = await connect();
  await client.command(...command.split(" "));
  await blocked(others + 1);
  return client;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function array(...items: string[]): string {
  return `*${items.length}\r\n${items.join("")}`;
}

function entry(id: string, ...texts: string[]): string {
  return array(bulk(id), array(...texts.map(bulk)));
}

/** The reply of XREAD about one stream. */
function read(key: string, ...entries: string[]): string {
  return array(array(bulk(key), array(...entries)));
}

const NOTHING = "*-1\r\n";

describe("XREAD waits", () => {
  test("for entries behind an ID", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS a b 5-5 0");
    await ask(bulk("5-5"), "XADD a 5-5 f v");
    await blocked(1);
    await ask(bulk("5-6"), "XADD a 5-6 f v");
    await client.expect(read("a", entry("5-6", "f", "v")));
    await blocked(0);
  });

  test("$ is the end of the stream when the command came", async () => {
    await ask(bulk("5-1"), "XADD s 5-1 f v");
    const client = await waiting("XREAD BLOCK 0 STREAMS s $");
    // The stream begins anew below the ID: that is not news.
    await ask(":1\r\n", "DEL s");
    await ask(bulk("3-1"), "XADD s 3-1 f v");
    await blocked(1);
    await ask(bulk("5-2"), "XADD s 5-2 f v");
    await client.expect(read("s", entry("5-2", "f", "v")));
    // The next command of the same session has another end.
    await client.command("XREAD", "BLOCK", "0", "STREAMS", "s", "$");
    await blocked(1);
    await ask(bulk("6-1"), "XADD s 6-1 f v");
    await client.expect(read("s", entry("6-1", "f", "v")));
  });

  test("$ does not outlive an UNBLOCK", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS s $");
    await ask(bulk("1-1"), "XADD t 1-1 f v");
    await admin.command("CLIENT", "LIST", "TYPE", "normal");
    const list = await admin.until((text) => text.includes("cmd=xread"));
    admin.takeText();
    const id = /id=(\d+) [^\n]*cmd=xread/.exec(list)![1]!;
    await ask(":1\r\n", `CLIENT UNBLOCK ${id} ERROR`);
    await client.expect("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    await ask(bulk("7-1"), "XADD s 7-1 f v");
    await client.command("XREAD", "BLOCK", "0", "STREAMS", "s", "$");
    await blocked(1);
    await ask(bulk("7-2"), "XADD s 7-2 f v");
    await client.expect(read("s", entry("7-2", "f", "v")));
  });

  test("for all that a transaction adds, and for nothing that is gone again", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS s $");
    await ask("+OK\r\n", "MULTI");
    for (const id of ["1-1", "1-2"]) await ask("+QUEUED\r\n", `XADD s ${id} f v`);
    await ask("+QUEUED\r\n", "XDEL s 1-1 1-2");
    await ask(array(bulk("1-1"), bulk("1-2"), ":2\r\n"), "EXEC");
    await blocked(1);
    await ask("+OK\r\n", "MULTI");
    for (const id of ["2-1", "2-2"]) await ask("+QUEUED\r\n", `XADD s ${id} f v`);
    await ask(array(bulk("2-1"), bulk("2-2")), "EXEC");
    await client.expect(read("s", entry("2-1", "f", "v"), entry("2-2", "f", "v")));
  });

  test("through values of other types", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS s 0");
    await ask("+OK\r\n", "SET s text");
    await ask(":1\r\n", "DEL s");
    await ask(":1\r\n", "LPUSH s element");
    await blocked(1);
    await ask(":1\r\n", "DEL s");
    await ask(bulk("1-1"), "XADD s 1-1 f v");
    await client.expect(read("s", entry("1-1", "f", "v")));
  });

  test("for streams that are renamed or copied to its key", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS s 0");
    await ask(bulk("1-1"), "XADD other 1-1 f v");
    await ask("+OK\r\n", "RENAME other s");
    await client.expect(read("s", entry("1-1", "f", "v")));
    const second = await waiting("XREAD BLOCK 0 STREAMS t 0");
    await ask(":1\r\n", "COPY s t");
    await second.expect(read("t", entry("1-1", "f", "v")));
  });

  test("and all who do are served", async () => {
    const first = await waiting("XREAD BLOCK 0 STREAMS s $");
    const second = await waiting("XREAD COUNT 5 BLOCK 0 STREAMS t s 0 0", 1);
    await ask(bulk("1-1"), "XADD s 1-1 f v");
    for (const client of [first, second]) await client.expect(read("s", entry("1-1", "f", "v")));
  });

  test("until its time is over, and not at all in a transaction", async () => {
    const client = await connect();
    await ask(NOTHING, "XREAD BLOCK 1 STREAMS s $", client);
    await ask("+OK\r\n", "MULTI", client);
    await ask("+QUEUED\r\n", "XREAD BLOCK 0 STREAMS s 0", client);
    await ask(array(NOTHING), "EXEC", client);
    await ask("-ERR timeout is negative\r\n", "XREAD BLOCK -1 STREAMS s $", client);
    await ask("-ERR timeout is not an integer or out of range\r\n", "XREAD BLOCK 0.5 STREAMS s $", client);
  });
});

describe("XREADGROUP waits", () => {
  const GONE = (key: string) =>
    `-NOGROUP No such key '${key}' or consumer group 'g' in XREADGROUP with GROUP option\r\n`;

  beforeEach(() => ask("+OK\r\n", "XGROUP CREATE s g $ MKSTREAM"));

  test("in order: each entry goes to one", async () => {
    const first = await waiting("XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    const second = await waiting("XREADGROUP GROUP g b BLOCK 0 STREAMS s >", 1);
    await ask(bulk("1-1"), "XADD s 1-1 f v");
    await first.expect(read("s", entry("1-1", "f", "v")));
    await blocked(1);
    await ask(bulk("1-2"), "XADD s 1-2 f v");
    await second.expect(read("s", entry("1-2", "f", "v")));
    await ask(
      array(
        ":2\r\n",
        bulk("1-1"),
        bulk("1-2"),
        array(array(bulk("a"), bulk("1")), array(bulk("b"), bulk("1"))),
      ),
      "XPENDING s g",
    );
  });

  for (const [what, command, reply] of [
    ["its key is deleted", "DEL s", ":1\r\n"],
    ["its group is destroyed", "XGROUP DESTROY s g", ":1\r\n"],
    ["its key is renamed", "RENAME s other", "+OK\r\n"],
    ["all keys go", "FLUSHALL", "+OK\r\n"],
  ] as const)
    test(`until ${what}`, async () => {
      const client = await waiting("XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
      await ask(reply, command);
      await client.expect(GONE("s"));
    });

  test("until its key has another type", async () => {
    const client = await waiting("XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    await ask("+OK\r\n", "SET s text");
    await client.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  });

  test("but not for its own history", async () => {
    const client = await connect();
    await ask(read("s"), "XREADGROUP GROUP g a BLOCK 0 STREAMS s 0", client);
    await ask(NOTHING, "XREADGROUP GROUP g a BLOCK 1 STREAMS s >", client);
  });
});

describe("replies in RESP3", () => {
  const map = (...pairs: string[]) => `%${pairs.length / 2}\r\n${pairs.join("")}`;

  async function modern(): Promise<RawClient> {
    const client = await connect();
    await client.command("HELLO", "3");
    await client.until((text) => text.includes("modules"));
    client.takeText();
    return client;
  }

  test("XREAD is a map of streams, whether it waited or not", async () => {
    const client = await modern();
    await ask("_\r\n", "XREAD STREAMS s 0", client);
    await ask("_\r\n", "XREAD BLOCK 1 STREAMS s 0", client);
    await client.command("XREAD", "BLOCK", "0", "STREAMS", "s", "t", "0", "0");
    await blocked(1);
    await ask(bulk("1-1"), "XADD s 1-1 f v");
    const reply = map(bulk("s"), array(entry("1-1", "f", "v")));
    await client.expect(reply);
    await ask(reply, "XREAD STREAMS s 0", client);
    await ask("_\r\n", "XRANGE s - + COUNT 0", client);
    await ask("_\r\n", "XADD none NOMKSTREAM * f v", client);
  });

  test("XINFO and XPENDING", async () => {
    const client = await modern();
    await ask("+OK\r\n", "XGROUP CREATE s g 7-7 MKSTREAM", client);
    await ask(array(":0\r\n", "_\r\n", "_\r\n", "_\r\n"), "XPENDING s g", client);
    await ask(bulk("9-1"), "XADD s 9-1 f v", client);
    await ask(
      array(
        map(
          ...[bulk("name"), bulk("g"), bulk("consumers"), ":0\r\n", bulk("pending"), ":0\r\n"],
          ...[bulk("last-delivered-id"), bulk("7-7"), bulk("entries-read"), "_\r\n", bulk("lag"), ":1\r\n"],
        ),
      ),
      "XINFO GROUPS s",
      client,
    );
    await client.command("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
    await client.expect(map(bulk("s"), array(entry("9-1", "f", "v"))));
    await ask(":1\r\n", "XDEL s 9-1", client);
    await client.command("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0");
    await client.expect(map(bulk("s"), array(array(bulk("9-1"), "_\r\n"))));
  });
});

describe("limits", () => {
  test("directives are obeyed when they are changed", async () => {
    const nodes = async () => {
      await admin.command("XINFO", "STREAM", "s");
      const text = await admin.until((got) =>
        /last-entry\r\n\*2\r\n.*\*2\r\n.*\r\n.*\r\n.*\r\n.*\r\n$/s.test(got),
      );
      admin.takeText();
      return Number(/radix-tree-keys\r\n:(\d+)/.exec(text)![1]);
    };
    const add = async (count: number) => {
      for (let i = 0; i < count; i++) await admin.command("XADD", "s", "*", "f", "v");
      await admin.until((text) => text.split("\r\n").length > count * 2);
      admin.takeText();
    };
    await add(150);
    expect(await nodes()).toBe(2);
    await ask("+OK\r\n", "CONFIG SET stream-node-max-entries 10");
    await add(100);
    expect(await nodes()).toBe(2 + 10);
    await ask("+OK\r\n", "CONFIG SET stream-node-max-entries 0 stream-node-max-bytes 100");
    await add(100);
    expect(await nodes()).toBeGreaterThan(20);
    await ask("+OK\r\n", "CONFIG SET stream-node-max-entries 100 stream-node-max-bytes 4096");
  });

  test("an entry of a megabyte", async () => {
    const long = "x".repeat(1 << 20);
    await admin.command("XADD", "s", "1-1", "field", long);
    await admin.expect(bulk("1-1"));
    await ask(bulk("1-2"), "XADD s 1-2 field short");
    await ask(array(entry("1-2", "field", "short"), entry("1-1", "field", long)), "XREVRANGE s + -");
  });
});

describe("XREADGROUP CLAIM waits for what is left alone, and for what is new", () => {
  const delivered = async () => {
    await ask(bulk("1-1"), "XADD s 1-1 a b");
    await ask("+OK\r\n", "XGROUP CREATE s g 0");
    await ask(array(array(bulk("s"), array(entry("1-1", "a", "b")))), "XREADGROUP GROUP g c STREAMS s >");
  };

  test("a pending entry becomes old enough", async () => {
    const before = Date.now();
    await delivered();
    // On a busy machine it may be old enough when the command comes: then it need not wait.
    const client = await connect();
    await client.command(..."XREADGROUP GROUP g d BLOCK 0 CLAIM 100 STREAMS s >".split(" "));
    await client.until((got) => got.endsWith(":1\r\n"));
    expect(Date.now() - before).toBeGreaterThanOrEqual(99);
    const text = client.takeText();
    expect(text).toMatch(
      /^\*1\r\n\*2\r\n\$1\r\ns\r\n\*1\r\n\*4\r\n\$3\r\n1-1\r\n\*2\r\n\$1\r\na\r\n\$1\r\nb\r\n:\d+\r\n:1\r\n$/,
    );
    expect(Number(/:(\d+)\r\n:1\r\n$/.exec(text)![1])).toBeGreaterThanOrEqual(100);
    await blocked(0);
  });

  test("a new entry comes first", async () => {
    await delivered();
    const client = await waiting("XREADGROUP GROUP g d BLOCK 0 CLAIM 1000000 STREAMS s >");
    await ask(bulk("2-1"), "XADD s 2-1 c d");
    const news = `*4\r\n${bulk("2-1")}${array(bulk("c"), bulk("d"))}:0\r\n:0\r\n`;
    await client.expect(array(array(bulk("s"), array(news))));
  });

  test("XREAD waits for the last entry of a stream that is empty", async () => {
    const client = await waiting("XREAD BLOCK 0 STREAMS s +");
    await ask("+OK\r\n", "MULTI");
    await ask("+QUEUED\r\n", "XADD s 1-1 a b");
    await ask("+QUEUED\r\n", "XADD s 1-2 c d");
    await ask(array(bulk("1-1"), bulk("1-2")), "EXEC");
    await client.expect(array(array(bulk("s"), array(entry("1-2", "c", "d")))));
  });
});
