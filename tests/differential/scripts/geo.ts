/** The GEO commands. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const POSITIONS = [
  "0 0",
  "180 85.05112878",
  "-180 -85.05112878",
  "180.1 0",
  "0 85.05112879",
  "0 -86",
  "-180.0000001 200.0078125",
  "1e300 1",
  "inf 0",
  "0 -inf",
  "nan 0",
  "x 1",
  "1 x",
  "13.361389 38.115556",
  "-0.1 -0.1",
  "0.000001 -0.000001",
  "1e-300 5e-324",
  "'' 1",
];

const SICILY = `
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    GEOADD g 12.758489 38.788135 edge1 17.241510 38.788135 edge2
    GEOADD g -122.27652 37.805186 station1 -122.2674626 37.8062344 station2 -122.2469854 37.8104049 station3
    GEOADD g 179.99 10 east -179.99 10 west 0 84.9 north 10 -84.9 south 2.34 48.85 Paris
`;

const AREAS = [
  "FROMLONLAT 15 37 BYRADIUS 200 km",
  "FROMLONLAT 15 37 BYRADIUS 200 KM ASC",
  "FROMLONLAT 15 37 BYBOX 400 400 km DESC",
  "FROMLONLAT 15 37 BYBOX 400 400 mi ASC WITHDIST",
  "FROMMEMBER Palermo BYRADIUS 300 km ASC WITHCOORD WITHDIST WITHHASH",
  "FROMMEMBER east BYRADIUS 50 km ASC WITHDIST",
  "FROMMEMBER west BYBOX 50 50 km ASC WITHDIST",
  "FROMMEMBER north BYRADIUS 1000 km ASC WITHDIST",
  "FROMMEMBER south BYBOX 10000 10000 km ASC WITHDIST",
  "FROMMEMBER station1 BYRADIUS 1 mi ASC WITHDIST",
  "FROMMEMBER station1 BYRADIUS 5000 ft ASC WITHDIST",
  "FROMMEMBER station1 BYRADIUS 0 m WITHDIST",
  "FROMMEMBER Paris BYRADIUS 5000 km ASC WITHDIST",
  "FROMMEMBER Paris BYRADIUS 1e9 m ASC WITHDIST",
  "FROMMEMBER Paris BYRADIUS inf m ASC",
  "FROMLONLAT 0 0 BYRADIUS 22000 km ASC COUNT 5",
  "FROMLONLAT 0 0 BYRADIUS 22000 km DESC COUNT 3 WITHDIST",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT 1",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 ANY",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 ANY ASC",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT 2 ANY DESC WITHDIST",
  "FROMLONLAT 100 -40 BYRADIUS 1 m",
  "FROMMEMBER nobody BYRADIUS 1 m",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT 0",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT -1",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT x",
  "FROMLONLAT 15 37 BYRADIUS 500 km COUNT",
  "FROMLONLAT 15 37 BYRADIUS 500 km ANY",
  "FROMLONLAT 15 37 BYRADIUS 500 parsecs",
  "FROMLONLAT 15 37 BYRADIUS -1 km",
  "FROMLONLAT 15 37 BYRADIUS x km",
  "FROMLONLAT 15 37 BYBOX -1 1 km",
  "FROMLONLAT 15 37 BYBOX x 1 km",
  "FROMLONLAT 15 37 BYBOX 1 x km",
  "FROMLONLAT 15 37 BYBOX 1 1 ly",
  "FROMLONLAT 15 37 BYBOX 1 1",
  "FROMLONLAT 190 37 BYRADIUS 1 km",
  "FROMLONLAT x 37 BYRADIUS 1 km",
  "FROMLONLAT 15 BYRADIUS 1 km",
  "FROMMEMBER Paris FROMLONLAT 15 37 BYRADIUS 1 km",
  "FROMLONLAT 15 37 FROMMEMBER Paris BYRADIUS 1 km",
  "FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km",
  "FROMLONLAT 15 37 BYBOX 1 1 km BYRADIUS 1 km",
  "FROMMEMBER Paris FROMMEMBER Palermo BYRADIUS 1 km",
  "FROMLONLAT 15 37 ASC DESC WITHDIST",
  "BYRADIUS 1 km ASC DESC ASC DESC",
  "FROMLONLAT 15 37 BYRADIUS 1 km FOO",
  "FROMLONLAT 15 37 BYRADIUS 200 km STORE d",
  "FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST",
];

const FORMS = ["128", "0"];

/** With listpacks and without. */
function both(script: string): string {
  return `
    ${lines(FORMS, (entries) => `FLUSHALL\nCONFIG SET zset-max-listpack-entries ${entries}\n${script}`)}
    CONFIG SET zset-max-listpack-entries 128
  `;
}

