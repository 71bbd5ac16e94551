/** The connection family, unknown commands, and what COMMAND GETKEYS finds in commands of all families. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

export const CONNECTION: Scripts = {
  "PING, ECHO": `
    PING
    ping
    PING ""
    PING "a\\x00b\\r\\n"
    PING a b
    ECHO a
    ECHO ""
    ECHO
    ECHO a b
  `,
  "unknown commands and subcommands": `
    FOO
    FOO bar
    FOO bar "b\\r\\naz" qux
    FOO ""
    ""
    "" a
    "FOO BAR"
    "FOO\\r\\nBAR" a
    FOO aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b
    FOO a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z
    FOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO a
    OBJECT FOO
    OBJECT foo bar
    OBJECT ""
    OBJECT FOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO a
    COMMAND FOO
    CLIENT FOO
    CLIENT MAINT_NOTIFICATIONS ON
    CLIENT
  `,
  "HELLO, AUTH": `
    ? HELLO
    HELLO 1
    HELLO 4
    HELLO x
    HELLO ""
    HELLO 3 FOO
    HELLO 3 AUTH
    HELLO 3 AUTH a
    ? HELLO 3 AUTH default pass
    # Redis 7.2 leaves the refusal out where replies are pending.
    alone HELLO 3 AUTH other pass
    HELLO 3 SETNAME
    HELLO 3 SETNAME "a b"
    HELLO 3 SETNAME "a\\n"
    ? HELLO 3 SETNAME me
    CLIENT GETNAME
    ? HELLO 2 SETNAME you
    CLIENT GETNAME
    ? HELLO 3 SETNAME ""
    CLIENT GETNAME
    ? HELLO 2 AUTH default x SETNAME z
    CLIENT GETNAME
    HELLO 2 AUTH default x FOO
    AUTH
    AUTH x
    AUTH default x
    alone AUTH other x
    AUTH default x y
    PING
    RESET
    CLIENT GETNAME
    PING
    RESET x
    GET missing
    ? HELLO 3
    GET missing
    RESET
    GET missing
  `,
  CLIENT: `
    ? CLIENT ID
    CLIENT ID x
    CLIENT GETNAME
    CLIENT GETNAME x
    CLIENT SETNAME foo
    CLIENT GETNAME
    CLIENT SETNAME "foo bar"
    CLIENT SETNAME "foo\\tbar"
    CLIENT SETNAME "foo\\x7f"
    CLIENT SETNAME "\\xff"
    CLIENT GETNAME
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT SETNAME
    CLIENT SETNAME a b
    CLIENT SETINFO
    CLIENT SETINFO lib-name
    CLIENT SETINFO lib-name redis
    CLIENT SETINFO LIB-VER 1.2
    CLIENT SETINFO lib-name "a b"
    CLIENT SETINFO lib-ver "a\\nb"
    CLIENT SETINFO lib-foo x
    CLIENT SETINFO lib-name ""
    CLIENT NO-TOUCH
    CLIENT NO-TOUCH on
    CLIENT NO-TOUCH OFF
    CLIENT NO-TOUCH maybe
    CLIENT NO-EVICT
    CLIENT NO-EVICT ON
    CLIENT NO-EVICT off
    CLIENT NO-EVICT maybe
    CLIENT REPLY
    CLIENT REPLY maybe
    CLIENT REPLY ON
    ? CLIENT INFO
    CLIENT INFO x
    ? CLIENT LIST
    ? CLIENT LIST TYPE normal
    CLIENT LIST TYPE pubsub
    CLIENT LIST TYPE replica
    CLIENT LIST TYPE foo
    CLIENT LIST TYPE
    CLIENT LIST ID
    CLIENT LIST ID x
    CLIENT LIST ID 0
    CLIENT LIST ID 999999999
    CLIENT LIST FOO
    CLIENT LIST FOO BAR
    CLIENT KILL
    CLIENT KILL 1.2.3.4:5
    CLIENT KILL ID x
    CLIENT KILL ID 0
    CLIENT KILL ID -1
    CLIENT KILL ID 999999999
    CLIENT KILL TYPE foo
    CLIENT KILL TYPE pubsub
    CLIENT KILL ADDR 1.2.3.4:5
    CLIENT KILL LADDR 1.2.3.4:5
    CLIENT KILL USER nobody
    CLIENT KILL USER default ID 999999999
    CLIENT KILL SKIPME
    CLIENT KILL SKIPME maybe
    CLIENT KILL SKIPME yes ID 999999999
    CLIENT KILL FOO BAR
    CLIENT KILL ID 1 FOO
    CLIENT UNBLOCK
    CLIENT UNBLOCK x
    CLIENT UNBLOCK 999999999
    CLIENT UNBLOCK 999999999 TIMEOUT
    CLIENT UNBLOCK 999999999 ERROR
    CLIENT UNBLOCK 999999999 FOO
    CLIENT PAUSE
    CLIENT PAUSE x
    CLIENT PAUSE -1
    CLIENT PAUSE 1 FOO
    CLIENT PAUSE 9223372036854775807
    CLIENT PAUSE 0
    CLIENT PAUSE 0 WRITE
    CLIENT PAUSE 0 all
    CLIENT UNPAUSE
    CLIENT UNPAUSE x
    CLIENT HELP x
  `,
  "SELECT stays with the connection": `
    SELECT 3
    SET a 3
    SELECT 4
    GET a
    SELECT 99
    GET a
    SELECT 3
    GET a
    RESET
    GET a
  `,
  "COMMAND GETKEYS": `
    ${lines(
      [
        "GET a",
        "SET a b",
        "SET a b GET",
        "MGET a b c",
        "MSET a 1 b 2 c 3",
        "MSETNX a 1",
        "DEL a b",
        "UNLINK a",
        "EXISTS a a",
        "TOUCH a b",
        "RENAME a b",
        "COPY a b DB 1",
        "MOVE a 1",
        "OBJECT ENCODING a",
        "OBJECT FREQ a",
        "BITOP AND d a b",
        "BITFIELD a GET u8 0",
        "BITFIELD a SET u8 0 1",
        "BITFIELD_RO a GET u8 0",
        "BITCOUNT a",
        "BITPOS a 1",
        "SETBIT a 1 1",
        "PFADD a b c",
        "PFCOUNT a b c",
        "PFMERGE a b c",
        "PFDEBUG ENCODING a",
        "LCS a b IDX",
        "GETEX a EX 1",
        "GETDEL a",
        "APPEND a b",
        "TYPE a",
        "EXPIRE a 1",
        "PERSIST a",
        "TTL a",
        "SUBSTR a 0 1",
        "STRLEN a",
        "GETRANGE a 0 1",
        "SETRANGE a 0 b",
        "INCRBYFLOAT a 1",
        "set a b nx get",
      ],
      (c) => `
    COMMAND GETKEYS ${c}
    COMMAND GETKEYSANDFLAGS ${c}`,
    )}
    COMMAND GETKEYS
    COMMAND GETKEYS FOO
    COMMAND GETKEYS FOO a
    COMMAND GETKEYS PING
    COMMAND GETKEYS PING a
    COMMAND GETKEYS FLUSHALL
    COMMAND GETKEYS GET
    COMMAND GETKEYS GET a b
    COMMAND GETKEYS SET a
    COMMAND GETKEYS MSET a 1 b
    COMMAND GETKEYS OBJECT ENCODING
    COMMAND GETKEYS OBJECT HELP
    COMMAND GETKEYS OBJECT FOO a
    COMMAND GETKEYS BITFIELD
    COMMAND GETKEYS BITOP
    COMMAND GETKEYSANDFLAGS
    COMMAND GETKEYSANDFLAGS FOO a
    COMMAND GETKEYSANDFLAGS PING
    COMMAND GETKEYSANDFLAGS GET
    COMMAND COUNT x
    COMMAND LIST x
    COMMAND LIST FILTERBY
    COMMAND LIST FILTERBY FOO bar
    COMMAND LIST FILTERBY PATTERN bit*
    COMMAND LIST FILTERBY MODULE foo
    COMMAND LIST FILTERBY PATTERN
    COMMAND INFO foo
    COMMAND DOCS foo
    COMMAND FOO
  `.replace("COMMAND LIST FILTERBY PATTERN bit*", "sorted COMMAND LIST FILTERBY PATTERN bit*"),
};
