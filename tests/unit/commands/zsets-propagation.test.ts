/** What the commands on sorted sets hand on to the AOF and replicas. The commands run in this process. */
import { expect, test } from "bun:test";
import type { Blocking } from "../../../src/blocking/blocking.ts";
import type { Call } from "../../../src/call/call.ts";
import { Registry } from "../../../src/call/registry.ts";
import { geoCommands } from "../../../src/commands/geo.ts";
import { zsetCommands } from "../../../src/commands/zsets.ts";
import { Config } from "../../../src/config/config.ts";
import { Random } from "../../../src/host/random.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Request } from "../../../src/resp/request.ts";
import { bytesOf } from "../bytes/random.ts";
import { testContext } from "../keyspace/support.ts";
import { Recorder } from "./recorder.ts";

const context = testContext();
const keyspace = new Keyspace(context, 16);
const config = new Config();
/** The keys waited for, of a command that waits. */
let awaited: readonly number[] | null = null;
const blocking = {
  onKeys: (_call: Call, keys: readonly number[]) => {
    awaited = keys;
  },
} as unknown as Blocking;
const deps = { config, random: new Random(1), blocking };
const registry = new Registry([...zsetCommands(deps), ...geoCommands(deps)]);

const recorder = new Recorder(context.clock);
const { call, executor } = recorder;

/** Commands, run one after the other on an empty data set, and what each must propagate. */
function check(table: readonly (readonly [string, string])[]): void {
  keyspace.flushAll();
  const actual = table.map(([line]) => {
    recorder.recorded = [];
    call.load(Request.of(line.split(" ").map(bytesOf)));
    call.db = keyspace.select(0);
    call.reply.clear();
    executor.execute(call, registry.lookup(call)!);
    return [line, recorder.lines.join("; ")];
  });
  expect(actual).toEqual(table.map(([line, effect]) => [line, effect]));
}

for (const entries of ["128", "0"]) {
  test(`sorted sets, zset-max-listpack-entries ${entries}`, () => {
    config.assign("zsetMaxListpackEntries", Number(entries));
    check([
      ["ZADD z 1 a 2 b 3 c 4 d 5 e", "ZADD z 1 a 2 b 3 c 4 d 5 e"],
      ["ZADD z 1 a", ""],
      ["ZADD z NX 9 a", ""],
      ["ZADD z XX 9 nobody", ""],
      ["ZADD z GT CH 0 a 7 b", "ZADD z GT CH 0 a 7 b"],
      ["ZADD z INCR 0 a", ""],
      ["ZADD z INCR 1 a", "ZADD z INCR 1 a"],
      ["ZADD z INCR GT -1 a", ""],
      ["ZADD z x a", ""],
      ["ZADD none XX 1 a", ""],
      ["ZINCRBY z 1.5 a", "ZINCRBY z 1.5 a"],
      ["ZINCRBY z 0 a", ""],
      ["ZREM z nobody", ""],
      ["ZREM z e nobody", "ZREM z e nobody"],
      ["ZRANGE z 0 -1", ""],
      ["ZPOPMIN z", "ZPOPMIN z"],
      ["ZPOPMIN z 0", ""],
      ["ZPOPMIN none", ""],
      ["ZPOPMAX z 2", "ZPOPMAX z 2"],
      ["ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g"],
      ["ZMPOP 2 none z MIN", "ZPOPMIN z 1"],
      ["ZMPOP 1 z MAX COUNT 2", "ZPOPMAX z 2"],
      ["ZMPOP 1 none MAX", ""],
      ["BZPOPMIN none z 0", "ZPOPMIN z"],
      ["BZPOPMAX z 0", "ZPOPMAX z"],
      ["BZPOPMAX none 0", ""],
      ["BZMPOP 0 1 z MIN COUNT 100", "ZPOPMIN z 2"],
      ["BZMPOP 0 1 z MIN COUNT 100", ""],
      ["ZADD z 1 a 2 b 3 c 4 d", "ZADD z 1 a 2 b 3 c 4 d"],
      ["ZREMRANGEBYRANK z 5 6", ""],
      ["ZREMRANGEBYRANK z 0 0", "ZREMRANGEBYRANK z 0 0"],
      ["ZREMRANGEBYSCORE z 9 9", ""],
      ["ZREMRANGEBYSCORE z 2 2", "ZREMRANGEBYSCORE z 2 2"],
      ["ZREMRANGEBYLEX z [x [y", ""],
      ["ZREMRANGEBYLEX z [c [c", "ZREMRANGEBYLEX z [c [c"],
      ["ZRANGESTORE d z 0 -1", "ZRANGESTORE d z 0 -1"],
      ["ZRANGESTORE d z 5 6", "ZRANGESTORE d z 5 6"],
      ["ZRANGESTORE d z 5 6", ""],
      ["ZUNIONSTORE d 1 z", "ZUNIONSTORE d 1 z"],
      ["ZINTERSTORE d 2 z none", "ZINTERSTORE d 2 z none"],
      ["ZINTERSTORE d 2 z none", ""],
      ["ZDIFFSTORE d 1 z", "ZDIFFSTORE d 1 z"],
      ["ZADD e 7 a 8 b", "ZADD e 7 a 8 b"],
      ["ZUNIONSTORE f 2 e e AGGREGATE COUNT WEIGHTS 1 0.5", "DEL f; ZADD f 1.5 a 1.5 b"],
      ["ZINTERSTORE f 2 e none AGGREGATE COUNT", "ZINTERSTORE f 2 e none AGGREGATE COUNT"],
      ["ZUNION 2 z d", ""],
      ["ZINTERCARD 2 z d", ""],
      ["ZRANDMEMBER z 2", ""],
      ["ZSCAN z 0", ""],
    ]);
  });
}

test("positions are propagated as scores", () => {
  config.assign("zsetMaxListpackEntries", 128);
  check([
    ["GEOADD g 13.361389 38.115556 Palermo", "ZADD g 3479099956230698 Palermo"],
    ["GEOADD g 13.361389 38.115556 Palermo", ""],
    [
      "GEOADD g CH NX 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
      "ZADD g CH NX 3479099956230698 Palermo 3479447370796909 Catania",
    ],
    ["GEOADD g XX 1 1 nobody", ""],
    ["GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km", ""],
    [
      "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km",
      "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km",
    ],
    ["GEORADIUS g 15 37 200 km", ""],
    ["GEORADIUS g 15 37 200 km STORE d", "GEORADIUS g 15 37 200 km STORE d"],
    ["GEORADIUS g 15 37 1 m STORE d", "GEORADIUS g 15 37 1 m STORE d"],
    ["GEORADIUS g 15 37 1 m STORE d", ""],
    ["GEORADIUSBYMEMBER g Palermo 200 km STOREDIST d", "GEORADIUSBYMEMBER g Palermo 200 km STOREDIST d"],
  ]);
});

test("a command that waits names its keys", () => {
  check([["BZPOPMIN a b 0", ""]]);
  expect(awaited).toEqual([1, 2]);
  check([["BZMPOP 0 3 a b c MAX", ""]]);
  expect(awaited).toEqual([3, 4, 5]);
});
