/**
 * Positions as scores of a sorted set: geohashes of 52 bits.
 *
 *   longitude -180 .. 180            in 2^26 steps: x        score, from the top bit:  x y x y x y ... x y
 *   latitude  -85.05112878 .. same   in 2^26 steps: y
 *
 * The latitude's limits are those of web maps (EPSG:3857). A hash of fewer bits names a rectangle, and all
 * scores that begin with it lie in that rectangle, so a search near a point is a few ranges of scores.
 */

export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;
export const MAX_STEPS = 26;
/** Mean radius that Redis takes, in meters. */
export const EARTH_RADIUS = 6372797.560856;
export const RADIAN = Math.PI / 180;

export function isPosition(longitude: number, latitude: number): boolean {
  return (
    longitude >= -LONGITUDE_MAX &&
    longitude <= LONGITUDE_MAX &&
    latitude >= -LATITUDE_MAX &&
    latitude <= LATITUDE_MAX
  );
}

/** The number of the column (of 2^steps) in which a value between -max and max lies; 2^steps for max itself. */
export function cellOf(value: number, max: number, steps: number): number {
  return Math.floor(((value + max) / (max + max)) * 2 ** steps);
}

/** x and y, of up to 27 bits each, bit by bit; exact. */
export function interleave(x: number, y: number): number {
  return spreadPair(x >>> 16, y >>> 16) * 4294967296 + spreadPair(x & 0xffff, y & 0xffff);
}

function spreadPair(x: number, y: number): number {
  return ((spread(x) << 1) | spread(y)) >>> 0;
}

/** 16 bits, a zero before each. */
function spread(bits: number): number {
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

/** Every other bit of 32, beginning with the lowest. */
function gather(bits: number): number {
  bits &= 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}

/** The score of a position. */
export function encodePosition(longitude: number, latitude: number): number {
  return interleave(cellOf(longitude, LONGITUDE_MAX, MAX_STEPS), cellOf(latitude, LATITUDE_MAX, MAX_STEPS));
}

/** The position that `decodePosition` has found. */
export const position = { longitude: 0, latitude: 0 };

/** The middle of the rectangle that a score stands for, in `position`. Any score stands for one. */
export function decodePosition(score: number): void {
  let high = Math.floor(score / 4294967296);
  let low = score >>> 0;
  if (!(score >= 0 && score < 2 ** 53)) {
    const bits = asUint64(score);
    high = Number(bits >> 32n);
    low = Number(bits & 0xffffffffn);
  }
  const x = (gather(high >>> 1) * 65536 + gather(low >>> 1)) >>> 0;
  const y = (gather(high) * 65536 + gather(low)) >>> 0;
  position.longitude = middle(x, LONGITUDE_MAX);
  position.latitude = middle(y, LATITUDE_MAX);
}

/** What C makes of a double converted to uint64_t on x86-64. */
function asUint64(value: number): bigint {
  if (value >= 2 ** 64) return 0n;
  if (value < -(2 ** 63)) return 1n << 63n;
  return BigInt.asUintN(64, BigInt(Math.trunc(value)));
}

function middle(cell: number, max: number): number {
  const value = (edge(cell, max, MAX_STEPS) + edge((cell + 1) >>> 0, max, MAX_STEPS)) / 2;
  return Math.max(-max, Math.min(max, value));
}

/** Where a column begins. */
export function edge(cell: number, max: number, steps: number): number {
  return -max + (cell / 2 ** steps) * (max + max);
}

/** Great-circle distance in meters. */
export function distance(
  longitude1: number,
  latitude1: number,
  longitude2: number,
  latitude2: number,
): number {
  const v = Math.sin((longitude2 * RADIAN - longitude1 * RADIAN) / 2);
  if (v === 0) return latitudeDistance(latitude1, latitude2);
  const from = latitude1 * RADIAN;
  const to = latitude2 * RADIAN;
  const u = Math.sin((to - from) / 2);
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(u * u + Math.cos(from) * Math.cos(to) * v * v));
}

export function latitudeDistance(latitude1: number, latitude2: number): number {
  return EARTH_RADIUS * Math.abs(latitude2 * RADIAN - latitude1 * RADIAN);
}

const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";

/**
 * The standard geohash of a score's position, 11 characters. It counts latitudes from -90 to 90; the last
 * character stands for bits that there are not and is always "0".
 */
export function geohashText(score: number): string {
  decodePosition(score);
  const bits = interleave(
    cellOf(position.longitude, 180, MAX_STEPS),
    cellOf(position.latitude, 90, MAX_STEPS),
  );
  let text = "";
  for (let i = 1; i <= 10; i++) text += ALPHABET[Math.floor(bits / 2 ** (52 - i * 5)) % 32];
  return `${text}0`;
}
