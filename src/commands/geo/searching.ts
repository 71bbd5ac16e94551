import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import type { SortedSet } from "../../encodings/sorted-set.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { decodePosition, position } from "../../types/geo.ts";
import { type Area, Found, search } from "../../types/geo-search.ts";
import { type ZsetKey, zsetAt } from "../zsets/key.ts";
import { distanceText, readBox, readCircle, readPolygon, readPosition } from "./arguments.ts";
import { replyCoordinates } from "./members.ts";

/** GEOSEARCH, GEOSEARCHSTORE, GEORADIUS and GEORADIUSBYMEMBER. */

const word = (text: string) => latin1Bytes(text);
const WITHDIST = word("withdist");
const WITHHASH = word("withhash");
const WITHCOORD = word("withcoord");
const ANY = word("any");
const ASC = word("asc");
const DESC = word("desc");
const COUNT = word("count");
const STORE = word("store");
const STOREDIST = word("storedist");
const FROMMEMBER = word("frommember");
const FROMLONLAT = word("fromlonlat");
const BYRADIUS = word("byradius");
const BYBOX = word("bybox");
const BYPOLYGON = word("bypolygon");

type Form = "radius" | "radius-read-only" | "search" | "search-store";

/** What the command under way asks for. */
class Query {
  readonly area: Area = {
    longitude: 0,
    latitude: 0,
    shape: "circle",
    radius: 0,
    width: 0,
    height: 0,
    unit: 1,
    vertices: [],
  };
  withDistance = false;
  withHash = false;
  withCoordinates = false;
  any = false;
  sort: "none" | "asc" | "desc" = "none";
  /** 0: all. */
  count = 0;
  /** The argument with the key to store under, or 0. */
  storeAt = 0;
  storeDistance = false;
  fromMember = false;
  fromPosition = false;
  byRadius = false;
  byBox = false;
  byPolygon = false;

  clear(form: Form): void {
    this.withDistance = this.withHash = this.withCoordinates = this.any = false;
    this.sort = "none";
    this.count = 0;
    this.storeAt = form === "search-store" ? 1 : 0;
    this.storeDistance = false;
    this.fromMember = this.fromPosition = this.byRadius = this.byBox = this.byPolygon = false;
  }

  /** Reads the options from argument `from` on. */
  read(call: Call, from: number, form: Form, set: SortedSet | null): void {
    for (let i = from; i < call.argc; ) {
      const taken = this.output(call, i) || this.target(call, i, form) || this.place(call, i, form, set);
      if (taken === 0) throw new CommandError(errors.syntax);
      i += taken;
    }
  }

  /** Reads one option on what is returned; how many arguments it takes, or 0. */
  private output(call: Call, i: number): number {
    if (call.is(i, WITHDIST)) this.withDistance = true;
    else if (call.is(i, WITHHASH)) this.withHash = true;
    else if (call.is(i, WITHCOORD)) this.withCoordinates = true;
    else if (call.is(i, ANY)) this.any = true;
    else if (call.is(i, ASC)) this.sort = "asc";
    else if (call.is(i, DESC)) this.sort = "desc";
    else if (call.is(i, COUNT) && i + 1 < call.argc) {
      this.count = call.int(i + 1);
      if (this.count <= 0) throw new CommandError("ERR COUNT must be > 0");
      return 2;
    } else return 0;
    return 1;
  }

  private target(call: Call, i: number, form: Form): number {
    if (form === "search-store" && call.is(i, STOREDIST)) {
      this.storeDistance = true;
      return 1;
    }
    if (form !== "radius" || i + 1 >= call.argc) return 0;
    const withDistance = call.is(i, STOREDIST);
    if (!withDistance && !call.is(i, STORE)) return 0;
    this.storeAt = i + 1;
    this.storeDistance = withDistance;
    return 2;
  }

  /** FROM... and BY... of GEOSEARCH. */
  private place(call: Call, i: number, form: Form, set: SortedSet | null): number {
    if (form !== "search" && form !== "search-store") return 0;
    const left = call.argc - i - 1;
    // A polygon has a centre of its own, and no other shape beside it.
    if (this.byPolygon) return 0;
    if (left >= 1 && !this.fromMember && !this.fromPosition && !this.byRadius && !this.byBox)
      if (call.is(i, BYPOLYGON)) {
        this.byPolygon = true;
        return readPolygon(call, i + 1, this.area) - i + 1;
      }
    if (left >= 1 && !this.fromPosition && call.is(i, FROMMEMBER)) {
      if (set !== null) this.centreOn(call, i + 1, set);
      this.fromMember = true;
      return 2;
    }
    if (left >= 2 && !this.fromMember && call.is(i, FROMLONLAT)) {
      readPosition(call, i + 1, this.area);
      this.fromPosition = true;
      return 3;
    }
    if (left >= 2 && !this.byBox && call.is(i, BYRADIUS)) {
      readCircle(call, i + 1, this.area);
      this.byRadius = true;
      return 3;
    }
    if (left >= 3 && !this.byRadius && call.is(i, BYBOX)) {
      readBox(call, i + 1, this.area);
      this.byBox = true;
      return 4;
    }
    return 0;
  }

