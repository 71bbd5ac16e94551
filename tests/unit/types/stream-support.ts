/** Streams for tests: IDs and entries from text. */
import { StreamId } from "../../../src/encodings/stream-id.ts";
import type { FieldSource } from "../../../src/encodings/stream-node.ts";
import { bytesOf } from "../bytes/random.ts";

export function idOf(text: string): StreamId {
  const id = new StreamId();
  const bytes = bytesOf(text);
  if (id.parse(bytes, 0, bytes.length, false) === 0) throw new Error(`no ID: ${text}`);
  return id;
}

export function textOf(id: StreamId): string {
  return Buffer.from(id.bytes()).toString("latin1");
}

/** Fields and values as they stand in a command, with something around them. */
export function fieldsOf(texts: readonly string[]): FieldSource {
  const start = new Int32Array(texts.length + 2);
  const end = new Int32Array(texts.length + 2);
  let at = 3;
  texts.forEach((text, i) => {
    start[i + 2] = at;
    at += text.length;
    end[i + 2] = at;
  });
  return { buf: bytesOf(`###${texts.join("")}###`), start, end, first: 2, count: texts.length / 2 };
}
