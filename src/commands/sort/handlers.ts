import { parseDouble } from "../../bytes/double.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { Quicklist } from "../../encodings/quicklist.ts";
import { TYPE_SET } from "../../keyspace/record.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ListLimits } from "../../types/list.ts";
import { ListValue } from "../lists/values.ts";
import { Elements } from "./elements.ts";
import { SortOptions } from "./options.ts";
import { nothing } from "./patterns.ts";
import type { FieldSource, SortSources } from "./sources.ts";

/**
 * SORT and SORT_RO. The elements are copied out first, then weighed (by themselves or by BY), put in order as an
 * array of their numbers, and written or stored. Text is compared byte by byte, as in the C locale.
 */
export interface Sorting {
  readonly sources: SortSources;
  readonly fields: FieldSource;
  readonly limits: ListLimits;
  readonly inCluster: () => boolean;
  /** BY and GET read keys that no argument names. */
  readonly mayReadAnyKey: (call: Call) => boolean;
}

/** The elements with the order in which they go out: those of `order[from, to)`. */
interface Sorted {
  elements: Elements;
  order: Uint32Array;
  from: number;
  to: number;
}

export function sort(call: Call, sorting: Sorting, readOnly: boolean): void {
  const options = new SortOptions(call, readOnly, sorting);
  const position = call.lookup(1);
  const sorted = position === 0 ? NO_ELEMENTS : sortValue(call, sorting, options, position);
  if (options.store === 0) reply(call, sorting, options, sorted);
  else store(call, sorting, options, sorted);
}

const NO_ELEMENTS: Sorted = { elements: new Elements(0), order: new Uint32Array(0), from: 0, to: 0 };

function sortValue(call: Call, sorting: Sorting, options: SortOptions, position: number): Sorted {
  const { db } = call;
  const type = db.records.type(position);
  const source = sorting.sources.get(type);
  if (source === undefined) throw new CommandError(errors.wrongType);
  const length = source.length(db, position);
  const from = Math.min(Math.max(options.offset, 0), length);
  const to = options.count < 0 ? length : Math.min(length, from + options.count);
  // What is stored, or a script works with, is to be the same everywhere: a set is put in some order at least.
  const forced = options.inOrder && type === TYPE_SET && (options.store > 0 || call.session.scripted);
  if (options.inOrder && !forced) {
    const whole = type === TYPE_SET;
    const count = whole ? length : to - from;
    const elements = new Elements(count);
    const { descending } = options;
    if (count > 0)
      source.load(db, position, descending ? length - from - 1 : from, count, descending, elements);
    return { elements, order: numbers(count), from: whole ? from : 0, to: whole ? to : count };
  }
  const elements = new Elements(length);
  source.load(db, position, 0, length, false, elements);
  return { elements, order: ordered(call, sorting, options, elements, forced), from, to };
}

function numbers(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order;
}

function ordered(
  call: Call,
  sorting: Sorting,
  options: SortOptions,
  elements: Elements,
  forced: boolean,
): Uint32Array {
  const order = numbers(elements.count);
  const weights = options.by === null || forced ? elements : weightsBy(call, sorting, options, elements);
  const sign = options.descending ? -1 : 1;
  if (options.alpha || forced) return order.sort((a, b) => sign * weights.compare(a, b));
  const scores = new Float64Array(elements.count);
  for (let i = 0; i < scores.length; i++)
    if (!weights.isMissing(i)) scores[i] = scoreOf(weights.bytes, weights.start(i), weights.end(i));
  return order.sort((a, b) => {
    const x = scores[a]!;
    const y = scores[b]!;
    if (x !== y) return x < y ? -sign : sign;
    return sign * elements.compare(a, b);
  });
}

/** What BY gives each element for a weight. */
function weightsBy(call: Call, { fields }: Sorting, { by }: SortOptions, elements: Elements): Elements {
  const weights = new Elements(elements.count);
  const found = nothing();
  for (let i = 0; i < elements.count; i++) {
    if (by!.find(call, fields, elements.bytes, elements.start(i), elements.end(i), found))
      weights.add(found.buf, found.start, found.end);
    else weights.addMissing();
  }
  return weights;
}

/** A weight as C's strtod reads it: up to a NUL, after spaces, nothing at all being 0. */
function scoreOf(buf: Uint8Array, start: number, end: number): number {
  if (start === end) return 0;
  if (buf[start]! > SPACE) {
    const score = parseDouble(buf, start, end);
    if (!Number.isNaN(score)) return score;
  }
  for (let i = start; i < end; i++) if (buf[i] === 0) end = i;
  if (start === end) return 0;
  while (start < end && (buf[start] === SPACE || (buf[start]! >= 9 && buf[start]! <= 13))) start++;
  const score = parseDouble(buf, start, end);
  if (Number.isNaN(score)) throw new CommandError("ERR One or more scores can't be converted into double");
  return score;
}

const SPACE = 0x20;

function reply(call: Call, { fields }: Sorting, { get }: SortOptions, sorted: Sorted): void {
  const { elements, order, from, to } = sorted;
  const { bytes } = elements;
  const out = call.reply;
  const found = nothing();
  out.array((to - from) * Math.max(1, get.length));
  for (let i = from; i < to; i++) {
    const start = elements.start(order[i]!);
    const end = elements.end(order[i]!);
    if (get.length === 0) out.bulk(bytes, start, end);
    for (const pattern of get) {
      if (pattern.find(call, fields, bytes, start, end, found)) out.bulk(found.buf, found.start, found.end);
      else out.nil();
    }
  }
}

/** Redis makes the list to be stored with nodes of the default size. */
const STORED_FILL = -2;
const STORED_DEPTH = 0;

function store(call: Call, { fields, limits }: Sorting, options: SortOptions, sorted: Sorted): void {
  const { elements, order, from, to } = sorted;
  const { bytes } = elements;
  const { get } = options;
  const list = new Quicklist(limits, STORED_FILL, STORED_DEPTH);
  const found = nothing();
  for (let i = from; i < to; i++) {
    const start = elements.start(order[i]!);
    const end = elements.end(order[i]!);
    if (get.length === 0) list.push(false, bytes, start, end);
    for (const pattern of get) {
      if (pattern.find(call, fields, bytes, start, end, found))
        list.push(false, found.buf, found.start, found.end);
      else list.push(false, bytes, 0, 0);
    }
  }
  const { buf, start, end, db } = call;
  const target = options.store;
  const old = db.find(buf, start[target]!, end[target]!);
  const { length } = list;
  if (length > 0) {
    if (old !== 0) db.removeReplaced(old);
    new ListValue(limits).adopt(db, buf, start[target]!, end[target]!, list);
    call.event(NOTIFY.list, "sortstore", target);
    call.dirty += length;
  } else if (old !== 0) {
    db.remove(old);
    call.event(NOTIFY.generic, "del", target);
    call.dirty++;
  }
  call.reply.int(length);
}