  /** Takes the position of the member in argument i as the centre. */
  centreOn(call: Call, i: number, set: SortedSet): void {
    const score = set.scoreOf(call.buf, call.start[i]!, call.end[i]!);
    if (Number.isNaN(score)) throw new CommandError("ERR could not decode requested zset member");
    decodePosition(score);
    this.area.longitude = position.longitude;
    this.area.latitude = position.latitude;
  }

  /** Throws where options do not go together. */
  check(call: Call, form: Form): void {
    const searching = form === "search" || form === "search-store";
    if (this.storeAt > 0 && (this.withDistance || this.withHash || this.withCoordinates)) {
      const what = searching ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
      throw new CommandError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
    }
    if (this.byPolygon) {
      if (this.any && this.count === 0)
        throw new CommandError("ERR the ANY argument requires COUNT argument");
      return;
    }
    if (searching && !this.fromMember && !this.fromPosition)
      throw new CommandError(
        `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${call.text(0)}`,
      );
    if (searching && !this.byRadius && !this.byBox)
      throw new CommandError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${call.text(0)}`);
    if (this.any && this.count === 0) throw new CommandError("ERR the ANY argument requires COUNT argument");
  }
}

const query = new Query();
const found = new Found();

export function georadius(call: Call, key: ZsetKey, readOnly: boolean): void {
  const form = readOnly ? "radius-read-only" : "radius";
  query.clear(form);
  const set = zsetAt(call, 1);
  readPosition(call, 2, query.area);
  readCircle(call, 4, query.area);
  run(call, key, form, set, 6);
}

export function georadiusbymember(call: Call, key: ZsetKey, readOnly: boolean): void {
  const form = readOnly ? "radius-read-only" : "radius";
  query.clear(form);
  const set = zsetAt(call, 1);
  if (set !== null) {
    query.centreOn(call, 2, set);
    readCircle(call, 3, query.area);
  }
  run(call, key, form, set, 5);
}

export function geosearch(call: Call, key: ZsetKey): void {
  query.clear("search");
  run(call, key, "search", zsetAt(call, 1), 2);
}

export function geosearchstore(call: Call, key: ZsetKey): void {
  query.clear("search-store");
  run(call, key, "search-store", zsetAt(call, 2), 3);
}

function run(call: Call, key: ZsetKey, form: Form, set: SortedSet | null, options: number): void {
  query.read(call, options, form, set);
  query.check(call, form);
  const { any, count, storeAt } = query;
  if (set === null) found.count = 0;
  else search(set, query.area, any ? count : 0, found);
  const sort = count > 0 && !any && query.sort === "none" ? "asc" : query.sort;
  const order = found.order(sort);
  const wanted = count > 0 && count < order.length ? order.subarray(0, count) : order;
  if (storeAt === 0) reply(call.reply, set, wanted);
  else store(call, key, storeAt, set, wanted, form === "search-store" ? "geosearchstore" : "georadiusstore");
}

function reply(writer: ReplyWriter, set: SortedSet | null, order: Uint32Array): void {
  const { withDistance, withHash, withCoordinates } = query;
  const extras = Number(withDistance) + Number(withHash) + Number(withCoordinates);
  writer.array(order.length);
  for (const i of order) {
    if (extras > 0) writer.array(extras + 1);
    set!.seek(found.ranks[i]!);
    writer.bulk(set!.buf, set!.start, set!.end);
    if (withDistance) writer.bulk(distanceText(found.distances[i]! / query.area.unit));
    if (withHash) replyHash(writer, found.scores[i]!);
    if (withCoordinates) replyCoordinates(writer, found.longitudes[i]!, found.latitudes[i]!);
  }
}

/** A score as C's conversion to a 64-bit integer makes it. */
function replyHash(writer: ReplyWriter, score: number): void {
  const whole = Math.trunc(score);
  if (Number.isSafeInteger(whole)) writer.int(whole);
  else writer.bigint(Math.abs(whole) < 2 ** 63 ? BigInt(whole) : -(2n ** 63n));
}

function store(
  call: Call,
  key: ZsetKey,
  at: number,
  set: SortedSet | null,
  order: Uint32Array,
  event: string,
): void {
  const result = key.zset.newIndex();
  for (const i of order) {
    set!.seek(found.ranks[i]!);
    const score = query.storeDistance ? found.distances[i]! / query.area.unit : found.scores[i]!;
    const { buf, start, end } = set!;
    // A member is found twice where two of the rectangles searched are the same.
    if (Number.isNaN(result.scoreOf(buf, start, end))) result.insert(score, buf, start, end);
  }
  if (key.store(call, at, result, event)) call.dirty += Math.max(1, order.length);
  call.reply.int(order.length);
}
