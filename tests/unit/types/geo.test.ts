/** Positions and searches beside plain arithmetic over all members. */
import { expect, test } from "bun:test";
import type { SortedSet } from "../../../src/encodings/sorted-set.ts";
import { SortedSetIndex } from "../../../src/encodings/sorted-set-index.ts";
import { ListpackSortedSet } from "../../../src/encodings/sorted-set-listpack.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import {
  decodePosition,
  distance,
  encodePosition,
  geohashText,
  interleave,
  isPosition,
  latitudeDistance,
  position,
} from "../../../src/types/geo.ts";
import { type Area, Found, search } from "../../../src/types/geo-search.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

test("known positions", () => {
  expect(encodePosition(13.361389, 38.115556)).toBe(3479099956230698);
  expect(encodePosition(15.087269, 37.502669)).toBe(3479447370796909);
  expect(encodePosition(-180, -85.05112878)).toBe(0);
  expect(encodePosition(180, 85.05112878)).toBe(13510798882111488);
  expect(geohashText(3479099956230698)).toBe("sqc8b49rny0");
  expect(geohashText(3479447370796909)).toBe("sqdtr74hyu0");
  decodePosition(3479099956230698);
  expect(position).toEqual({ longitude: 13.361389338970184, latitude: 38.1155563954963 });
  const { longitude, latitude } = position;
  decodePosition(3479447370796909);
  const meters = distance(longitude, latitude, position.longitude, position.latitude);
  expect(meters).toBeCloseTo(166274.1516, 3);
  expect(distance(10, 1, 10, 2)).toBe(latitudeDistance(1, 2));
  expect([isPosition(180, 85.05112878), isPosition(180.01, 0), isPosition(0, -85.06)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("bits are interleaved, the longitude's first", () => {
  expect(interleave(0b11, 0b00)).toBe(0b1010);
  expect(interleave(0b00, 0b11)).toBe(0b0101);
  expect(interleave(2 ** 26 - 1, 2 ** 26 - 1)).toBe(2 ** 52 - 1);
  expect(interleave(2 ** 26, 0)).toBe(2 ** 53);
  expect(interleave(2 ** 16, 2 ** 15)).toBe(2 ** 33 + 2 ** 30);
});

function randomPosition(random: Random): [number, number] {
  const unit = () => random.below(2 ** 30) / 2 ** 30;
  return [unit() * 360 - 180, unit() * 170.1 - 85.05];
}

test("a position comes back within half a step", () => {
  const random = seeded("geo positions");
  for (let i = 0; i < 2000; i++) {
    const [longitude, latitude] = randomPosition(random);
    const score = encodePosition(longitude, latitude);
    expect(Number.isSafeInteger(score)).toBe(true);
    decodePosition(score);
    expect(Math.abs(position.longitude - longitude)).toBeLessThanOrEqual(180 / 2 ** 26 + 1e-12);
    expect(Math.abs(position.latitude - latitude)).toBeLessThanOrEqual(85.05112878 / 2 ** 26 + 1e-12);
    expect(encodePosition(position.longitude, position.latitude)).toBe(score);
  }
});

/** All members in the area, measured one by one. */
function inside(scores: readonly number[], area: Area): number[] {
  return scores.filter((score) => {
    decodePosition(score);
    const { longitude, latitude } = position;
    if (area.shape === "circle")
      return distance(area.longitude, area.latitude, longitude, latitude) <= area.radius * area.unit;
    return (
      latitudeDistance(latitude, area.latitude) <= (area.height * area.unit) / 2 &&
      distance(longitude, latitude, area.longitude, latitude) <= (area.width * area.unit) / 2
    );
  });
}

test("a search finds what lies in the area, sorted and limited", () => {
  const random = seeded("geo search");
  const found = new Found();
  for (let round = 0; round < 30; round++) {
    const count = round % 3 === 0 ? 100 : 3000;
    const set: SortedSet =
      count === 100 ? new ListpackSortedSet().create(new OwnBytes()) : new SortedSetIndex(1, 2);
    const scores: number[] = [];
    const [centreX] = randomPosition(random);
    // Away from the poles and the edge of the map, where Redis's rectangles may leave something out.
    const centreY = random.below(120) - 60;
    for (let i = 0; i < count; i++) {
      const longitude = ((centreX / 2 + (random.below(2e6) - 1e6) / 2e5 + 180) % 360) - 180;
      const latitude = centreY + (random.below(2e6) - 1e6) / 2e5;
      const score = encodePosition(longitude, latitude);
      const member = bytesOf(`p${i}`);
      set.insert(score, member, 0, member.length);
      scores.push(score);
    }
    for (let i = 0; i < 10; i++) {
      const area: Area = {
        longitude: centreX / 2 + random.below(8) - 4,
        latitude: centreY + random.below(8) - 4,
        shape: random.below(2) === 0 ? "circle" : "box",
        radius: random.below(400),
        width: random.below(800),
        height: random.below(800),
        unit: 1000,
        vertices: [],
      };
      search(set, area, 0, found);
      const expected = inside(scores, area);
      expect([...found.scores.subarray(0, found.count)].sort()).toEqual([...expected].sort());
      const ascending = [...found.order("asc")].map((n) => found.distances[n]!);
      expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
      expect([...found.order("desc")].map((n) => found.distances[n]!)).toEqual(ascending.toReversed());
      expect([...found.order("none")]).toEqual(Array.from({ length: found.count }, (_, n) => n));
      for (let n = 0; n < Math.min(5, found.count); n++) {
        set.seek(found.ranks[n]!);
        expect(set.score).toBe(found.scores[n]!);
      }
      const all = found.count;
      search(set, area, 3, found);
      expect(found.count).toBe(Math.min(3, all));
    }
  }
});
