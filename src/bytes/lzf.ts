// LZF, the compression of long strings in RDB files and of inner quicklist nodes.
//
//   000LLLLL                      L+1 literal bytes (1..32) follow
//   LLLooooo oooooooo             copy L+2 bytes (3..8) from o+1 bytes back in the output
//   111ooooo LLLLLLLL oooooooo    copy L+9 bytes (9..264) from o+1 bytes back; o is 13 bits, high bits first
//
// A copy may overlap its own output (distance 1 repeats one byte), so it goes byte by byte, forwards.
// Neither length is in the stream: the container stores both.
//
// How compression works: greedy. A hash of three bytes leads to the last place where they stood; if they
// really stand there, within 8,192 bytes, the match is taken as long as it goes. Table entries are absolute
// (`base` grows with each call), so entries of earlier inputs are out of reach and need no clearing.

const MAX_LITERALS = 32;
const MAX_MATCH = 264;
const MAX_DISTANCE = 8192;
const HASH_BITS = 14;
const BASE_LIMIT = 0x7fffffff;

const table = new Int32Array(1 << HASH_BITS);
let base = 1;

/**
 * Compresses `src[start, end)` into `dst[dstStart, dstEnd)`. Returns the number of bytes written, or 0 if
 * they do not fit: give four bytes less room than the input has to accept only what is worth it, as RDB does.
 */
export function lzfCompress(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  dstStart: number,
  dstEnd: number,
): number {
  const length = end - start;
  if (length <= 0) return 0;
  if (base > BASE_LIMIT - length) {
    table.fill(0);
    base = 1;
  }
  const bias = base - start;
  base += length;

  let op = dstStart;
  let literals = start;
  let ip = start;
  let window = (src[start]! << 8) | src[start + 1]!;
  while (ip < end - 2) {
    window = ((window << 8) | src[ip + 2]!) & 0xffffff;
    const slot = hash(window);
    const ref = table[slot]! - bias;
    table[slot] = ip + bias;
    if (
      ref < start ||
      ip - ref > MAX_DISTANCE ||
      src[ref] !== src[ip] ||
      src[ref + 1] !== src[ip + 1] ||
      src[ref + 2] !== src[ip + 2]
    ) {
      // Literals take more than their own length: stop as soon as they cannot fit.
      if (++ip - literals > dstEnd - op) return 0;
      continue;
    }

    op = writeLiterals(src, literals, ip, dst, op, dstEnd);
    if (op < 0) return 0;
    const limit = Math.min(MAX_MATCH, end - ip);
    let matched = 3;
    while (matched < limit && src[ref + matched] === src[ip + matched]) matched++;

    const offset = ip - ref - 1;
    if (matched < 9) {
      if (op + 2 > dstEnd) return 0;
      dst[op++] = ((matched - 2) << 5) | (offset >> 8);
    } else {
      if (op + 3 > dstEnd) return 0;
      dst[op++] = 0xe0 | (offset >> 8);
      dst[op++] = matched - 9;
    }
    dst[op++] = offset;

    ip += matched;
    literals = ip;
    // Of the bytes just covered only the last two starts are remembered: cheap, and runs still chain.
    if (ip < end - 2) {
      window = (src[ip - 2]! << 16) | (src[ip - 1]! << 8) | src[ip]!;
      table[hash(window)] = ip - 2 + bias;
      window = ((window << 8) | src[ip + 1]!) & 0xffffff;
      table[hash(window)] = ip - 1 + bias;
    }
  }
  op = writeLiterals(src, literals, end, dst, op, dstEnd);
  return op < 0 ? 0 : op - dstStart;
}

/**
 * Decompresses `src[start, end)` into `dst[dstStart, dstEnd)`. Returns the number of bytes written, or -1 if
 * the input is corrupt or does not fit; then `dst` may hold a part. Callers compare with the stored length.
 */
export function lzfDecompress(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  dstStart: number,
  dstEnd: number,
): number {
  let ip = start;
  let op = dstStart;
  while (ip < end) {
    const control = src[ip++]!;
    if (control < MAX_LITERALS) {
      const stop = ip + control + 1;
      if (stop > end || op + control + 1 > dstEnd) return -1;
      while (ip < stop) dst[op++] = src[ip++]!;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) {
      if (ip >= end) return -1;
      count += src[ip++]!;
    }
    if (ip >= end) return -1;
    let ref = op - ((control & 0x1f) << 8) - src[ip++]! - 1;
    const stop = op + count;
    if (ref < dstStart || stop > dstEnd) return -1;
    while (op < stop) dst[op++] = dst[ref++]!;
  }
  return op - dstStart;
}

function writeLiterals(
  src: Uint8Array,
  from: number,
  to: number,
  dst: Uint8Array,
  op: number,
  dstEnd: number,
): number {
  while (from < to) {
    const count = Math.min(MAX_LITERALS, to - from);
    if (op + count + 1 > dstEnd) return -1;
    dst[op++] = count - 1;
    for (const stop = from + count; from < stop; ) dst[op++] = src[from++]!;
  }
  return op;
}

function hash(threeBytes: number): number {
  return Math.imul(threeBytes, 0x9e3779b1) >>> (32 - HASH_BITS);
}
