// CRC-64 as in the footer of RDB files and of DUMP payloads ("Jones" polynomial).
//
// Polynomial 0xad93d23594c935a9, reflected in and out, initial value 0, no final inversion; "123456789"
// gives e9c6d914c4b8d9ca. In a file it stands as 8 bytes, little-endian.
//
// How it works: slicing by eight. TABLE k holds, for each byte, what that byte contributes when k more bytes
// follow it, so eight bytes are taken at once: the first eight bytes XOR the CRC select one entry in each
// table, and the XOR of the entries is the new CRC. JavaScript has no fast 64-bit integer, so a CRC is two
// int32 halves and each table is two: LO and HI, entry (k << 8 | byte). 16 KiB in all, built at load.

const POLY_LO = 0x94c935a9;
const POLY_HI = 0xad93d235;

const LO = new Int32Array(8 * 256);
const HI = new Int32Array(8 * 256);
buildTables();

/** An incremental checksum: feed it with `update`, in as many pieces as you like. */
export class Crc64 {
  lo = 0;
  hi = 0;

  reset(): void {
    this.lo = 0;
    this.hi = 0;
  }

  update(buf: Uint8Array, start: number, end: number): this {
    let lo = this.lo;
    let hi = this.hi;
    let i = start;
    for (const last = end - 8; i <= last; i += 8) {
      lo ^= buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
      hi ^= buf[i + 4]! | (buf[i + 5]! << 8) | (buf[i + 6]! << 16) | (buf[i + 7]! << 24);
      const a = 0x700 | (lo & 0xff);
      const b = 0x600 | ((lo >>> 8) & 0xff);
      const c = 0x500 | ((lo >>> 16) & 0xff);
      const d = 0x400 | (lo >>> 24);
      const e = 0x300 | (hi & 0xff);
      const f = 0x200 | ((hi >>> 8) & 0xff);
      const g = 0x100 | ((hi >>> 16) & 0xff);
      const h = hi >>> 24;
      lo = LO[a]! ^ LO[b]! ^ LO[c]! ^ LO[d]! ^ LO[e]! ^ LO[f]! ^ LO[g]! ^ LO[h]!;
      hi = HI[a]! ^ HI[b]! ^ HI[c]! ^ HI[d]! ^ HI[e]! ^ HI[f]! ^ HI[g]! ^ HI[h]!;
    }
    for (; i < end; i++) {
      const entry = (lo ^ buf[i]!) & 0xff;
      lo = ((lo >>> 8) | (hi << 24)) ^ LO[entry]!;
      hi = (hi >>> 8) ^ HI[entry]!;
    }
    this.lo = lo;
    this.hi = hi;
    return this;
  }

  /** Writes the 8 bytes as they stand in RDB and DUMP; returns the offset behind them. */
  writeTo(out: Uint8Array, offset: number): number {
    for (let i = 0; i < 4; i++) {
      out[offset + i] = this.lo >>> (8 * i);
      out[offset + 4 + i] = this.hi >>> (8 * i);
    }
    return offset + 8;
  }

  /** Whether the 8 bytes at `offset` are this checksum. */
  equalsAt(buf: Uint8Array, offset: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (buf[offset + i] !== ((this.lo >>> (8 * i)) & 0xff)) return false;
      if (buf[offset + 4 + i] !== ((this.hi >>> (8 * i)) & 0xff)) return false;
    }
    return true;
  }

  toBigInt(): bigint {
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }
}

export function crc64(buf: Uint8Array, start: number, end: number): bigint {
  return new Crc64().update(buf, start, end).toBigInt();
}

function buildTables(): void {
  const polyLo = reverse32(POLY_HI);
  const polyHi = reverse32(POLY_LO);
  for (let byte = 0; byte < 256; byte++) {
    let lo = byte;
    let hi = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = lo & 1;
      lo = (lo >>> 1) | (hi << 31);
      hi >>>= 1;
      if (carry) {
        lo ^= polyLo;
        hi ^= polyHi;
      }
    }
    LO[byte] = lo;
    HI[byte] = hi;
  }
  // One more zero byte behind: shift the entry of the table before by a byte.
  for (let i = 256; i < 8 * 256; i++) {
    const lo = LO[i - 256]!;
    const hi = HI[i - 256]!;
    LO[i] = ((lo >>> 8) | (hi << 24)) ^ LO[lo & 0xff]!;
    HI[i] = (hi >>> 8) ^ HI[lo & 0xff]!;
  }
}

function reverse32(x: number): number {
  let r = 0;
  for (let i = 0; i < 32; i++) r = (r << 1) | ((x >>> i) & 1);
  return r;
}
