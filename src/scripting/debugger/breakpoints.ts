/** Lines at which a script that is debugged stops. */
const MOST = 64;

export class Breakpoints {
  private set: number[] = [];

  constructor(private readonly lineCount: number) {}

  get count(): number {
    return this.set.length;
  }

  lines(): readonly number[] {
    return this.set;
  }

  has(line: number): boolean {
    return this.set.includes(line);
  }

  clear(): void {
    this.set = [];
  }

  /** "7" adds one, "-7" removes it, "0" removes all: what there is to say of it; null where one was added. */
  change(argument: string): string | null {
    if (!/^-?\d{1,15}$/.test(argument)) return `Invalid argument:'${argument}'`;
    const line = Number(argument);
    if (line === 0) {
      this.clear();
      return "All breakpoints removed.";
    }
    if (line < 0) {
      if (!this.has(-line)) return "No breakpoint in the specified line.";
      this.set = this.set.filter((other) => other !== -line);
      return "Breakpoint removed.";
    }
    if (this.count === MOST) return "Too many breakpoints set.";
    if (line > this.lineCount || this.has(line)) return "Wrong line number.";
    this.set.push(line);
    return null;
  }
}
