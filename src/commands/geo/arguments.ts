import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { isPosition } from "../../types/geo.ts";
import { type Area, centreOfPolygon } from "../../types/geo-search.ts";
import { doubleAt } from "../zsets/adding.ts";

/** Positions, distances and units among the arguments of the GEO commands. */

const UNITS: readonly (readonly [Uint8Array, number])[] = [
  [latin1Bytes("m"), 1],
  [latin1Bytes("km"), 1000],
  [latin1Bytes("ft"), 0.3048],
  [latin1Bytes("mi"), 1609.34],
];

const LEAST_VERTICES = 3;

/** Where `readPosition` leaves what it has read. */
export interface Place {
  longitude: number;
  latitude: number;
}

/** Longitude and latitude in arguments i and i + 1; throws where they are none. */
export function readPosition(call: Call, i: number, into: Place): void {
  const longitude = doubleAt(call, i);
  const latitude = doubleAt(call, i + 1);
  if (!isPosition(longitude, latitude))
    throw new CommandError(
      `ERR invalid longitude,latitude pair ${sixDecimals(longitude)},${sixDecimals(latitude)}`,
    );
  into.longitude = longitude;
  into.latitude = latitude;
}

/** C's "%f". */
function sixDecimals(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`;
  // A tie, which takes an odd number of 128ths, goes to the even digit in C, and up in JavaScript.
  const odd = Math.abs(value * 128) % 2 === 1;
  const text = value.toFixed(6);
  return odd && Number(text.at(-1)) % 2 === 1 ? value.toFixed(7).slice(0, -1) : text;
}

/** Meters of the unit in argument i; throws where it is none. */
export function unitAt(call: Call, i: number): number {
  for (const [word, meters] of UNITS) if (call.is(i, word)) return meters;
  throw new CommandError("ERR unsupported unit provided. please use M, KM, FT, MI");
}

/** Radius and unit in arguments i and i + 1. */
export function readCircle(call: Call, i: number, into: Area): void {
  const radius = doubleAt(call, i, "ERR need numeric radius");
  if (radius < 0) throw new CommandError("ERR radius cannot be negative");
  into.shape = "circle";
  into.radius = radius;
  into.unit = unitAt(call, i + 1);
}

/** Width, height and unit in arguments i to i + 2. */
export function readBox(call: Call, i: number, into: Area): void {
  const width = doubleAt(call, i, "ERR need numeric width");
  const height = doubleAt(call, i + 1, "ERR need numeric height");
  if (width < 0 || height < 0) throw new CommandError("ERR height or width cannot be negative");
  into.shape = "box";
  into.width = width;
  into.height = height;
  into.unit = unitAt(call, i + 2);
}

/** The number of vertices in argument i and their positions behind it; returns the last argument of them. */
export function readPolygon(call: Call, i: number, into: Area): number {
  const count = call.int(i);
  if (count < LEAST_VERTICES)
    throw new CommandError(`ERR GEOSEARCH BYPOLYGON must have at least ${LEAST_VERTICES} vertices`);
  if (count * 2 > call.argc - i - 1) throw new CommandError(errors.syntax);
  const vertices: number[] = [];
  for (let at = i + 1; at <= i + count * 2; at += 2) {
    readPosition(call, at, into);
    vertices.push(into.longitude, into.latitude);
  }
  into.shape = "polygon";
  into.vertices = vertices;
  into.unit = 1;
  centreOfPolygon(into);
  return i + count * 2;
}

/** A distance as GEODIST replies with it: four decimals, a half goes to the even digit. */
export function distanceText(value: number): Uint8Array {
  const scaled = value * 10000;
  let whole = Math.round(scaled);
  if (whole - scaled === 0.5 && whole % 2 !== 0) whole--;
  const digits = String(whole).padStart(5, "0");
  return latin1Bytes(`${digits.slice(0, -4)}.${digits.slice(-4)}`);
}
