/** The GEO commands over a socket. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";

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

test("BYPOLYGON, of Valkey: who is inside, from a centre of its own", async () => {
  await call("GEOADD Sicily 12.758489 38.788135 edge1 17.241510 38.788135 edge2");
  const square = "BYPOLYGON 4 13 37 16 37 16 38.5 13 38.5";
  expect(await call(`GEOSEARCH Sicily ${square} ASC`)).toEqual(["Catania", "Palermo"]);
  expect(await call(`GEOSEARCH Sicily ${square} COUNT 1 DESC WITHDIST WITHCOORD`)).toEqual([
    ["Palermo", "107845.0214", ["13.36138933897018433", "38.11555639549629859"]],
  ]);
  expect(await call("GEOSEARCH Sicily BYPOLYGON 3 0 0 1 0 1 1")).toEqual([]);
  expect(await call("GEOSEARCH nosuch BYPOLYGON 3 0 0 1 0 1 1")).toEqual([]);
  expect(await call(`GEOSEARCHSTORE d Sicily ${square} STOREDIST`)).toBe(2);
  expect(Number(await call("ZSCORE d Palermo"))).toBeCloseTo(107845.02, 1);
  for (const [line, message] of [
    ["GEOSEARCH Sicily BYPOLYGON 2 13 37 16 37", "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"],
    ["GEOSEARCH Sicily BYPOLYGON x 13 37 16 37 16 38", "ERR value is not an integer or out of range"],
    ["GEOSEARCH Sicily BYPOLYGON 4 13 37 16 37 16 38", "ERR syntax error"],
    [
      "GEOSEARCH Sicily BYPOLYGON 3 13 37 16 97 16 38",
      "ERR invalid longitude,latitude pair 16.000000,97.000000",
    ],
    [`GEOSEARCH Sicily FROMMEMBER Palermo ${square}`, "ERR syntax error"],
    [`GEOSEARCH Sicily ${square} FROMLONLAT 15 37`, "ERR syntax error"],
    [`GEOSEARCH Sicily ${square} BYRADIUS 200 km`, "ERR syntax error"],
    [`GEOSEARCHSTORE d Sicily ${square} WITHDIST`, "ERR GEOSEARCHSTORE is not compatible with WITHDIST"],
  ] as const)
    expect([line, await call(line)]).toEqual([
      line,
      expect.objectContaining({ message: expect.stringContaining(message) }),
    ]);
});

test("BYPOLYGON finds what lies inside, whatever the polygon", async () => {
  const random = seeded("geo-polygon");
  const between = (low: number, high: number) => low + (random.below(1e9) / 1e9) * (high - low);
  for (let round = 0; round < 20; round++) {
    await call("DEL world");
    const [x, y, size] = [between(-150, 150), between(-60, 60), between(0.01, 20)];
    const places = Array.from({ length: 200 }, () => [x + between(-size, size), y + between(-size, size)]);
    await client.call("GEOADD", "world", ...places.flatMap(([a, b], i) => [String(a), String(b), `m${i}`]));
    const corners = 3 + random.below(6);
    const vertices = Array.from({ length: corners }, (_, i) => {
      const angle = (i / corners) * 2 * Math.PI;
      const reach = between(0.2, 1) * size;
      return [x + reach * Math.cos(angle), y + reach * Math.sin(angle)] as const;
    });
    /** By the angles that the edges take around the point, added up. */
    const inside = ([a, b]: readonly number[]) => {
      let turn = 0;
      for (const [i, [px, py]] of vertices.entries()) {
        const [qx, qy] = vertices[(i + 1) % vertices.length]!;
        let angle = Math.atan2(qy - b!, qx - a!) - Math.atan2(py - b!, px - a!);
        if (angle > Math.PI) angle -= 2 * Math.PI;
        if (angle < -Math.PI) angle += 2 * Math.PI;
        turn += angle;
      }
      return Math.abs(turn) > Math.PI;
    };
    const stored = (await client.call("GEOPOS", "world", ...places.map((_, i) => `m${i}`))) as [
      string,
      string,
    ][];
    const expected = stored.flatMap((at, i) => (inside(at.map(Number)) ? [`m${i}`] : []));
    const found = (await client.call(
      "GEOSEARCH",
      "world",
      "BYPOLYGON",
      String(vertices.length),
      ...vertices.flat().map(String),
    )) as string[];
    expect(found.sort()).toEqual(expected.sort());
  }
});
