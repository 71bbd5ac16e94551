/**
 * Scripts: commands as text, one a line, quoted as in redis-cli.
 *
 *     SET k "a\x00b\r\n"      double quotes with \xhh \n \r \t \\ \"; single quotes as they are
 *     # a comment
 *     ~2 TTL k                integer replies may differ by 2
 *     ? CLIENT ID             only the kinds of the replies are compared
 *     sorted KEYS *           the elements in any order
 *     until 0 EXISTS k        repeated on each server until that integer is the reply
 *     alone AUTH u p          not in a pipeline with others
 *     %probe k l              from here on, after each command, what there is to see of these keys
 *     %repeat 50 PFADD h e#   fifty commands with # replaced by 1 .. 50
 */

export type Mode = "exact" | "kind" | "sorted" | "near" | "until" | "alone";

export interface Step {
  args: string[];
  mode: Mode;
  /** The tolerance of `near`, the awaited integer of `until`. */
  number: number;
}

export function parseScript(text: string): Step[] {
  const steps: Step[] = [];
  let probed: string[] = [];
  const add = (args: string[], mode: Mode = "exact", number = 0) => {
    steps.push({ args, mode, number });
    for (const key of probed) for (const args of probes(key)) steps.push({ args, mode: "exact", number: 0 });
  };
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const words = splitLine(line);
    const first = words[0]!;
    if (first === "%probe") probed = words.slice(1);
    else if (first === "%repeat") {
      const command = words.slice(2);
      for (let i = 1; i <= Number(words[1]); i++) add(command.map((word) => word.replaceAll("#", String(i))));
    } else if (first === "?") add(words.slice(1), "kind");
    else if (first === "alone") add(words.slice(1), "alone");
    else if (first === "sorted") add(words.slice(1), "sorted");
    else if (first === "until") add(words.slice(2), "until", Number(words[1]));
    else if (/^~\d+$/.test(first)) add(words.slice(1), "near", Number(first.slice(1)));
    else add(words);
  }
  return steps;
}

/** Commands that show all there is to see of a key whose type is not known. */
export function probes(key: string): string[][] {
  return [
    ["TYPE", key],
    ["OBJECT", "ENCODING", key],
    ["GET", key],
    ["STRLEN", key],
    ["PEXPIRETIME", key],
  ];
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b" };

/** Words of a line by redis-cli's rules. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let i = 0;
  for (;;) {
    while (line[i] === " ") i++;
    if (i >= line.length) return words;
    let word = "";
    if (line[i] === '"') {
      for (i++; line[i] !== '"'; i++) {
        if (i >= line.length) throw new SyntaxError(`unbalanced quotes: ${line}`);
        if (line[i] !== "\\") word += line[i];
        else if (line[i + 1] === "x") {
          word += String.fromCharCode(Number.parseInt(line.slice(i + 2, i + 4), 16));
          i += 3;
        } else {
          i++;
          word += ESCAPES[line[i]!] ?? line[i];
        }
      }
      i++;
    } else if (line[i] === "'") {
      const end = line.indexOf("'", i + 1);
      if (end < 0) throw new SyntaxError(`unbalanced quotes: ${line}`);
      word = line.slice(i + 1, end);
      i = end + 1;
    } else {
      while (i < line.length && line[i] !== " ") word += line[i++];
    }
    words.push(word);
  }
}
