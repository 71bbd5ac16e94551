import { latin1Bytes } from "../../bytes/ascii.ts";
import { doubleText } from "../../bytes/double.ts";
import { formatDoubleHuman } from "../../bytes/long-double.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { decodePosition, distance, encodePosition, geohashText, position } from "../../types/geo.ts";
import { NX, XX } from "../../types/zset.ts";
import { addMembers, CH, OPTION_CH, OPTION_NX, OPTION_XX, reserveScores, scores } from "../zsets/adding.ts";
import { type ZsetKey, zsetAt } from "../zsets/key.ts";
import { distanceText, readPosition, unitAt } from "./arguments.ts";

/** GEOADD, GEOPOS, GEOHASH and GEODIST. */

const ZADD = latin1Bytes("ZADD");
const place = { longitude: 0, latitude: 0 };

export function geoadd(call: Call, key: ZsetKey): void {
  let flags = 0;
  let first = 2;
  for (; first < call.argc; first++) {
    if (call.is(first, OPTION_NX)) flags |= NX;
    else if (call.is(first, OPTION_XX)) flags |= XX;
    else if (call.is(first, OPTION_CH)) flags |= CH;
    else break;
  }
  const count = (call.argc - first) / 3;
  if (count <= 0 || count !== Math.floor(count) || ((flags & NX) !== 0 && (flags & XX) !== 0))
    throw new CommandError(errors.syntax);
  const values = reserveScores(count);
  for (let i = 0; i < count; i++) {
    readPosition(call, first + i * 3, place);
    values[i] = encodePosition(place.longitude, place.latitude);
  }
  addMembers(call, key, flags, count, first + 2, 3);
  if (call.recording && call.dirty > 0) propagate(call, first, count);
}

/** As ZADD, which gives the same scores wherever it is executed. */
function propagate(call: Call, first: number, count: number): void {
  const args = [ZADD];
  for (let i = 1; i < first; i++) args.push(call.bytes(i));
  for (let i = 0; i < count; i++)
    args.push(latin1Bytes(doubleText(scores.values[i]!)), call.bytes(first + i * 3 + 2));
  call.propagate(...args);
}

/** An array with a reply for each member asked for, by its score (NaN: it is not there). */
function eachMember(call: Call, reply: (score: number) => void): void {
  const { buf, start, end } = call;
  const set = zsetAt(call, 1);
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) reply(set === null ? Number.NaN : set.scoreOf(buf, start[i]!, end[i]!));
}

export function geopos(call: Call): void {
  const { reply } = call;
  eachMember(call, (score) => {
    if (Number.isNaN(score)) return reply.nilArray();
    decodePosition(score);
    replyCoordinates(reply, position.longitude, position.latitude);
  });
}

export function replyCoordinates(reply: ReplyWriter, longitude: number, latitude: number): void {
  reply.array(2);
  replyHuman(reply, longitude);
  replyHuman(reply, latitude);
}

/** A double with 17 decimals, without trailing zeros. */
function replyHuman(reply: ReplyWriter, value: number): void {
  const text = formatDoubleHuman(value);
  if (reply.resp === 3) reply.raw(latin1Bytes(`,${text}\r\n`));
  else reply.bulkText(text);
}

export function geohash(call: Call): void {
  const { reply } = call;
  eachMember(call, (score) => {
    if (Number.isNaN(score)) reply.nil();
    else reply.bulkText(geohashText(score));
  });
}

export function geodist(call: Call): void {
  const { buf, start, end, reply } = call;
  if (call.argc > 5) throw new CommandError(errors.syntax);
  const unit = call.argc === 5 ? unitAt(call, 4) : 1;
  const set = zsetAt(call, 1);
  const from = set === null ? Number.NaN : set.scoreOf(buf, start[2]!, end[2]!);
  const to = set === null ? Number.NaN : set.scoreOf(buf, start[3]!, end[3]!);
  if (Number.isNaN(from) || Number.isNaN(to)) return reply.nil();
  decodePosition(from);
  const { longitude, latitude } = position;
  decodePosition(to);
  reply.bulk(distanceText(distance(longitude, latitude, position.longitude, position.latitude) / unit));
}
