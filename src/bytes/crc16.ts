// CRC-16/XMODEM and the cluster key slot.
//
// Polynomial x^16 + x^12 + x^5 + 1 (0x1021), most significant bit first, initial value 0, nothing reflected
// or inverted; "123456789" gives 0x31c3. A key's slot is its CRC modulo 16384. If the key holds a hash tag,
//
//   user:{1000}:name         the bytes between the first '{' and the first '}' behind it,
//         ----               unless there are none,
//
// only the tag is hashed, so that related keys share a slot.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags

export const SLOT_COUNT = 16384;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const TABLE = buildTable();

export function crc16(buf: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >>> 8) ^ buf[i]!]!;
  return crc;
}

/** The slot (0 .. 16383) of the key `buf[start, end)`. */
export function keySlot(buf: Uint8Array, start: number, end: number): number {
  for (let open = start; open < end; open++) {
    if (buf[open] !== OPEN) continue;
    for (let close = open + 1; close < end; close++) {
      if (buf[close] !== CLOSE) continue;
      if (close === open + 1) break;
      return crc16(buf, open + 1, close) & (SLOT_COUNT - 1);
    }
    break;
  }
  return crc16(buf, start, end) & (SLOT_COUNT - 1);
}

function buildTable(): Uint16Array {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = crc;
  }
  return table;
}
