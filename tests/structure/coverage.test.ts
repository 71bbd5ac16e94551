import { expect, test } from "bun:test";
import type { Command } from "../../src/call/registry.ts";
import { parseSyntax } from "../../src/call/syntax.ts";
import { Config } from "../../src/config/config.ts";
import { Log } from "../../src/host/log.ts";
import { Server } from "../../src/server/server.ts";
import { filesUnder } from "./source.ts";

/** Every command row has a test that speaks of it, over a socket or against the real server. */
const TEXT = ["tests/command", "tests/differential", "tests/interop"]
  .flatMap(filesUnder)
  .map(({ text }) => text)
  .join("\n");

const commands = [...new Server(new Config(), new Log(false)).registry.all()];

/** The words in capitals as a command line or as arguments: `CONFIG GET`, `"CONFIG", "GET"`; or "config|get". */
function isNamed(command: Command): boolean {
  if (TEXT.includes(`"${command.fullName}"`)) return true;
  const words = command.fullName
    .toUpperCase()
    .split("|")
    .map((word) => word.replace(/[^A-Z0-9_]/g, "\\$&"));
  return new RegExp(`(?<![A-Za-z0-9_-])${words.join(`["']?,?\\s*["']?`)}(?![A-Za-z0-9_-])`).test(TEXT);
}

test("every command is named by a test", () => {
  expect(commands.length).toBeGreaterThan(50);
  const missing = commands.filter((command) => !isNamed(command)).map(({ fullName }) => fullName);
  expect(missing).toEqual([]);
});

test("every command says what it is", () => {
  for (const { fullName, spec, parent } of commands) {
    expect([fullName, spec.name]).toEqual([fullName, spec.name.toLowerCase()]);
    expect([fullName, spec.summary.length > 0, spec.since]).toEqual([
      fullName,
      true,
      expect.stringMatching(/^\d+\.\d+\.\d+$/),
    ]);
    // Read only when somebody asks for it: COMMAND DOCS would fail for all.
    if (spec.args !== undefined) expect(parseSyntax(spec.args)).toBeArray();
    if (spec.subcommands === undefined) expect([fullName, typeof spec.run]).toEqual([fullName, "function"]);
    if (parent !== null) expect(parent.spec.subcommands).toContain(spec);
  }
});
