import type { SortedSet } from "../encodings/sorted-set.ts";
import {
  cellOf,
  decodePosition,
  distance,
  EARTH_RADIUS,
  edge,
  interleave,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  latitudeDistance,
  MAX_STEPS,
  position,
  RADIAN,
} from "./geo.ts";
import { ZsetRange } from "./zset-range.ts";

/**
 * The members inside a circle or a rectangle around a point, or inside a polygon (Valkey 9.0).
 *
 *   +----+----+----+     The size of the area gives a number of steps at which a geohash rectangle is about as
 *   | NW | N  | NE |     large as it. The rectangle of the centre and its eight neighbours then cover the area;
 *   +----+----+----+     those that lie outside of its bounding box are left out. Each rectangle is a range of
 *   | W  |  o | E  |     scores, and each member found there is measured.
 *   +----+----+----+
 *   | SW | S  | SE |     The order of the rectangles is part of what clients see: the centre, N, S, E, W, NE, NW,
 *   +----+----+----+     SE, SW, and inside each the order of the scores.
 *
 * A polygon is covered as the rectangle around it; distances are from its centroid.
 */

/** Lengths are in units of `unit` meters. */
export interface Area {
  longitude: number;
  latitude: number;
  shape: "circle" | "box" | "polygon";
  radius: number;
  width: number;
  height: number;
  unit: number;
  /** Of a polygon: longitude, latitude, longitude, ... */
  vertices: readonly number[];
}

/** Half of the equator in the projection whose steps are counted. */
const MERCATOR_MAX = 20037726.37;

/** What a search has found, in the order found; `distances` in meters. Filled anew by each search. */
export class Found {
  count = 0;
  ranks = new Int32Array(64);
  scores = new Float64Array(64);
  distances = new Float64Array(64);
  longitudes = new Float64Array(64);
  latitudes = new Float64Array(64);

  add(rank: number, score: number, meters: number): void {
    if (this.count === this.ranks.length) this.widen();
    const i = this.count++;
    this.ranks[i] = rank;
    this.scores[i] = score;
    this.distances[i] = meters;
    this.longitudes[i] = position.longitude;
    this.latitudes[i] = position.latitude;
  }

  private widen(): void {
    const capacity = this.count * 2;
    const ranks = new Int32Array(capacity);
    ranks.set(this.ranks);
    this.ranks = ranks;
    this.scores = widened(this.scores);
    this.distances = widened(this.distances);
    this.longitudes = widened(this.longitudes);
    this.latitudes = widened(this.latitudes);
  }

  /** The numbers 0 to count - 1, by distance if so wanted; equal distances stay in the order found. */
  order(sort: "none" | "asc" | "desc"): Uint32Array {
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    const { distances } = this;
    if (sort === "asc") order.sort((a, b) => distances[a]! - distances[b]! || a - b);
    else if (sort === "desc") order.sort((a, b) => distances[b]! - distances[a]! || a - b);
    return order;
  }
}

function widened(old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(old.length * 2);
  larger.set(old);
  return larger;
}

/** Rectangles to be searched: x and y at `steps`, or left out. */
interface Cover {
  steps: number;
  cells: ([number, number] | null)[];
}

/** Order of the neighbours: [dx, dy]. */
const NEIGHBOURS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

const range = new ZsetRange();

/** Fills `found` with the members of the set in the area; stops when there are `limit` (0: all). */
export function search(set: SortedSet, area: Area, limit: number, found: Found): void {
  found.count = 0;
  const { steps, cells } = coverOf(area.shape === "polygon" ? aroundPolygon(area) : area);
  const scale = 2 ** (2 * (MAX_STEPS - steps));
  let last = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (cell === null) continue;
    // In a large area neighbours may be the same rectangle; Redis compares with the last one searched only, and
    // never with the centre.
    const before = last > 0 ? cells[last]! : null;
    if (before !== null && before[0] === cell[0] && before[1] === cell[1]) continue;
    if (limit > 0 && found.count >= limit) return;
    const bits = interleave(cell[0], cell[1]);
    range.setScores(bits * scale, (bits + 1) * scale);
    searchRange(set, area, limit, found);
    last = i;
  }
}

function searchRange(set: SortedSet, area: Area, limit: number, found: Found): void {
  range.byScore(set);
  for (let rank = range.from; rank < range.to; rank++) {
    if (rank === range.from) set.seek(rank);
    else set.forward();
    const { score } = set;
    const meters = distanceWithin(area, score);
    if (meters < 0) continue;
    found.add(rank, score, meters);
    if (limit > 0 && found.count >= limit) return;
  }
}

/** The distance of a score's position from the centre, or -1 if it is not in the area. */
function distanceWithin(area: Area, score: number): number {
  decodePosition(score);
  const { longitude, latitude } = position;
  if (area.shape === "circle") {
    const meters = distance(area.longitude, area.latitude, longitude, latitude);
    return meters > area.radius * area.unit ? -1 : meters;
  }
  if (area.shape === "polygon")
    return isInside(area.vertices, longitude, latitude)
      ? distance(area.longitude, area.latitude, longitude, latitude)
      : -1;
  if (latitudeDistance(latitude, area.latitude) > (area.height * area.unit) / 2) return -1;
  if (distance(longitude, latitude, area.longitude, latitude) > (area.width * area.unit) / 2) return -1;
  return distance(area.longitude, area.latitude, longitude, latitude);
}

