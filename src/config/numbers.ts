// The number formats of directives, with the C library's quirks that CONFIG SET shows through:
//
//   integer   optional minus, no leading zero, no blanks, within 64 bits
//   memory    digits and a unit: k m g are powers of 1000, kb mb gb of 1024, b or none is bytes. "" and "kb"
//             are 0, more than 64 bits of digits is the largest value
//   long      what strtoll accepts: leading blanks, a sign, and "" for 0
//
// All are bigint here, so that 64-bit values keep their last digit; callers narrow them.

export const INT_MAX = 2_147_483_647;
export const INT_MIN = -2_147_483_648;
export const UINT_MAX = 4_294_967_295;
export const LONG_MAX = 9_223_372_036_854_775_807n;
const LONG_MIN = -9_223_372_036_854_775_808n;
export const ULONG_MAX = 18_446_744_073_709_551_615n;

const MEMORY_UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1_000_000n,
  mb: 1_048_576n,
  g: 1_000_000_000n,
  gb: 1_073_741_824n,
};

export function parseInteger(text: string): bigint | null {
  if (text.length > 20 || !/^(0|-?[1-9][0-9]*)$/.test(text)) return null;
  const value = BigInt(text);
  return value < LONG_MIN || value > LONG_MAX ? null : value;
}

export function parseMemory(text: string): bigint | null {
  const match = /^([0-9]{0,127})([a-z]*)$/i.exec(text);
  const unit = match === null ? undefined : MEMORY_UNITS[match[2]!.toLowerCase()];
  if (match === null || unit === undefined) return null;
  const digits = BigInt(match[1]!);
  return BigInt.asUintN(64, (digits > ULONG_MAX ? ULONG_MAX : digits) * unit);
}

/** strtoll in the given base, null where characters are left over. */
export function parseLong(text: string, base: 8 | 10 = 10): bigint | null {
  const match = /^[ \t-\r]*([+-]?)([0-9]+)$/.exec(text);
  if (match === null) return text === "" ? 0n : null;
  if (base === 8 && /[89]/.test(match[2]!)) return null;
  const digits = BigInt(base === 8 ? `0o${match[2]}` : match[2]!);
  const value = match[1] === "-" ? -digits : digits;
  return value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value;
}

/** A double as string2d reads it: decimal, exponent, hexadecimal integer or inf; null for anything else. */
export function parseDouble(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^[+-]?0x[0-9a-f]+$/i.test(text)) {
    return text.startsWith("-") ? -Number(text.slice(1)) : Number(text.replace("+", ""));
  }
  if (/^[+-]?inf(inity)?$/i.test(text)) {
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return null;
}

/** A byte count in the largest binary unit that divides it, as CONFIG REWRITE writes it. */
export function formatMemory(bytes: bigint): string {
  if (bytes !== 0n) {
    if (bytes % MEMORY_UNITS.gb! === 0n) return `${bytes / MEMORY_UNITS.gb!}gb`;
    if (bytes % MEMORY_UNITS.mb! === 0n) return `${bytes / MEMORY_UNITS.mb!}mb`;
    if (bytes % MEMORY_UNITS.kb! === 0n) return `${bytes / MEMORY_UNITS.kb!}kb`;
  }
  return bytes.toString();
}

/** Up to six decimals without trailing zeros. */
export function formatDouble(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}
