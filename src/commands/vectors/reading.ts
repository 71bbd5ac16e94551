import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { INT8, QUERY } from "../../encodings/vector-store.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { QUANTIZATION_NAMES } from "../../types/vector-set.ts";
import { nodeAt, replyName, similarity, vectorSetAt } from "./common.ts";

/** VCARD, VDIM, VEMB, VGETATTR, VINFO, VISMEMBER, VLINKS: what a vector set and its elements are like. */

export function vcard(call: Call): void {
  call.reply.int(vectorSetAt(call)?.size ?? 0);
}

export function vdim(call: Call): void {
  const set = vectorSetAt(call);
  if (set === null) throw new CommandError("ERR key does not exist");
  call.reply.int(set.dimension);
}

export function vismember(call: Call): void {
  call.reply.bool(nodeAt(call, vectorSetAt(call), 2) !== QUERY);
}

export function vgetattr(call: Call): void {
  const set = vectorSetAt(call);
  const node = nodeAt(call, set, 2);
  if (node !== QUERY && set!.readAttributes(node)) call.reply.bulk(set!.buf, set!.start, set!.end);
  else call.reply.nil();
}

export function vemb(call: Call): void {
  for (let i = 3; i < call.argc; i++) if (!call.is(i, RAW)) throw new CommandError("ERR invalid option");
  const { reply } = call;
  const set = vectorSetAt(call);
  const node = nodeAt(call, set, 2);
  if (set === null || node === QUERY) {
    reply.nil();
    return;
  }
  const { vectors, quantization } = set.graph;
  if (call.argc === 3) {
    const vector = vectors.read(node);
    reply.array(vector.length);
    for (const component of vector) reply.double(component);
    return;
  }
  reply.array(quantization === INT8 ? 4 : 3);
  reply.simple(QUANTIZATION_NAMES[quantization]);
  reply.bulk(vectors.bytes(node));
  reply.double(vectors.lengths[node]!);
  if (quantization === INT8) reply.double(vectors.ranges[node]!);
}

export function vlinks(call: Call): void {
  const scores = call.argc === 4;
  if (call.argc > 4 || (scores && !call.is(3, WITHSCORES))) throw new CommandError(wrongArity("vlinks"));
  const { reply } = call;
  const set = vectorSetAt(call);
  const node = nodeAt(call, set, 2);
  if (set === null || node === QUERY) {
    reply.nil();
    return;
  }
  const { graph } = set;
  reply.array(graph.level(node) + 1);
  for (let layer = graph.level(node); layer >= 0; layer--) {
    const { rows, row } = graph.links(node, layer);
    const count = rows.count(row);
    if (scores) reply.map(count);
    else reply.array(count);
    for (let i = 0; i < count; i++) {
      const other = rows.link(row, i);
      replyName(reply, set, other);
      if (scores) reply.double(Math.fround(similarity(graph.vectors.distance(node, other))));
    }
  }
}

export function vinfo(call: Call): void {
  const { reply } = call;
  const set = vectorSetAt(call);
  if (set === null) {
    reply.nilArray();
    return;
  }
  const { graph } = set;
  const fields: [string, string | number][] = [
    ["quant-type", QUANTIZATION_NAMES[graph.quantization]],
    ["hnsw-m", graph.m],
    ["vector-dim", set.dimension],
    ["projection-input-dim", set.inputDimension],
    ["size", set.size],
    ["max-level", graph.maxLevel],
    ["attributes-count", set.attributed],
    ["vset-uid", set.uid],
    ["hnsw-max-node-uid", graph.lastId],
  ];
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.simple(name);
    if (typeof value === "string") reply.simple(value);
    else reply.int(value);
  }
}

const RAW = latin1Bytes("raw");
const WITHSCORES = latin1Bytes("withscores");
