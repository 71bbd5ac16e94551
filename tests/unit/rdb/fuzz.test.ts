/**
 * DUMP payloads with damage in them: RESTORE refuses each or makes a key of it, and then every command works on that
 * key without an exception, and on all others as before. REDBUN_SEED repeats a run, REDBUN_FUZZ makes it longer.
 */
import { expect, test } from "bun:test";
import { type Random, seeded } from "../bytes/random.ts";
import { join, payload, string, ziplist, zipmap } from "./payloads.ts";
import { Bench } from "./support.ts";

const ROUNDS = Number(process.env.REDBUN_FUZZ ?? 1500);

const COMMANDS: Record<string, string> = {
  string: "GET k|STRLEN k|GETRANGE k 1 5|APPEND k x|SETRANGE k 3 y|INCR k|SET k 1|INCR k",
  list:
    "LRANGE k 0 -1|LINDEX k 2|LINDEX k -2|LPOS k a|LPUSH k x|RPUSH k 5|LINSERT k BEFORE x y|LSET k 1 z|LREM k 2 x|" +
    "LTRIM k 0 -3|LPOP k|RPOP k 2|LRANGE k -3 -1|SORT k ALPHA",
  set:
    "SMEMBERS k|SCARD k|SISMEMBER k 1|SRANDMEMBER k 5|SRANDMEMBER k -5|SSCAN k 0 COUNT 5|SADD k 5 x 99999999999|SREM k 1 a|" +
    "SUNIONSTORE o k k|SINTER k o|SPOP k 2|SADD k longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong",
  hash:
    "HGETALL k|HLEN k|HGET k a|HKEYS k|HRANDFIELD k 3|HRANDFIELD k -3 WITHVALUES|HSCAN k 0|HSET k a 1 b 2|HINCRBY k a 5|" +
    "HDEL k a|HSTRLEN k b|HSET k longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong 1|HVALS k",
  zset:
    "ZRANGE k 0 -1 WITHSCORES|ZREVRANGE k 0 2|ZRANGEBYSCORE k -inf +inf LIMIT 1 2|ZRANGEBYLEX k - +|ZLEXCOUNT k [a [c|" +
    "ZADD k 5 a 7 zz|ZINCRBY k 2.5 a|ZRANK k a|ZSCORE k zz|ZCOUNT k 1 9|ZRANDMEMBER k 3|ZSCAN k 0|ZREM k a|ZPOPMIN k|" +
    "ZREMRANGEBYRANK k 0 1|ZADD k 1 longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong|" +
    "ZUNIONSTORE o 2 k k|ZREMRANGEBYSCORE k 0 3|ZPOPMAX k",
  stream:
    "XLEN k|XRANGE k - +|XREVRANGE k + - COUNT 3|XREAD COUNT 2 STREAMS k 0|XINFO STREAM k FULL|XINFO GROUPS k|" +
    "XPENDING k g|XPENDING k g - + 10|XREADGROUP GROUP g c COUNT 2 STREAMS k >|XREADGROUP GROUP g c STREAMS k 0|" +
    "XINFO CONSUMERS k g|XAUTOCLAIM k g d 0 0|XCLAIM k g e 0 2-0 3-0|XACK k g 2-0|XDEL k 2-0|XADD k * f v|XADD k * f v g w|" +
    "XTRIM k MAXLEN 2|XGROUP DELCONSUMER k g c|XSETID k 99999999999999-0|XGROUP DESTROY k g|XTRIM k MAXLEN 0",
  vectorset:
    "VINFO k|VCARD k|VSIM k VALUES 3 1 2 3 WITHSCORES WITHATTRIBS|VSIM k ELE a FILTER .n==1|VSIM k VALUES 3 0 0 1 TRUTH|" +
    "VADD k VALUES 3 1 -1 1 z|VADD k VALUES 3 3 2 1 a NOQUANT|VADD k REDUCE 3 VALUES 4 1 1 2 1 y BIN M 4|VEMB k a|VEMB k e1 RAW|" +
    "VLINKS k e1 WITHSCORES|VRANGE k - +|VRANDMEMBER k 5|VRANDMEMBER k -5|VSETATTR k e2 {}|VREM k a|VREM k e1|VREM k e3|VREM k e7",
};
const ALWAYS =
  "OBJECT ENCODING k|DUMP k|COPY k copied REPLACE|RENAME k moved|RENAME moved k|PEXPIRE k 100000|TYPE k";

