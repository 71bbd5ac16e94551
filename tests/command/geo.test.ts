/** The GEO commands over a socket. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;

beforeAll(async () => {
  server = await startServer();
  client = await RespClient.open(server.port);
});

beforeEach(async () => {
  await client.call("FLUSHALL");
  await client.call("HELLO", "2");
  await call("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
});

afterAll(async () => {
  client.close();
  await server.stop();
});

const call = (line: string) => client.call(...line.split(" "));

test("positions and distances", async () => {
  expect(await call("GEOADD Sicily CH 12.758489 38.788135 edge 13.361389 38.115556 Palermo")).toBe(1);
  expect(await call("GEOPOS Sicily Palermo nobody")).toEqual([
    ["13.36138933897018433", "38.11555639549629859"],
    null,
  ]);
  expect(await call("GEOHASH Sicily Palermo nobody Catania")).toEqual(["sqc8b49rny0", null, "sqdtr74hyu0"]);
  expect(await call("GEODIST Sicily Palermo Catania")).toBe("166274.1516");
  expect(await call("GEODIST Sicily Palermo Catania mi")).toBe("103.3182");
  expect(await call("GEODIST Sicily Palermo nobody")).toBeNull();
  await call("HELLO 3");
  expect(await call("GEOPOS Sicily Palermo nobody")).toEqual([[13.361389338970184, 38.1155563954963], null]);
  expect(await call("GEODIST Sicily Palermo Catania")).toBe("166274.1516");
});

test("searches", async () => {
  expect(await call("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC")).toEqual(["Catania", "Palermo"]);
  expect(
    await call(
      "GEOSEARCH Sicily FROMMEMBER Catania BYBOX 400 400 km DESC WITHDIST WITHHASH WITHCOORD COUNT 1",
    ),
  ).toEqual([["Palermo", "166.2742", 3479099956230698, ["13.36138933897018433", "38.11555639549629859"]]]);
  expect(await call("GEORADIUS Sicily 15 37 100 km WITHDIST")).toEqual([["Catania", "56.4413"]]);
  expect(await call("GEORADIUS_RO Sicily 15 37 200 km COUNT 1")).toEqual(["Catania"]);
  expect(await call("GEORADIUSBYMEMBER Sicily Palermo 200 km DESC")).toEqual(["Catania", "Palermo"]);
  expect(await call("GEORADIUSBYMEMBER_RO Sicily Palermo 1 m")).toEqual(["Palermo"]);
  expect(await call("GEOSEARCHSTORE d Sicily FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST")).toBe(1);
  expect(await call("ZRANGE d 0 -1 WITHSCORES")).toEqual(["Catania", "56.4412578701582"]);
  expect(await call("GEORADIUS Sicily 15 37 1 m STORE d")).toBe(0);
  expect(await call("EXISTS d")).toBe(0);
});

test("bad input", async () => {
  const failure = async (line: string) => {
    const reply = await call(line);
    return reply instanceof ReplyError ? reply.message : JSON.stringify(reply);
  };
  expect(await failure("GEOADD Sicily 200 100 x")).toBe(
    "ERR invalid longitude,latitude pair 200.000000,100.000000",
  );
  expect(await failure("GEOADD Sicily x 1 y")).toBe("ERR value is not a valid float");
  expect(await failure("GEODIST Sicily Palermo Catania ly")).toBe(
    "ERR unsupported unit provided. please use M, KM, FT, MI",
  );
  expect(await failure("GEOSEARCH Sicily FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 1 km")).toBe(
    "ERR syntax error",
  );
  expect(await failure("GEOSEARCH Sicily BYRADIUS 1 km ASC ASC ASC")).toBe(
    "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH",
  );
  expect(await failure("GEOSEARCH Sicily FROMMEMBER nobody BYRADIUS 1 km")).toBe(
    "ERR could not decode requested zset member",
  );
  expect(await failure("GEORADIUS Sicily 15 37 1 km STORE d WITHDIST")).toBe(
    "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
  );
  expect(await call("ZCARD Sicily")).toBe(2);
});