/** A few hundred positions, spread by a fixed sequence, more of them near the poles and the date line. */
function scattered(): string {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const commands: string[] = [];
  for (let i = 0; i < 300; i++) {
    const longitude = i % 5 === 0 ? (next() < 0.5 ? -1 : 1) * (180 - next()) : next() * 360 - 180;
    const latitude = i % 7 === 0 ? (next() < 0.5 ? -1 : 1) * (85 - next() * 3) : next() * 160 - 80;
    commands.push(`GEOADD g ${longitude.toFixed(6)} ${latitude.toFixed(6)} p${i}`);
  }
  for (let i = 0; i < 60; i++) {
    const unit = ["m", "km", "mi", "ft"][i % 4]!;
    const size = [10 ** (3 + next() * 4), 10 ** (next() * 4), 10 ** (next() * 4), 10 ** (3 + next() * 5)][
      i % 4
    ]!;
    const from =
      i % 3 === 0
        ? `FROMMEMBER p${i}`
        : `FROMLONLAT ${(next() * 360 - 180).toFixed(4)} ${(next() * 170 - 85).toFixed(4)}`;
    const by =
      i % 2 === 0
        ? `BYRADIUS ${size.toFixed(3)} ${unit}`
        : `BYBOX ${size.toFixed(3)} ${(size * next()).toFixed(3)} ${unit}`;
    commands.push(
      `GEOSEARCH g ${from} ${by} ASC WITHDIST`,
      `GEOSEARCH g ${from} ${by}`,
      `GEOSEARCH g ${from} ${by} COUNT 3 DESC`,
    );
    commands.push(`GEOSEARCH g ${from} ${by} COUNT 3 ANY WITHCOORD`, `GEODIST g p${i} p${i + 100} ${unit}`);
  }
  commands.push(`GEOPOS g ${Array.from({ length: 300 }, (_, i) => `p${i}`).join(" ")}`);
  commands.push(`GEOHASH g ${Array.from({ length: 300 }, (_, i) => `p${i}`).join(" ")}`);
  commands.push("ZRANGE g 0 -1 WITHSCORES");
  return commands.join("\n");
}

