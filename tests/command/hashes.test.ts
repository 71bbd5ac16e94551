/** Hash commands beyond 7.2, which no oracle here knows: replies of Redis 7.4 and 8.0, error sentences of 8.8. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer();
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});
beforeEach(async () => {
  await client.call("FLUSHALL");
});

/** Relative times left that are about 100 seconds become 100: some time passes between commands. */
const about100 = (reply: Reply) => (reply as number[]).map((left) => (left > 60 && left <= 101 ? 100 : left));

const ask = (line: string) => client.call(...line.split(" "));

/** Commands with the error that each must reply. */
async function refused(table: Record<string, string>): Promise<void> {
  for (const [line, sentence] of Object.entries(table))
    expect([line, await ask(line)]).toEqual([line, new ReplyError(sentence)]);
}

const MISSING = "ERR Mandatory argument FIELDS is missing or not at the right position";
const TOO_FEW = "ERR wrong number of arguments";
const MISMATCH = "ERR The `numfields` parameter must match the number of arguments";
const POSITIVE = "ERR Number of fields must be a positive integer";
const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

describe("HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT", () => {
  test("set, refuse by condition, delete", async () => {
    await ask("HSET h a 1 b 2 c 3");
    expect(await ask("HEXPIRE h 100 FIELDS 2 a x")).toEqual([1, -2]);
    expect(await ask("HPEXPIRE h 200000 NX FIELDS 2 a b")).toEqual([0, 1]);
    expect(await ask("HEXPIRE h 150 XX FIELDS 2 a c")).toEqual([1, 0]);
    expect(await ask("HEXPIRE h 160 GT FIELDS 3 a b c")).toEqual([1, 0, 0]);
    expect(await ask("HEXPIRE h 170 LT FIELDS 3 a b c")).toEqual([0, 1, 1]);
    expect(await ask("HEXPIREAT h 1 FIELDS 2 a a")).toEqual([2, -2]);
    expect(await ask("HPEXPIREAT h 0 FIELDS 1 b")).toEqual([2]);
    expect(await ask("HGETALL h")).toEqual(["c", "3"]);
    expect(await ask("HEXPIRE missing 10 FIELDS 2 a b")).toEqual([-2, -2]);
    expect(await ask("HPEXPIRE h 1 FIELDS 1 c")).toEqual([1]);
    while ((await ask("EXISTS h")) === 1);
  });

  test("errors", async () => {
    await ask("HSET h a 1");
    await ask("SET s v");
    await refused({
      "HEXPIRE s 10 FIELDS 1 a": WRONG_TYPE,
      "HEXPIRE h x FIELDS 1 a": "ERR value is not an integer or out of range",
      "HEXPIRE h -1 FIELDS 1 a": "ERR invalid expire time, must be >= 0",
      "HEXPIRE h 70368744177664 FIELDS 1 a": "ERR invalid expire time in 'hexpire' command",
      "HPEXPIRE h 70368744177663 FIELDS 1 a": "ERR invalid expire time in 'hpexpire' command",
      "HEXPIREAT h 70368744178 FIELDS 1 a": "ERR invalid expire time in 'hexpireat' command",
      "HPEXPIREAT h 70368744177664 FIELDS 1 a": "ERR invalid expire time in 'hpexpireat' command",
      "HEXPIRE h 10 FIELDS 0 a": "ERR Parameter `numFields` should be greater than 0",
      "HEXPIRE h 10 FIELDS x a": "ERR Parameter `numFields` should be greater than 0",
      "HEXPIRE h 10 FIELDS 2 a": TOO_FEW,
      "HEXPIRE h 10 FIELDS 1 a b": "ERR unknown argument: b",
      "HEXPIRE h 10 NX XX FIELDS 1 a": "ERR Multiple condition flags specified",
      "HEXPIRE h 10 1 a b": "ERR unknown argument: 1",
      "HEXPIRE h 10 FIELDS 1": "ERR wrong number of arguments for 'hexpire' command",
    });
    expect(await ask("HPEXPIREAT h 70368744177663 FIELDS 1 a")).toEqual([1]);
    expect(await ask("HPEXPIRETIME h FIELDS 1 a")).toEqual([70368744177663]);
  });

  test("setting a value takes the expiry away, incrementing keeps it", async () => {
    await ask("HSET h a 1 b 2 c 3");
    await ask("HEXPIRE h 100 FIELDS 3 a b c");
    await ask("HSET h a 2");
    await ask("HINCRBY h b 1");
    await ask("HINCRBYFLOAT h c 0.5");
    expect(about100(await ask("HTTL h FIELDS 3 a b c"))).toEqual([-1, 100, 100]);
    expect(await ask("HMGET h a b c")).toEqual(["2", "3", "3.5"]);
  });
});