/** Whether a ray to the east crosses the polygon's edges an odd number of times. */
function isInside(vertices: readonly number[], longitude: number, latitude: number): boolean {
  let inside = false;
  let x = vertices[vertices.length - 2]!;
  let y = vertices[vertices.length - 1]!;
  for (let i = 0; i < vertices.length; i += 2) {
    const nextX = vertices[i]!;
    const nextY = vertices[i + 1]!;
    if (
      nextY > latitude !== y > latitude &&
      longitude < ((x - nextX) * (latitude - nextY)) / (y - nextY) + nextX
    )
      inside = !inside;
    x = nextX;
    y = nextY;
  }
  return inside;
}

/** Sets the centre of a polygon: its centroid, or the middle of its vertices where it has no area. */
export function centreOfPolygon(area: Area): void {
  const { vertices } = area;
  let [twice, x, y, sumX, sumY] = [0, 0, 0, 0, 0];
  for (let i = 0; i < vertices.length; i += 2) {
    const [ax, ay] = [vertices[i]!, vertices[i + 1]!];
    const bx = vertices[(i + 2) % vertices.length]!;
    const by = vertices[(i + 3) % vertices.length]!;
    const cross = ax * by - bx * ay;
    twice += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
    sumX += ax;
    sumY += ay;
  }
  const count = vertices.length / 2;
  area.longitude = twice === 0 ? sumX / count : x / (3 * twice);
  area.latitude = twice === 0 ? sumY / count : y / (3 * twice);
}

/** The rectangle around a polygon, in meters around its own middle. */
function aroundPolygon({ vertices }: Area): Area {
  const longitudes = vertices.filter((_, i) => i % 2 === 0);
  const latitudes = vertices.filter((_, i) => i % 2 === 1);
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)];
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)];
  // Degrees of longitude are longest where the equator is nearest.
  const widest = south <= 0 && north >= 0 ? 0 : Math.min(Math.abs(south), Math.abs(north));
  const middle = (west + east) / 2;
  return {
    longitude: middle,
    latitude: (south + north) / 2,
    shape: "box",
    radius: 0,
    width: 2 * Math.max(distance(west, widest, middle, widest), distance(middle, widest, east, widest)),
    height: latitudeDistance(south, north),
    unit: 1,
    vertices,
  };
}

function coverOf(area: Area): Cover {
  const { longitude, latitude } = area;
  const circle = area.shape === "circle";
  const halfHeight = area.unit * (circle ? area.radius : area.height / 2);
  const halfWidth = area.unit * (circle ? area.radius : area.width / 2);
  const tall = halfHeight / EARTH_RADIUS / RADIAN;
  // The bounding box is as wide as the area where that is nearest to a pole.
  const parallel = Math.cos((latitude < 0 ? latitude - tall : latitude + tall) * RADIAN);
  const wide = halfWidth / EARTH_RADIUS / parallel / RADIAN;
  const west = longitude - wide;
  const east = longitude + wide;
  const south = latitude - tall;
  const north = latitude + tall;
  const reach = circle ? area.radius : Math.sqrt((area.width / 2) ** 2 + (area.height / 2) ** 2);
  let steps = stepsFor(reach * area.unit, latitude);
  let x = cellOf(longitude, LONGITUDE_MAX, steps);
  let y = cellOf(latitude, LATITUDE_MAX, steps);
  const upper = wrapped(y + 1, steps);
  const lower = wrapped(y - 1, steps);
  const right = wrapped(x + 1, steps);
  const left = wrapped(x - 1, steps);
  const tooSmall =
    edge(upper + 1, LATITUDE_MAX, steps) < north ||
    edge(lower, LATITUDE_MAX, steps) > south ||
    edge(right + 1, LONGITUDE_MAX, steps) < east ||
    edge(left, LONGITUDE_MAX, steps) > west;
  if (steps > 1 && tooSmall) {
    steps--;
    x = cellOf(longitude, LONGITUDE_MAX, steps);
    y = cellOf(latitude, LATITUDE_MAX, steps);
  }
  const needed = (dx: number, dy: number) =>
    steps < 2 ||
    !(
      (dy < 0 && edge(y, LATITUDE_MAX, steps) < south) ||
      (dy > 0 && edge(y + 1, LATITUDE_MAX, steps) > north) ||
      (dx < 0 && edge(x, LONGITUDE_MAX, steps) < west) ||
      (dx > 0 && edge(x + 1, LONGITUDE_MAX, steps) > east)
    );
  return {
    steps,
    cells: NEIGHBOURS.map(([dx, dy]) =>
      needed(dx, dy) ? [dx === 0 ? x : wrapped(x + dx, steps), dy === 0 ? y : wrapped(y + dy, steps)] : null,
    ),
  };
}

/** A neighbour over the edge of the map is on its other side. */
function wrapped(cell: number, steps: number): number {
  return cell & (2 ** steps - 1);
}

/** The number of steps at which a rectangle and its neighbours cover a circle of this radius. */
function stepsFor(meters: number, latitude: number): number {
  if (meters === 0) return MAX_STEPS;
  let steps = 1;
  for (let reach = meters; reach < MERCATOR_MAX; reach *= 2) steps++;
  steps -= 2;
  if (Math.abs(latitude) > 66) steps--;
  if (Math.abs(latitude) > 80) steps--;
  return Math.max(1, Math.min(MAX_STEPS, steps));
}
