import { isPayload } from "./dump.ts";
import { corrupt, OP, RDB_VERSION } from "./format.ts";
import { RdbReader } from "./reader.ts";
import { RdbWriter } from "./writer.ts";

/**
 * FUNCTION DUMP's payload: every library's source as it stands in an RDB file, and the footer of DUMP.
 *
 *   [245][source as a string] ...  [version u16][CRC64 of all before it]
 */
const FOOTER = 10;

export function writeLibraries(sources: Iterable<Uint8Array>, compress: boolean): Uint8Array {
  const writer = new RdbWriter({ compress, checksum: true });
  for (const source of sources) {
    writer.byte(OP.FUNCTION2);
    writer.string(source);
  }
  writer.byte(RDB_VERSION & 255);
  writer.byte(RDB_VERSION >> 8);
  writer.writeChecksum();
  return writer.buf.slice(0, writer.pos);
}

/** The sources; a text is what is wrong with the payload. */
export function readLibraries(
  buf: Uint8Array,
  start: number,
  end: number,
  skipChecksum: boolean,
): Uint8Array[] | string {
  if (!isPayload(buf, start, end, skipChecksum)) return "ERR DUMP payload version or checksum are wrong";
  const reader = new RdbReader(false);
  reader.use(buf, start, end);
  const sources: Uint8Array[] = [];
  while (reader.left > FOOTER) {
    const type = reader.byte();
    if (type === OP.FUNCTION_PRE_GA) return "ERR Pre-GA function format not supported";
    if (type !== OP.FUNCTION2) return "ERR given type is not a function";
    try {
      sources.push(reader.stringCopy());
      if (reader.left < FOOTER) corrupt("a library reaches into the footer");
    } catch {
      return "ERR Failed loading library payload";
    }
  }
  return sources;
}