/** Scripts that every Redis from 7.0 on answers alike. */
export const GEO: Scripts = {
  GEOADD: both(`
    ${lines(POSITIONS, (position) => `GEOADD g ${position} m\nZSCORE g m\nGEOPOS g m\nGEOHASH g m\nGEOADD g CH ${position} m`)}
    GEOADD g 1 1 a 2 2 b
    GEOADD g NX 3 3 a 3 3 c
    GEOADD g XX 4 4 a 4 4 d
    GEOADD g CH 5 5 a 5 5 e
    GEOADD g XX CH 6 6 a
    GEOADD g NX XX 1 1 a
    GEOADD g NX 1 1
    GEOADD g NX XX CH
    GEOADD g NX CH CH
    GEOADD g CH 1 1 a 2
    GEOADD g GT 1 1 a
    GEOADD g INCR 1 a
    GEOADD g 1 1 a 200 1 b
    GEOADD g 1 1 a 1 1 a 2 2 a
    GEOADD none XX 1 1 a
    ZRANGE g 0 -1 WITHSCORES
    SET s x
    GEOADD s 1 1 a
    GEOADD s 1 200 a
  `),

  "GEOPOS, GEOHASH, GEODIST": both(`
    ${SICILY}
    GEOPOS g Palermo nobody Catania
    GEOPOS g
    GEOPOS none a b
    GEOHASH g Palermo nobody Catania east west north south
    GEOHASH g
    GEOHASH none a
    ${lines(["", "m", "km", "mi", "ft", "M", "Km", "x", "m m"], (unit) => `GEODIST g Palermo Catania ${unit}\nGEODIST none a b ${unit}`)}
    GEODIST g Palermo nobody
    GEODIST g nobody Palermo
    GEODIST g Palermo Palermo
    GEODIST g east west
    GEODIST g north south
    GEODIST g edge1 edge2 km
    SET s x
    GEOPOS s a
    GEOHASH s a
    GEODIST s a b
    GEODIST s a b x
    ZADD odd 1 one 0 zero -1 minus 1.5 fraction 4503599627370495 last 4503599627370496 behind 1e300 huge inf inf -inf minf 1e18 big
    GEOPOS odd one zero minus fraction last behind huge inf minf big
    GEOHASH odd one zero minus fraction last behind huge inf minf big
    GEODIST odd one last
    GEOSEARCH odd FROMMEMBER zero BYRADIUS 30000 km ASC WITHHASH
    GEOSEARCH odd FROMMEMBER fraction BYRADIUS 1 km ASC WITHHASH
  `),

  "scattered positions": both(scattered()),
};

/** With stored distances, whose texts are shorter since 7.2. */
export const GEO_7_2: Scripts = {
  GEOSEARCH: both(`
    ${SICILY}
    ${lines(AREAS, (area) => `GEOSEARCH g ${area}\nGEOSEARCH none ${area}\ngeosearchstore d g ${area}\nZRANGE d 0 -1 WITHSCORES\nGEOSEARCHSTORE d none ${area}\nEXISTS d`)}
    GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 500 km STOREDIST
    ZRANGE d 0 -1 WITHSCORES
    GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 500 500 km STOREDIST COUNT 1
    ZRANGE d 0 -1 WITHSCORES
    OBJECT ENCODING d
    GEOSEARCHSTORE g g FROMLONLAT 15 37 BYRADIUS 200 km
    ZRANGE g 0 -1
    GEOSEARCHSTORE d g FROMLONLAT 100 37 BYRADIUS 1 km
    EXISTS d
    SET s x
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCH s FROMLONLAT x 37 BYRADIUS 200 km
    GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCHSTORE s g FROMLONLAT 15 37 BYRADIUS 200 km
    TYPE s
  `),

  "GEORADIUS and its kin": both(`
    ${SICILY}
    ${lines(
      [
        "200 km",
        "200 km ASC WITHDIST",
        "200 km WITHDIST WITHHASH WITHCOORD DESC",
        "20000 km COUNT 3",
        "20000 km COUNT 3 ANY",
        "20000 km ANY",
        "200 km STORE d",
        "20000 km STOREDIST d COUNT 2",
        "1 m STORE d",
        "200 km STORE d WITHDIST",
        "200 km STORE d STOREDIST d",
        "200 km STORE",
        "200 km FOO",
        "200 km FROMLONLAT 1 1",
        "x km",
        "-1 km",
        "1 x",
        "200 km COUNT 0",
        "200 km COUNT x",
      ],
      (rest) => `
    GEORADIUS g 15 37 ${rest}
    ZRANGE d 0 -1 WITHSCORES
    GEORADIUSBYMEMBER g Palermo ${rest}
    ZRANGE d 0 -1 WITHSCORES
    GEORADIUS_RO g 15 37 ${rest}
    GEORADIUSBYMEMBER_RO g Palermo ${rest}
    GEORADIUS none 15 37 ${rest}
    GEORADIUSBYMEMBER none a ${rest}
    EXISTS d
  `,
    )}
    GEORADIUS g 200 37 1 km
    GEORADIUS g x 37 1 km
    GEORADIUSBYMEMBER g nobody 1 km
    SET s x
    GEORADIUS s 15 37 1 km
    GEORADIUSBYMEMBER s a 1 km
  `),
};
