/**
 * A score as ZSCAN shows it where the sorted set is an index: C's "%.17g", 17 significant digits without
 * trailing zeros (where it is a listpack, ZSCAN shows the text that stands there). So 0.1 is
 * 0.10000000000000001, and what is below 1e-4 or from 1e17 on has an exponent of at least two digits.
 */
const DIGITS = 17;

export function scanScoreText(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? "inf" : "-inf";
  if (score === 0) return Object.is(score, -0) ? "-0" : "0";
  const sign = score < 0 ? "-" : "";
  const { digits, exponent } = rounded(Math.abs(score));
  const kept = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= DIGITS) {
    const magnitude = String(Math.abs(exponent)).padStart(2, "0");
    const fraction = kept.length > 1 ? `.${kept.slice(1)}` : "";
    return `${sign}${kept[0]}${fraction}e${exponent < 0 ? "-" : "+"}${magnitude}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${kept}`;
  const whole = digits.slice(0, exponent + 1);
  const fraction = kept.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** 17 digits, d.ddd times ten to the exponent; a tie goes to the even digit, where toPrecision goes up. */
function rounded(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = value.toExponential(DIGITS - 1).split("e") as [string, string];
  let digits = mantissa.replace(".", "");
  const longer = value.toExponential(60).replace(".", "");
  if (/^.{17}50*e/.test(longer) && Number(digits.at(-1)) % 2 === 1) digits = longer.slice(0, DIGITS);
  return { digits, exponent: Number(exponent) };
}
