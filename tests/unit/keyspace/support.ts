/** What the tests of the key space share: a clock that goes only as told, and a database with known keys. */
import { Clock } from "../../../src/host/clock.ts";
import { Random } from "../../../src/host/random.ts";
import { AccessClock } from "../../../src/keyspace/access.ts";
import type { KeyspaceContext } from "../../../src/keyspace/context.ts";
import { Database } from "../../../src/keyspace/database.ts";
import { noEvents } from "../../../src/keyspace/key-events.ts";

export class FakeClock extends Clock {
  constructor(now = 1_700_000_000_000) {
    super();
    this.set(now);
  }

  override update(): void {}

  set(now: number): void {
    this.now = now;
    this.lruClock = Math.floor(now / 1000) & 0xffffff;
  }

  override advance(milliseconds: number): void {
    this.set(this.now + milliseconds);
  }
}

export interface TestContext extends KeyspaceContext {
  readonly clock: FakeClock;
  /** Keys of which the listener was told that they fell due, as text. */
  readonly told: string[];
}

export function testContext(seed = 1): TestContext {
  const clock = new FakeClock();
  const random = new Random(seed);
  const told: string[] = [];
  return {
    clock,
    access: new AccessClock(clock, random),
    random: random.int32,
    seed0: random.int32(),
    seed1: random.int32(),
    stats: { hits: 0, misses: 0, expired: 0 },
    listener: {
      localExpiry: () => {},
      expired: (_db, buf, start, end) => told.push(Buffer.from(buf.subarray(start, end)).toString("latin1")),
      flushed: () => {},
      fieldsExpired: (_db, buf, start, end, fields) => {
        const key = Buffer.from(buf.subarray(start, end)).toString("latin1");
        for (const field of fields) told.push(`${key}/${Buffer.from(field).toString("latin1")}`);
      },
    },
    events: noEvents(),
    hint: { buf: new Uint8Array(0), start: -1, hash: 0, foundIn: 0 },
    keepExpired: false,
    localWrites: false,
    ignoreExpiry: false,
    told,
  };
}

export function testDatabase(context = testContext()): Database {
  return new Database(0, context);
}

const encoder = new TextEncoder();

export function key(text: string): Uint8Array {
  return encoder.encode(text);
}
