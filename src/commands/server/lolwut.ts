/**
 * LOLWUT's picture: a tray of buns fresh from the oven, each with its own crust and seeds.
 *
 *     .-----.
 *    / . '   \      lid: a crust of two lines, seeds at random
 *   (_________)     foot
 */
const ROWS = 2;
const COLUMNS = 4;
const SEEDS = [".", "'", "`", ",", " ", " ", " "];

export function artwork(below: (bound: number) => number): string {
  const seeds = (count: number) => {
    let text = "";
    for (let i = 0; i < count; i++) text += SEEDS[below(SEEDS.length)]!;
    return text;
  };
  const row = (bun: () => string) => Array.from({ length: COLUMNS }, bun).join("  ").trimEnd();
  const lines: string[] = [];
  for (let i = 0; i < ROWS; i++) {
    lines.push(row(() => "  .-----.  "));
    lines.push(row(() => ` /${seeds(7)}\\ `));
    lines.push(row(() => "(_________)"));
  }
  const width = COLUMNS * 13 - 2;
  return `${lines.join("\n")}\n${"=".repeat(width)}\n`;
}
