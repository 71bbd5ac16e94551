/** Expiry: absolute moments far away are compared to the millisecond, what is left of a time nearly. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const COMMANDS = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"];
const FAR: Record<string, string> = { EXPIREAT: "4102444800", PEXPIREAT: "4102444800123" };
const NUMBERS = [
  "x",
  "''",
  "1.5",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "9223372036854775",
  "9223372036854776",
  "-9223372036854775",
  "-9223372036854776",
  "0",
  "-1",
  "-9223372036854775807",
  "9223370000000000000",
  "+5",
  "05",
];
const OPTIONS = [
  "NX",
  "XX",
  "GT",
  "LT",
  "nx",
  "XX GT",
  "XX LT",
  "NX XX",
  "NX GT",
  "NX LT",
  "GT LT",
  "LT GT",
  "XX GT LT",
  "FOO",
  "NX FOO",
  "FOO NX GT",
  "''",
  "GT GT",
  "NX NX",
  '"a\\x00b"',
];

export const EXPIRE: Scripts = {
  numbers: lines(
    COMMANDS,
    (command) => `
    ${command}
    ${command} k
    ${command} missing 100
    ${lines(NUMBERS, (n) => `SET k v\n${command} k ${n}\nEXISTS k\n${command} missing ${n}`)}
  `,
  ),
  options: lines(
    ["EXPIREAT", "PEXPIREAT"],
    (command) => `
    ${lines(
      OPTIONS,
      (o) => `
      SET k v
      ${command} missing ${FAR[command]} ${o}
      %probe k
      ${command} k ${FAR[command]} ${o}
      ${command} k ${FAR[command]} ${o}
      ${command} k ${FAR[command]}
      ${command} k ${FAR[command]!.replace("4", "5")} ${o}
      ${command} k ${FAR[command]!.replace("4", "3")} ${o}
      ${command} k x ${o}
      ${command} k 1 ${o}
      %probe
      EXISTS k
    `,
    )}
  `,
  ),
  "relative times": `
    SET k v
    EXPIRE k 100
    ~1 TTL k
    ~1000 PTTL k
    ~1 EXPIRETIME k
    ~1000 PEXPIRETIME k
    EXPIRE k 200 GT
    ~1 TTL k
    EXPIRE k 100 GT
    ~1 TTL k
    EXPIRE k 50 LT
    ~1 TTL k
    EXPIRE k 500 NX
    PEXPIRE k 500000 XX
    ~1000 PTTL k
    PERSIST k
    PERSIST k
    TTL k
    PTTL k
    EXPIRE k 100 XX
    EXPIRE k 100 GT
    EXPIRE k 100 LT
    ~1 TTL k
    PERSIST missing
    PERSIST
    PERSIST k k
  `,
  "TTL and EXPIRETIME": `
    ${lines(
      ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"],
      (command) => `
      DEL k
      ${command} k
      ${command}
      ${command} k k
      SET k v
      ${command} k
    `,
    )}
    SET k v PXAT 4102444800499
    EXPIRETIME k
    PEXPIRETIME k
    SET k v PXAT 4102444800500
    EXPIRETIME k
    SET k v PXAT 9007199254740991
    EXPIRETIME k
    PEXPIRETIME k
  `,
  "keys fall due": `
    SET a v PX 1
    SET b v
    PEXPIRE b 1
    SET c v
    PSETEX d 1 v
    SET e 5 PX 1
    until 0 EXISTS a
    until 0 EXISTS b
    until 0 EXISTS d
    until 0 EXISTS e
    GET a
    TTL a
    PTTL a
    TYPE a
    PERSIST a
    EXPIRE a 100
    OBJECT ENCODING a
    STRLEN a
    INCR e
    TTL e
    APPEND a x
    PTTL a
    SETRANGE b 0 x
    TTL b
    DBSIZE
    SET f v PX 1
    until 0 EXISTS f
    SET f w KEEPTTL
    TTL f
    SET g v PX 1
    until 0 EXISTS g
    SET g w XX
    SET g w NX
    SET h v PX 1
    until 0 EXISTS h
    RENAME h i
    COPY h i
    MOVE h 1
    GETDEL h
    GETEX h EX 10
    PFADD h a
    BITCOUNT g
    SET j v PX 1
    until 0 DBSIZE
  `.replace("until 0 DBSIZE", "until 0 EXISTS j\nSETBIT j 7 1\nPTTL j\nDBSIZE\nsorted KEYS *"),
  "the past removes a key": `
    %probe k
    SET k v
    EXPIRE k -1
    SET k v
    PEXPIREAT k 1
    SET k v
    EXPIREAT k 0
    SET k v
    EXPIRE k 0 NX
    SET k v
    EXPIRE k -1 XX
    EXPIRE k -1 GT
    EXPIRE k -1 LT
    SET k v PXAT 4102444800123
    EXPIRE k -1 NX
    EXPIRE k -1 GT
    EXPIRE k -1 LT
    DBSIZE
  `,
};
