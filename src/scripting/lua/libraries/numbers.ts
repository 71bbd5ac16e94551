/** A number as C's printf writes it with "%.<precision>g". */
export function formatG(value: number, precision: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  const [digits, exponent] = splitExponent(value.toExponential(precision - 1));
  if (exponent < -4 || exponent >= precision) {
    const mantissa = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const fixed = value.toFixed(Math.max(0, precision - 1 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

function splitExponent(text: string): [string, number] {
  const at = text.indexOf("e");
  return [text.slice(0, at), Number(text.slice(at + 1))];
}

const NUMBER =
  /[+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)/iy;

/** What C's strtod finds at the beginning of a text: the number and how long it is; null: no number. */
export function strtod(text: string): { value: number; length: number } | null {
  NUMBER.lastIndex = 0;
  const found = NUMBER.exec(text)?.[0];
  if (found === undefined) return null;
  return { value: numberOf(found.toLowerCase()), length: found.length };
}

function numberOf(text: string): number {
  const negative = text.startsWith("-");
  const body = text.replace(/^[+-]/, "");
  const size = body.startsWith("inf")
    ? Number.POSITIVE_INFINITY
    : body === "nan"
      ? Number.NaN
      : body.startsWith("0x")
        ? hexadecimal(body.slice(2))
        : Number(body);
  return negative ? -size : size;
}

function hexadecimal(text: string): number {
  const [mantissa = "", power = "0"] = text.split("p");
  const [whole = "", fraction = ""] = mantissa.split(".");
  let value = 0;
  for (const digit of whole + fraction) value = value * 16 + Number.parseInt(digit, 16);
  return value * 2 ** (Number(power) - 4 * fraction.length);
}
