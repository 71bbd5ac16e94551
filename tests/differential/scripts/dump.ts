/** RESTORE with payloads of an old version, which servers of all versions take; DUMP's own bytes are in tests/interop. */
import { hex, join, listpack, payload, string, ziplist, zipmap } from "../../unit/rdb/payloads.ts";
import type { Scripts } from "../lib/suite.ts";

const quote = (bytes: Uint8Array) => `"${[...bytes].map((byte) => `\\x${hex(byte)}`).join("")}"`;
const old = (...parts: Parameters<typeof join>) => quote(payload(join(...parts), 9));

const HELLO = old(0, string("hello"));
const NUMBER = old(0, Uint8Array.of(0xc1, 1, 2));
const LIST = old(1, 3, string("a"), string("b"), string("1"));
const pairs = ziplist("a", 1, "b", 2, "c", 300);

/** A hash with a field that is there twice. */
const TWICE = old(16, string(listpack("f", "1", "f", "2")));

export const DUMP: Scripts = {
  "RESTORE and its options": `
    DUMP missing
    RESTORE k 0 ${HELLO}
    GET k
    RESTORE k 0 ${HELLO}
    RESTORE k 0 ${NUMBER} REPLACE
    GET k
    OBJECT ENCODING k
    PTTL k
    RESTORE k 4102444800123 ${HELLO} REPLACE ABSTTL
    PEXPIRETIME k
    RESTORE k 100000 ${HELLO} replace
    ~5 PTTL k
    RESTORE k 1 ${HELLO} REPLACE ABSTTL
    EXISTS k
    RESTORE k 1 ${HELLO} REPLACE ABSTTL
    RESTORE k 1 ${HELLO} ABSTTL
    EXISTS k
    RESTORE k 0 ${HELLO} IDLETIME 1000
    ~2 OBJECT IDLETIME k
    RESTORE k 0 ${HELLO} REPLACE FREQ 100
    ~2 OBJECT IDLETIME k
    RESTORE k 0 ${LIST} REPLACE IDLETIME 99999999999
    LRANGE k 0 -1
    CONFIG SET maxmemory-policy allkeys-lfu
    RESTORE k 0 ${HELLO} REPLACE FREQ 100
    OBJECT FREQ k
    RESTORE k 0 ${HELLO} REPLACE IDLETIME 5
    OBJECT FREQ k
    CONFIG SET maxmemory-policy noeviction`,

  "what RESTORE refuses": `
    RESTORE k 0
    RESTORE k 0 ""
    RESTORE k 0 123456789
    RESTORE k 0 ${HELLO.replace("68", "69")}
    RESTORE k -1 ${HELLO}
    RESTORE k x ${HELLO}
    RESTORE k 1.5 ${HELLO}
    RESTORE k 99999999999999999999 ${HELLO}
    RESTORE k x garbage
    RESTORE k -1 garbage
    RESTORE k 0 garbage bad
    RESTORE k 0 ${HELLO} bad
    RESTORE k 0 ${HELLO} IDLETIME
    RESTORE k 0 ${HELLO} IDLETIME -1
    RESTORE k 0 ${HELLO} IDLETIME x
    RESTORE k 0 ${HELLO} FREQ
    RESTORE k 0 ${HELLO} FREQ 256
    RESTORE k 0 ${HELLO} FREQ -1
    RESTORE k 0 ${HELLO} FREQ 1 IDLETIME 1
    RESTORE k 0 ${HELLO} IDLETIME 1 FREQ 1
    RESTORE k 0 ${quote(payload(join(0, string("hello")), 99))}
    RESTORE k 0 ${old(8, 0)}
    RESTORE k 0 ${old(99, 0)}
    RESTORE k 0 ${old(255)}
    RESTORE k 0 ${old(6, 0)}
    RESTORE k 0 ${old(7, 0x40, 1, 0)}
    EXISTS k
    SET k v
    RESTORE k x garbage
    RESTORE k 0 garbage
    RESTORE k 0 garbage REPLACE
    GET k`,

  "old encodings": `
    RESTORE a 0 ${old(10, string(ziplist("a", 5, -1, 127, 128, 300, -40000, 70000, 9000000, 12345678901234n)))}
    LRANGE a 0 -1
    RESTORE b 0 ${old(14, 2, string(ziplist("a", 5)), string(ziplist("b".repeat(70), 300)))}
    LRANGE b 0 -1
    RESTORE c 0 ${old(13, string(pairs))}
    HGETALL c
    RESTORE d 0 ${old(12, string(pairs))}
    ZRANGE d 0 -1 WITHSCORES
    RESTORE e 0 ${old(9, string(zipmap(["f", "1"], ["g", "two"])))}
    HGETALL e
    RESTORE f 0 ${old(2, 3, string("3"), string("1"), string("2"))}
    SMEMBERS f
    OBJECT ENCODING f
    RESTORE g 0 ${old(3, 4, string("a"), string("1.5"), string("b"), 254, string("c"), 255, string("d"), string("-3"))}
    ZRANGE g 0 -1 WITHSCORES
    RESTORE h 0 ${old(4, 2, string("f"), string("1"), string("g"), string("2"))}
    HGETALL h
    OBJECT ENCODING h
    RESTORE i 0 ${old(16, string(listpack("f", "1", "g", "2")))}
    HGETALL i
    RESTORE j 0 ${old(17, string(listpack("a", "1", "b", "2.5")))}
    ZRANGE j 0 -1 WITHSCORES
    RESTORE k 0 ${old(18, 3, 2, string(listpack("a", "1")), 1, string("plain"), 2, string(listpack("b")))}
    LRANGE k 0 -1`,

  "bad data": `
    CONFIG SET sanitize-dump-payload yes
    ${[
      old(0, 0xc4),
      old(0, 0xc3, 2, 5, 0, 65),
      old(1, 0),
      old(1, 2, string("a")),
      old(2, 2, string("a"), string("a")),
      old(3, 1, string("a"), 253),
      old(3, 1, string("a"), string("x")),
      old(4, 2, string("a"), string("1"), string("a"), string("1")),
      old(9, string(zipmap(["f", "1"], ["f", "2"]))),
      old(9, string(Uint8Array.of(0, 255))),
      old(10, string(ziplist())),
      old(10, string("short")),
      old(11, string(Uint8Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0))),
      old(11, string(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0))),
      old(12, string(ziplist("a"))),
      old(13, string(ziplist("a", 1, "a", 2))),
      old(14, 1, string(ziplist())),
      old(16, string(listpack("f"))),
      old(16, string(listpack("f", "1", "f", "2"))),
      old(16, string(listpack())),
      old(17, string(listpack("a", "1", "a", "2"))),
      old(18, 1, 2, string(listpack())),
      old(18, 1, 3, string(listpack("a"))),
      old(18, 1, 1, string("")),
      old(15, 0, 3, 0, 0, 0),
      old(15, 1, string("short"), string("x")),
    ]
      .map((bytes) => `RESTORE k 0 ${bytes}`)
      .join("\n")}
    EXISTS k
    CONFIG SET sanitize-dump-payload no`,

  "whose payloads are searched": `
    CONFIG SET sanitize-dump-payload clients
    RESTORE k 0 ${TWICE}
    ACL SETUSER default skip-sanitize-payload
    RESTORE k 0 ${TWICE}
    DEL k
    CONFIG SET sanitize-dump-payload yes
    RESTORE k 0 ${TWICE}
    ACL SETUSER default sanitize-payload
    CONFIG SET sanitize-dump-payload no`,
};
