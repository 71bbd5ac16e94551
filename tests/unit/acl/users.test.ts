/** Users: passwords, descriptions, and what a call of theirs comes to. */
import { expect, test } from "bun:test";
import { ALLOWED, Checker, DENIED_CHANNEL, DENIED_COMMAND, DENIED_KEY } from "../../../src/acl/check.ts";
import { DeclaredUsers } from "../../../src/acl/declared.ts";
import { AclLog } from "../../../src/acl/log.ts";
import { mergeSelectors } from "../../../src/acl/rules.ts";
import { User } from "../../../src/acl/user.ts";
import { callOf, commands } from "./support.ts";

const registry = commands();

function user(...rules: string[]): User {
  const made = new User("u", { catalog: registry, allChannels: () => false });
  for (const rule of rules) made.apply(rule);
  return made;
}

test("passwords: added, removed, replaced by none", () => {
  const made = user("on", ">a", ">b");
  expect([made.accepts("a"), made.accepts("b"), made.accepts("c"), made.accepts("")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  made.apply("<a");
  expect([made.accepts("a"), made.accepts("b")]).toEqual([false, true]);
  made.apply("off");
  expect(made.accepts("b")).toBe(false);
  made.apply("on");
  made.apply("nopass");
  expect([made.accepts("anything"), made.passwords]).toEqual([true, []]);
  made.apply("resetpass");
  expect(made.accepts("anything")).toBe(false);
  expect(() => made.apply("<a")).toThrow(
    "The password you are trying to remove from the user does not exist",
  );
});

test("a description makes the same user again", () => {
  const rules = [
    "on",
    ">pw",
    "skip-sanitize-payload",
    "~a",
    "%R~b",
    "&c",
    "+@read",
    "-get",
    "(+set %W~x &*)",
    "(+@all ~*)",
  ];
  const made = user(...rules);
  const words = mergeSelectors(made.describe().split(" ")).rules;
  const again = user(...words);
  expect(again.describe()).toBe(made.describe());
  expect(made.describe()).toMatch(
    /^on skip-sanitize-payload #[0-9a-f]{64} ~a %R~b resetchannels &c -@all \+@read -get \(%W~x &\* -@all \+set\) \(~\* resetchannels \+@all\)$/,
  );
  made.apply("reset");
  expect(made.describe()).toBe("off sanitize-payload resetchannels -@all");
});

test("unrestricted is who has all commands, keys and channels in one selector", () => {
  expect(user("+@all", "~*", "&*").unrestricted).toBe(true);
  expect(user("+@all", "~*", "&*", "-get").unrestricted).toBe(false);
  expect(user("+@all", "~*", "&*", "-get", "+get").unrestricted).toBe(false);
  expect(user("+@all", "~*", "(&* +@all)").unrestricted).toBe(false);
  expect(user("(&* +@all ~*)").unrestricted).toBe(true);
});

test("of several selectors one has to allow all; what is reported is what came furthest", () => {
  const checker = new Checker();
  const made = user("+get", "~a", "(+set ~b)", "(+publish &c)", "(+psubscribe &c* &d)");
  const check = (line: string) => {
    const { call, command } = callOf(registry, line);
    return [checker.check(made, call, command), checker.deniedAt];
  };
  expect(check("get a")).toEqual([ALLOWED, 0]);
  expect(check("get b")).toEqual([DENIED_KEY, 1]);
  expect(check("set b x")).toEqual([ALLOWED, 0]);
  expect(check("set a x")).toEqual([DENIED_KEY, 1]);
  expect(check("lpop a")).toEqual([DENIED_COMMAND, 0]);
  expect(check("publish c x")).toEqual([ALLOWED, 0]);
  expect(check("publish d x")).toEqual([DENIED_CHANNEL, 1]);
  expect(check("psubscribe d c* c1")).toEqual([DENIED_CHANNEL, 3]);
  expect(check("auth x")).toEqual([ALLOWED, 0]);
});

test("arguments of a selector are put together", () => {
  expect(mergeSelectors(["on", "(+get", "~a", "~b)", "~c", "(+set)"])).toEqual({
    rules: ["on", "(+get ~a ~b)", "~c", "(+set)"],
    unmatched: -1,
  });
  expect(mergeSelectors(["on", "(+get", "(x)", "(+set"]).rules).toEqual(["on", "(+get (x)"]);
  expect(mergeSelectors(["on", "(+get", "(x"]).unmatched).toBe(1);
});

test("lines of redis.conf are checked before commands are known", () => {
  const declared = new DeclaredUsers({ aclPubsubDefault: "resetchannels" });
  expect(declared.add(["alice", "on", "+a-command-of-a-module", "~*"])).toBeNull();
  expect(declared.add(["alice"])).toBe(
    "Error in user declaration 'alice': Duplicate user found. A user can only be defined once in config files",
  );
  expect(declared.add(["bob", "on", "foo"])).toBe("Error in user declaration 'foo': Syntax error");
  expect(declared.add(["bob", "(+get"])).toBe("Error in user declaration '(+get': Unmatched parenthesis");
});

test("the log counts what is the same within a minute, and keeps so many", () => {
  const log = new AclLog();
  const denial = (object: string) =>
    ({ reason: "key", context: "toplevel", object, username: "u", clientInfo: "" }) as const;
  log.add(denial("a"), 1000, 3);
  log.add(denial("b"), 2000, 3);
  log.add(denial("a"), 61_000, 3);
  expect(
    log.entries.map(({ object, count, id, created, updated }) => [object, count, id, created, updated]),
  ).toEqual([
    ["a", 2, 0, 1000, 61_000],
    ["b", 1, 1, 2000, 2000],
  ]);
  log.add(denial("b"), 62_001, 3);
  expect(log.entries.map(({ object, count }) => object + count)).toEqual(["b1", "a2", "b1"]);
  log.add(denial("c"), 62_002, 3);
  expect(log.entries.map(({ object, id }) => object + id)).toEqual(["c3", "b2", "a0"]);
  log.clear();
  expect(log.entries).toEqual([]);
});
