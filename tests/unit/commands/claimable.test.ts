/** What XREADGROUP CLAIM keeps of the oldest pending entries, beside a list that is sorted each time. */
import { expect, test } from "bun:test";
import { claimable, forgetClaimable, oldestDelivery } from "../../../src/commands/streams/claimable.ts";
import { Counter, StreamId } from "../../../src/encodings/stream-id.ts";
import { Stream } from "../../../src/types/stream.ts";
import { PendingEntry } from "../../../src/types/stream-groups.ts";
import { bytesOf, seeded } from "../bytes/random.ts";
import { fieldsOf, idOf, textOf } from "../types/stream-support.ts";

const LIMITS = { maxBytes: 4096, maxEntries: 100 };

for (const entries of [50, 2500])
  test(`agrees with a list of ${entries} entries at most`, () => {
    const random = seeded("claimable");
    const stream = new Stream();
    const group = stream.addGroup(bytesOf("g"), new StreamId(), new Counter())!;
    const consumers = ["a", "b"].map((name) => group.addConsumer(bytesOf(name), 0));
    const place = new PendingEntry();
    const pending = new Map<string, number>();
    const deleted = new Set<string>();
    let now = 1000;
    let next = 1;
    const oldestFirst = () => [...pending].filter(([id]) => !deleted.has(id)).sort(([, a], [, b]) => a - b);
    const any = () => {
      for (;;) {
        const id = `${1 + random.below(next)}-0`;
        if (pending.has(id)) return id;
      }
    };
    for (let step = 0; step < entries * 4; step++) {
      const kind = random.below(20);
      if (random.below(3) === 0) now += random.below(4);
      if (kind < 9 || pending.size === 0) {
        if (pending.size >= entries) continue;
        const id = `${next++}-0`;
        stream.append(idOf(id), fieldsOf(["f", "v"]), LIMITS);
        group.deliver(idOf(id), consumers[0]!, now, place);
        pending.set(id, now);
      } else if (kind < 11) {
        const id = any();
        group.acknowledge(idOf(id));
        pending.delete(id);
      } else if (kind === 11) {
        const id = any();
        if (stream.delete(idOf(id))) deleted.add(id);
      } else if (kind === 12) {
        const id = any();
        group.pending.find(idOf(id), place);
        place.time = now - random.below(500);
        pending.set(id, place.time);
        forgetClaimable(group);
      } else if (step % (entries > 1000 ? 50 : 1) === 0) {
        const sorted = oldestFirst();
        expect(oldestDelivery(stream, group, now)).toBe(sorted[0]?.[1] ?? Number.POSITIVE_INFINITY);
        const count = random.pick([1, 3, 10, 1000, Number.POSITIVE_INFINITY]);
        const until = now - random.below(200);
        const found = claimable(stream, group, until, count, now).map(textOf);
        // In the order of times; of one time it may be any.
        const times = sorted
          .filter(([, time]) => time <= until)
          .slice(0, count)
          .map(([, time]) => time);
        expect(found.map((id) => pending.get(id)!)).toEqual(times);
        expect(new Set(found).size).toBe(found.length);
        for (const id of found) {
          group.pending.find(idOf(id), place);
          group.assign(place, consumers[1]!);
          place.time = now;
          pending.set(id, now);
        }
      }
    }
    stream.dispose();
  });