/** Payloads' bodies to be damaged: every type, new and old. */
function bodies(): Uint8Array[] {
  const bench = new Bench();
  const run = (line: string) => bench.run(...line.split(" "));
  const many = Array.from({ length: 600 }, (_, i) => `m${i}`).join(" ");
  const scored = Array.from({ length: 600 }, (_, i) => `${i / 4} m${i}`).join(" ");
  run("SET s1 hello");
  run(`SET s2 ${"ab".repeat(50)}`);
  run("SET s3 70000");
  run("RPUSH l1 a b 5 300 hello");
  run(`RPUSH l2 ${many} ${"x".repeat(9000)}`);
  run("SADD e1 a b 7");
  run("SADD e2 1 2 70000");
  run(`SADD e3 ${many}`);
  run("HSET h1 a 1 b 2 c hello");
  run(`HSET h2 ${many}`);
  run("ZADD z1 1 a 2.5 b 3 7");
  run(`ZADD z2 ${scored}`);
  for (let i = 1; i < 8; i++) run(`XADD x1 ${i}-0 f ${i} g hello`);
  run("XDEL x1 3-0");
  run("XGROUP CREATE x1 g 0");
  run("XREADGROUP GROUP g c COUNT 3 STREAMS x1 >");
  run("XREADGROUP GROUP g d COUNT 1 STREAMS x1 >");
  for (let i = 1; i < 250; i++) run(`XADD x2 ${i}-0 ${i % 3 === 0 ? "other" : "f"} v${i}`);
  for (let i = 0; i < 60; i++) {
    const vector = `VALUES 3 ${i % 7} ${-i} ${i % 3}`;
    if (i < 4) run(`VADD v1 ${vector} e${i} SETATTR {"n":${i % 2}}`);
    run(`VADD v2 ${vector} e${i} NOQUANT M 4`);
    run(`VADD v3 REDUCE 3 VALUES 4 1 ${i} 5 2 e${i} BIN M 4`);
  }
  for (let i = 0; i < 60; i += 5) run(`VREM v2 e${i}`);
  const dumped = [
    "v1",
    "v2",
    "v3",
    "s1",
    "s2",
    "s3",
    "l1",
    "l2",
    "e1",
    "e2",
    "e3",
    "h1",
    "h2",
    "z1",
    "z2",
    "x1",
    "x2",
  ].flatMap((key) =>
    [true, false].map((rdbcompression) => {
      Object.assign(bench.config.values, { rdbcompression });
      const dump = bench.dump(key);
      return dump.slice(0, dump.length - 10);
    }),
  );
  const pairs = ziplist("a", 1, "b", 2.5 | 0, "c", 300);
  return [
    ...dumped,
    join(10, string(ziplist("a", 5, -1, 70000, "hello"))),
    join(14, 2, string(ziplist("a", 5)), string(ziplist("b", 300))),
    join(13, string(pairs)),
    join(12, string(pairs)),
    join(9, string(zipmap(["a", "1"], ["b", "2"]))),
    join(1, 3, string("a"), string("b"), string("c")),
    join(2, 3, string("a"), string("1"), string("2")),
    join(3, 2, string("a"), string("1.5"), string("b"), 254),
    join(4, 2, string("a"), string("1"), string("b"), string("2")),
    join(24, new Uint8Array(8), 1, 0, string("a"), string("1")),
    join(7, Uint8Array.fromHex("8100100d3cb1c2b800"), 1, 5, 0),
  ];
}

function damaged(body: Uint8Array, random: Random): Uint8Array {
  const bytes = body.slice();
  const hits = 1 + random.below(3);
  for (let i = 0; i < hits; i++) {
    // Near the beginning there is more to be misled by.
    const at = random.below(random.below(2) === 0 ? Math.min(bytes.length, 40) : bytes.length);
    switch (random.below(4)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes[at] = random.pick([0, 1, 127, 128, 129, 253, 254, 255, 0xc3, 0xf0, 0xf4]);
        break;
      default:
        bytes[at] = bytes[random.below(bytes.length)]!;
    }
  }
  if (random.below(8) === 0) return bytes.slice(0, random.below(bytes.length) + 1);
  return random.below(12) === 0 ? join(bytes, random.bytes(random.below(20))) : bytes;
}

test("damaged payloads", () => {
  const random = seeded("rdb-fuzz");
  const sound = bodies();
  const bench = new Bench();
  const canary = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(10));
  const limits = { ...bench.config.values };
  let made = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 100 === 0) {
      bench.run("FLUSHALL");
      for (const [i, value] of canary.entries()) bench.run("SET", `canary${i}`, value);
      bench.run("RPUSH", "canary", ...canary);
    }
    const small = random.below(4) === 0 ? { hashMaxListpackEntries: 2, zsetMaxListpackEntries: 2 } : {};
    Object.assign(bench.config.values, limits, small, {
      setMaxListpackEntries: random.below(4) === 0 ? 2 : 128,
      listCompressDepth: random.below(2),
      sanitizeDumpPayload: random.below(2) === 0 ? "no" : "yes",
    });
    const bytes = payload(damaged(random.pick(sound), random));
    const reply = bench.restore(bytes);
    if (reply !== "+OK\r\n") {
      expect(reply).toBe("-ERR Bad data format\r\n");
      continue;
    }
    made++;
    const type = bench.run("TYPE", "k").slice(1, -2);
    for (const line of `${ALWAYS}|${COMMANDS[type]}|${ALWAYS}|DEL k copied o`.split("|")) {
      try {
        bench.run(...line.split(" "));
      } catch (error) {
        const hex = Buffer.from(bytes).toString("hex");
        throw new Error(`${line} after ${hex}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
  for (const [i, value] of canary.entries()) expect(bench.run("GET", `canary${i}`)).toContain(value);
  expect(
    bench
      .run("LRANGE", "canary", "0", "-1")
      .split("\r\n")
      .filter((_, i) => i % 2 === 0 && i > 0),
  ).toEqual([...canary]);
  expect(made).toBeGreaterThan(ROUNDS / 20);
});
