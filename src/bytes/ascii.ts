/**
 * Text as bytes. The server moves bytes; strings appear only at its edges (configuration, logs, rare
 * replies). `copyBytes` is the one memory copy of the hot path: short runs in a loop, longer ones through
 * the engine's memcpy, and neither allocates a view.
 */

const encoder = new TextEncoder();
const nativeCopy = Buffer.prototype.copy as (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  sourceStart: number,
  sourceEnd: number,
) => number;

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One byte a character; characters above U+00FF are not expected. */
export function latin1Bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/**
 * Bytes of a text: one a character where all fit (text that came from bytes goes out as it came), else UTF-8.
 */
export function textBytes(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return utf8(text);
  return latin1Bytes(text);
}

/** One character a byte, so that no byte is lost on the way through a string. */
export function latin1Text(buf: Uint8Array, start = 0, end = buf.length): string {
  const length = end - start;
  if (length > 64) return Buffer.from(buf.buffer, buf.byteOffset + start, length).toString("latin1");
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(buf[i]!);
  return text;
}

/** From so many bytes on the engine's copy is faster than a loop. */
const NATIVE_FROM = 40;

/**
 * Copies `source[start, end)` to `target` at `offset`. The ranges may overlap only in different buffers.
 *
 * The loop runs over int32, whatever the numbers given are to the engine: once some caller has given one that it
 * keeps as a double, the loop over the arguments themselves was several times slower for all callers. Beyond 2 GiB
 * they would be negative, which is left to the engine's own copy.
 */
export function copyBytes(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  let to = offset | 0;
  let from = start | 0;
  const stop = end | 0;
  if (end - start >= NATIVE_FROM || (to | from | stop) < 0) {
    nativeCopy.call(source, target, offset, start, end);
    return;
  }
  // Four at a time, since the loop's own work is as much as a byte's.
  const fours = (stop - 3) | 0;
  for (; from < fours; from = (from + 4) | 0, to = (to + 4) | 0) {
    target[to] = source[from]!;
    target[(to + 1) | 0] = source[(from + 1) | 0]!;
    target[(to + 2) | 0] = source[(from + 2) | 0]!;
    target[(to + 3) | 0] = source[(from + 3) | 0]!;
  }
  for (; from < stop; from = (from + 1) | 0, to = (to + 1) | 0) target[to] = source[from]!;
}

/** A lower-case copy of an ASCII byte; other bytes as they are. */
export function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte;
}

/** Whether `buf[start, end)` equals `literal` (given in lower case), ignoring ASCII case. */
export function equalsLower(buf: Uint8Array, start: number, end: number, literal: Uint8Array): boolean {
  if (end - start !== literal.length) return false;
  for (let i = 0; i < literal.length; i++) if (lower(buf[start + i]!) !== literal[i]) return false;
  return true;
}

/** Lexicographic comparison as memcmp, then by length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** As Redis prints a byte string for people: quoted, with escapes for what is not printable. */
export function quoteBytes(buf: Uint8Array, start = 0, end = buf.length): string {
  let out = '"';
  for (let i = start; i < end; i++) {
    const c = buf[i]!;
    if (c === 34 || c === 92) out += `\\${String.fromCharCode(c)}`;
    else if (c === 10) out += "\\n";
    else if (c === 13) out += "\\r";
    else if (c === 9) out += "\\t";
    else if (c === 7) out += "\\a";
    else if (c === 8) out += "\\b";
    else if (c >= 32 && c < 127) out += String.fromCharCode(c);
    else out += `\\x${c.toString(16).padStart(2, "0")}`;
  }
  return `${out}"`;
}