describe("HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME, HPERSIST", () => {
  test("tell and take away", async () => {
    await ask("HSET h a 1 b 2");
    await ask("HPEXPIREAT h 4102444800123 FIELDS 1 a");
    expect(await ask("HPEXPIRETIME h FIELDS 3 a b x")).toEqual([4102444800123, -1, -2]);
    expect(await ask("HEXPIRETIME h FIELDS 1 a")).toEqual([4102444801]);
    const [left] = (await ask("HPTTL h FIELDS 1 a")) as number[];
    expect(Math.abs(4102444800123 - Date.now() - left!)).toBeLessThan(30_000);
    const [seconds] = (await ask("HTTL h FIELDS 1 a")) as number[];
    expect(Math.abs(left! / 1000 - seconds!)).toBeLessThan(30);
    expect(await ask("HPERSIST h FIELDS 3 a b x")).toEqual([1, -1, -2]);
    expect(await ask("HTTL h FIELDS 1 a")).toEqual([-1]);
    for (const name of ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"])
      expect(await ask(`${name} missing FIELDS 2 a b`)).toEqual([-2, -2]);
  });

  test("errors", async () => {
    await ask("HSET h a 1");
    await ask("SET s v");
    for (const name of ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"])
      await refused({
        [`${name} s FIELDS 1 a`]: WRONG_TYPE,
        [`${name} h 1 a b`]: MISSING,
        [`${name} h FIELDS 0 a`]: POSITIVE,
        [`${name} h FIELDS x a`]: POSITIVE,
        [`${name} h FIELDS 2 a`]: MISMATCH,
        [`${name} h FIELDS 1`]: `ERR wrong number of arguments for '${name.toLowerCase()}' command`,
      });
  });
});

describe("HGETDEL, HGETEX, HSETEX", () => {
  test("HGETDEL", async () => {
    await ask("HSET h a 1 b 2");
    expect(await ask("HGETDEL h FIELDS 3 a x a")).toEqual(["1", null, null]);
    expect(await ask("HGETDEL missing FIELDS 1 a")).toEqual([null]);
    expect(await ask("HGETDEL h FIELDS 1 b")).toEqual(["2"]);
    expect(await ask("EXISTS h")).toBe(0);
    await ask("HSET h a 1");
    await ask("SET s v");
    await refused({
      "HGETDEL s FIELDS 1 a": WRONG_TYPE,
      "HGETDEL h 1 a b": MISSING,
      "HGETDEL h FIELDS 0 a": POSITIVE,
      "HGETDEL h FIELDS 2 a": MISMATCH,
    });
  });

  test("HGETEX", async () => {
    await ask("HSET h a 1 b 2");
    expect(await ask("HGETEX h FIELDS 2 a x")).toEqual(["1", null]);
    expect(await ask("HGETEX h PXAT 4102444800123 FIELDS 2 a x")).toEqual(["1", null]);
    expect(await ask("HPEXPIRETIME h FIELDS 2 a b")).toEqual([4102444800123, -1]);
    expect(await ask("HGETEX h PERSIST FIELDS 2 a b")).toEqual(["1", "2"]);
    expect(await ask("HPEXPIRETIME h FIELDS 2 a b")).toEqual([-1, -1]);
    for (const time of ["EX 100", "PX 100000", `EXAT ${Math.ceil(Date.now() / 1000) + 100}`]) {
      await ask(`HGETEX h ${time} FIELDS 1 a`);
      expect(about100(await ask("HTTL h FIELDS 1 a"))).toEqual([100]);
    }
    expect(await ask("HGETEX h EX 0 FIELDS 1 a")).toEqual(["1"]);
    expect(await ask("HGETALL h")).toEqual(["b", "2"]);
    expect(await ask("HGETEX missing EX 10 FIELDS 2 a b")).toEqual([null, null]);
    await ask("SET s v");
    await refused({
      "HGETEX s FIELDS 1 a": WRONG_TYPE,
      "HGETEX h EX x FIELDS 1 a": "ERR value is not an integer or out of range",
      "HGETEX h EX -1 FIELDS 1 a": "ERR invalid expire time, must be >= 0",
      "HGETEX h EX 70368744177664 FIELDS 1 a": "ERR invalid expire time in 'hgetex' command",
      "HGETEX h EX 10 PX 10 FIELDS 1 a":
        "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
      "HGETEX h EX 10 FIELDS": "ERR wrong number of arguments for 'hgetex' command",
      "HGETEX h KEEPTTL FIELDS 1 a": "ERR unknown argument: KEEPTTL",
      "HGETEX h FIELDS 0 a": "ERR invalid number of fields",
      "HGETEX h FIELDS 2 a": TOO_FEW,
    });
  });

  test("HSETEX", async () => {
    expect(await ask("HSETEX h FXX FIELDS 1 a 1")).toBe(0);
    expect(await ask("EXISTS h")).toBe(0);
    expect(await ask("HSETEX h FNX EX 100 FIELDS 2 a 1 b 2")).toBe(1);
    expect(about100(await ask("HTTL h FIELDS 2 a b"))).toEqual([100, 100]);
    expect(await ask("HSETEX h FNX FIELDS 2 new 1 a 2")).toBe(0);
    expect(await ask("HSETEX h FXX FIELDS 2 new 1 a 2")).toBe(0);
    expect(await ask("HLEN h")).toBe(2);
    expect(await ask("HMGET h a b new")).toEqual(["1", "2", null]);
    expect(await ask("HSETEX h FXX KEEPTTL FIELDS 1 a 3")).toBe(1);
    expect(await ask("HSETEX h FIELDS 1 b 4")).toBe(1);
    expect(about100(await ask("HTTL h FIELDS 2 a b"))).toEqual([100, -1]);
    expect(await ask("HMGET h a b")).toEqual(["3", "4"]);
    expect(await ask("HSETEX h PXAT 4102444800123 FIELDS 1 c 5")).toBe(1);
    expect(await ask("HPEXPIRETIME h FIELDS 1 c")).toEqual([4102444800123]);
    expect(await ask("HSETEX h EXAT 1 FIELDS 2 a 1 c 2")).toBe(1);
    expect(await ask("HGETALL h")).toEqual(["b", "4"]);
    await ask("SET s v");
    const arity = "ERR wrong number of arguments for 'hsetex' command";
    const one = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
    await refused({
      "HSETEX s FIELDS 1 a 1": WRONG_TYPE,
      "HSETEX s FIELDS 2 a 1": TOO_FEW,
      "HSETEX h FIELDS 1 a": arity,
      "HSETEX h FIELDS 1 a 1 b": "ERR unknown argument: b",
      "HSETEX h FIELDS 1 a 1 b 2": "ERR unknown argument: b",
      "HSETEX h FIELDS 0 a 1": "ERR invalid number of fields",
      "HSETEX h FIELDS x a 1": "ERR invalid number of fields",
      "HSETEX h EX 10 PX 10 FIELDS 1 a 1": one,
      "HSETEX h KEEPTTL EX 10 FIELDS 1 a 1": one,
      "HSETEX h FNX FXX FIELDS 1 a 1": "ERR Only one of FXX or FNX arguments can be specified",
      "HSETEX h NX FIELDS 1 a 1": "ERR unknown argument: NX",
      "HSETEX h EX -1 FIELDS 1 a 1": "ERR invalid expire time, must be >= 0",
      "HSETEX h EX 70368744177664 FIELDS 1 a 1": "ERR invalid expire time in 'hsetex' command",
      "HSETEX h FNX KEEPTTL FXX 1 a": "ERR Only one of FXX or FNX arguments can be specified",
      "HSETEX h FNX KEEPTTL a 1": "ERR unknown argument: a",
      "HSETEX h FNX KEEPTTL FIELDS 1": TOO_FEW,
    });
  });
});

test("WATCH sees a field expire", async () => {
  const other = await RespClient.open(server.port);
  await ask("HSET h a 1 b 2");
  await ask("HPEXPIRE h 20 FIELDS 1 a");
  await ask("WATCH h");
  while ((await other.call("HLEN", "h")) === 2);
  await ask("MULTI");
  await ask("SET k v");
  expect(await ask("EXEC")).toBeNull();
  other.close();
});

test("RESP3: pairs of HRANDFIELD and HGETALL as a map", async () => {
  const third = await RespClient.open(server.port);
  await third.call("HELLO", "3");
  await third.call("HSET", "h", "a", "1");
  expect(await third.call("HRANDFIELD", "h", "-2", "WITHVALUES")).toEqual([
    ["a", "1"],
    ["a", "1"],
  ]);
  expect(await third.call("HGETALL", "h")).toEqual({ a: "1" });
  expect(await third.call("HGETEX", "h", "FIELDS", "2", "a", "x")).toEqual(["1", null]);
  third.close();
});

test("the AOF has HDEL for fields that expired, and absolute times", async () => {
  const appending = await startServer(["--appendonly", "yes", "--enable-debug-command", "yes"]);
  const writer = await RespClient.open(appending.port);
  await writer.call("HSET", "h", "a", "1", "b", "2", "c", "3");
  await writer.call("HPEXPIRE", "h", "20", "FIELDS", "1", "a");
  await writer.call("HPEXPIREAT", "h", "4102444800123", "FIELDS", "1", "b");
  while ((await writer.call("HLEN", "h")) === 3);
  await writer.call("HSET", "h", "a", "again");
  expect(await writer.call("DEBUG", "LOADAOF")).toBe("OK");
  expect(await writer.call("HMGET", "h", "a", "b", "c")).toEqual(["again", "2", "3"]);
  expect(await writer.call("HPEXPIRETIME", "h", "FIELDS", "3", "a", "b", "c")).toEqual([
    -1, 4102444800123, -1,
  ]);
  writer.close();
  await appending.stop();
});
