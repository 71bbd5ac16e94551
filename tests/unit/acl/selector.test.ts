/** Selectors: which commands rules come to, in whatever order, and that what they are described by means the same. */
import { expect, test } from "bun:test";
import { RuleError } from "../../../src/acl/rules.ts";
import { READ, Selector, WRITE } from "../../../src/acl/selector.ts";
import { CATEGORIES, type Registry } from "../../../src/call/registry.ts";
import { seeded } from "../bytes/random.ts";
import { commands } from "./support.ts";

const registry = commands();

function applied(rules: readonly string[]): Selector {
  const selector = new Selector(registry, false);
  for (const rule of rules) selector.apply(rule);
  return selector;
}

const allowedBy = (selector: Selector) =>
  [...registry.originals()].filter((command) => selector.allows(command)).map(({ fullName }) => fullName);

/** What the rules come to, one after the other over plain sets: the allowed commands, and the first arguments. */
class Model {
  readonly allowed = new Set<string>();
  readonly firstArgs = new Map<string, Set<string>>();

  constructor(private readonly registry: Registry) {}

  apply(rule: string): void {
    const on = rule[0] === "+";
    const name = rule.slice(1);
    const bar = name.indexOf("|");
    if (name === "@all") {
      this.firstArgs.clear();
      for (const { fullName } of this.registry.originals()) this.mark(fullName, on);
    } else if (name.startsWith("@")) {
      const bit = CATEGORIES[name.slice(1) as keyof typeof CATEGORIES];
      for (const command of this.registry.originals())
        if ((command.categories & bit) !== 0) this.command(command.fullName, on);
    } else if (bar > 0 && this.registry.original(name) === null) {
      const command = name.slice(0, bar);
      this.firstArgs.set(command, (this.firstArgs.get(command) ?? new Set()).add(name.slice(bar + 1)));
    } else this.command(name, on);
  }

  private command(name: string, on: boolean): void {
    this.firstArgs.delete(name);
    for (const { fullName } of this.registry.originals())
      if (fullName === name || fullName.startsWith(`${name}|`)) this.mark(fullName, on);
  }

  private mark(name: string, on: boolean): void {
    if (on) this.allowed.add(name);
    else this.allowed.delete(name);
  }
}

const NAMES = ["get", "set", "lpop", "select", "config", "config|get", "config|set", "auth"];
const OTHERS = ["@all", "@read", "@write", "@fast", "@connection", "@admin", "@slow", "@dangerous"];

test("rules in any order come to what a model of sets says, and so does their description", () => {
  const random = seeded("acl-selector");
  const words = [...NAMES, ...OTHERS].flatMap((name) => [`+${name}`, `-${name}`]);
  words.push("+select|0", "+select|1", "+get|x", "-@all");
  for (let round = 0; round < 2000; round++) {
    const rules = Array.from({ length: 1 + random.below(10) }, () => random.pick(words));
    const model = new Model(registry);
    for (const rule of rules) model.apply(rule);
    const selector = applied(rules);
    expect([rules.join(" "), allowedBy(selector).sort()]).toEqual([
      rules.join(" "),
      [...model.allowed].sort(),
    ]);
    for (const command of registry.originals()) {
      const words = [...(model.firstArgs.get(command.fullName) ?? [])];
      expect(selector.firstArgsOf(command) ?? []).toEqual(words);
    }
    const text = selector.describeCommands();
    const again = applied(text.split(" "));
    expect([rules.join(" "), again.describeCommands(), allowedBy(again)]).toEqual([
      rules.join(" "),
      text,
      allowedBy(selector),
    ]);
    // That nothing is left out of a user who may do everything is what lets his commands pass unasked.
    if (selector.allCommands)
      expect(allowedBy(selector)).toEqual([...registry.originals()].map((c) => c.fullName));
  }
});

test("a copy does not change with what it was made of", () => {
  const selector = applied(["+get", "+select|0", "~a", "&c"]);
  const copy = selector.copy();
  for (const rule of ["+@all", "+select|1", "~b", "&d"]) selector.apply(rule);
  expect(copy.describe()).toBe("~a resetchannels &c -@all +get +select|0");
  expect(allowedBy(copy)).toEqual(["get"]);
});

test("key patterns: what may be read and what written", () => {
  const selector = applied(["%R~r*", "%W~w*", "~b*", "%R~x", "%W~x"]);
  const may = (key: string, access: number) => {
    const bytes = Buffer.from(key);
    return selector.allowsKey(bytes, 0, bytes.length, access);
  };
  const both = READ | WRITE;
  expect(["r1", "w1", "b1", "x", "y"].map((key) => may(key, READ))).toEqual([true, false, true, true, false]);
  expect(["r1", "w1", "b1", "x", "y"].map((key) => may(key, WRITE))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(["r1", "w1", "b1", "x", "y"].map((key) => may(key, both))).toEqual([
    false,
    false,
    true,
    true,
    false,
  ]);
  expect(selector.describeKeys()).toBe("%R~r* %W~w* ~b* ~x");
  expect(applied(["%R~*"]).allowsEveryKey(READ)).toBe(true);
  expect(applied(["%R~*"]).allowsEveryKey(WRITE)).toBe(false);
  expect(applied(["~a*"]).allowsEveryKey(READ)).toBe(false);
});

test("patterns of channels are matched by name, or as a pattern word for word", () => {
  const selector = applied(["&news:*"]);
  const may = (name: string, isPattern: boolean) => {
    const bytes = Buffer.from(name);
    return selector.allowsChannel(bytes, 0, bytes.length, isPattern);
  };
  expect([may("news:a", false), may("news", false), may("news:*", true), may("news:a", true)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test("what is no rule is refused, and changes nothing", () => {
  for (const rule of [
    "",
    "get",
    "%~a",
    "%X~a",
    "%",
    "%RR~a",
    "~a b",
    "&a\0",
    "+nothing",
    "-@nothing",
    "+config|get|x",
  ]) {
    const selector = new Selector(registry, false);
    expect(() => selector.apply(rule)).toThrow(RuleError);
    expect(selector.describe()).toBe("resetchannels -@all");
  }
});

test("renamed and removed commands go by the names in their rows", () => {
  const renamed = commands();
  renamed.rename("get", "fetch");
  renamed.rename("lpop", "");
  const selector = new Selector(renamed, false);
  for (const rule of ["+get", "+lpop"]) selector.apply(rule);
  expect(() => selector.apply("+fetch")).toThrow("Unknown command or category name in ACL");
  expect(selector.allows(renamed.get("fetch")!)).toBe(true);
});
