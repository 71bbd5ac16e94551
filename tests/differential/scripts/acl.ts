/**
 * Users, rules and refusals, as far as one connection sees them; other connections are in tests/command/acl.test.ts. What
 * AUTH refuses goes alone: Redis does not answer it while replies to earlier commands wait. So does what is sent without
 * being logged in: late versions of 7.0 disconnect who has then more than a kilobyte waiting.
 */
import type { Scripts } from "../lib/suite.ts";

/** Each rule is given to the same new user, which is then shown. */
const shown = (...rules: string[]) =>
  rules.map((rule) => `ACL DELUSER u\nACL SETUSER u ${rule}\nACL GETUSER u\nsorted ACL LIST`).join("\n");

const dryRuns = (rules: string, ...calls: string[]) =>
  [`ACL SETUSER u reset ${rules}`, ...calls.map((call) => `ACL DRYRUN u ${call}`), "ACL DELUSER u"].join(
    "\n",
  );

const HASH = "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2";

export const ACL: Scripts = {
  arguments: `
    ACL
    ACL FOO
    ACL HELP
    ACL HELP x
    ACL WHOAMI
    ACL WHOAMI x
    ACL USERS x
    ACL LIST x
    ACL GETUSER
    ACL GETUSER nobody
    ACL GETUSER a b
    ACL SETUSER
    ACL SETUSER "a b" on
    ACL SETUSER "a\\x00b" on
    ACL SETUSER "" on
    ACL GETUSER ""
    ACL DELUSER ""
    ACL DELUSER
    ACL DELUSER nobody
    ACL DELUSER nobody default
    ACL DELUSER a b c
    ACL CAT foo
    ACL CAT all
    ACL CAT a b
    sorted ACL CAT hyperloglog
    sorted ACL CAT TRANSACTION
    sorted ACL CAT list
    ? ACL GENPASS
    ? ACL GENPASS 1
    ? ACL GENPASS 4096
    ACL GENPASS 0
    ACL GENPASS -5
    ACL GENPASS 4097
    ACL GENPASS x
    ACL GENPASS 1 2
    ACL LOG RESET
    ACL LOG
    ACL LOG -1
    ACL LOG x
    ACL LOG 1 2
    ACL LOAD
    ACL SAVE
    ACL LOAD x
    ACL SAVE x
    ACL DRYRUN default
    ACL DRYRUN nobody GET k
    ACL DRYRUN default FOO k
    ACL DRYRUN default CONFIG
    ACL DRYRUN default CONFIG FOO
    ACL DRYRUN default CONFIG GET
    ACL DRYRUN default GET
    ACL DRYRUN default GET k
    ACL DRYRUN default EXEC
    sorted COMMAND INFO ACL
    COMMAND GETKEYS ACL WHOAMI
    CLIENT KILL USER nobody
  `,
  "rules of users": `
    ${shown(
      "",
      "on off on",
      "ON >secret",
      `on #${HASH}`,
      `#${HASH} #${HASH} >foobar`,
      ">a >b <a",
      ">a <b",
      "#abc",
      `#${HASH.toUpperCase()}`,
      "!abc",
      `!${HASH}`,
      `>foobar !${HASH}`,
      "nopass",
      ">a nopass",
      "nopass >a",
      "nopass resetpass",
      ">",
      '">a b"',
      "sanitize-payload",
      "skip-sanitize-payload",
      "SKIP-sanitize-PAYLOAD sanitize-payload",
      "on >a ~k* +get &c (+set ~x) reset",
      "foo",
      '"" on',
      "on foo ~x",
    )}
  `,
  "rules of commands": `
    ${shown(
      "+get",
      "+GET +SeT",
      "+@all",
      "allcommands -get",
      "nocommands +get",
      "+@all -@all",
      "+@read -get +get",
      "+@read -get -@read +get",
      "+get +@read",
      "-@read +@READ",
      "+@foo",
      "-@foo",
      "+@",
      "+foo",
      "-foo",
      "+",
      "-",
      "+config",
      "+config|get",
      "+config|get -config",
      "+config -config|get +config",
      "+config -config|get -config|set",
      "+@all -config +config|get +CONFIG|set",
      "+config|foo",
      "+config|get|foo",
      "+config|",
      "+|get",
      "-config|foo",
      "-select|0",
      "+select|0",
      "+select|0 +select|1 +select|0",
      "+select|0 +select",
      "+select +select|0",
      "+select|a +SELECT|A",
      "+select|0 -select",
      "+select|0 +@connection",
      "+@all +select|0",
      "+memory|usage|x",
      "+@all -@dangerous +debug",
      "+@set +@list -@set",
    )}
  `,
  "rules of keys and channels": `
    ${shown(
      "~a ~b ~a",
      "~* ~a",
      "allkeys",
      "ALLKEYS resetkeys ~a",
      "~a ~*",
      "~",
      "%R~a",
      "%W~a",
      "%RW~a",
      "%wr~a",
      "%r~a %w~a",
      "%R~a ~a",
      "~a %R~a",
      "%RR~a",
      "%~a",
      "%X~a",
      "%R",
      "%Ra",
      "%R~*",
      "%RW~* ~b",
      '"~a b"',
      '"~a\\x00b"',
      '"%R~a b"',
      "&a &b &a",
      "&* &a",
      "allchannels",
      "allchannels resetchannels &a",
      "&a &*",
      "&",
      '"&a b"',
    )}
  `,
  selectors: `
    ${shown(
      "(+get ~a)",
      "(+get ~a) (+set %W~b &c)",
      '"(+get ~a)" "(+set ~b)"',
      "( +get ~a )",
      "()",
      "(",
      "(+get",
      "+get) ~a",
      "(+get ~a) clearselectors",
      "+get (+set) clearselectors ~x",
      "(on)",
      "(>pw)",
      "(+foo)",
      "(~* ~a)",
      "(+get (~a))",
      "(+get) reset",
      "(allkeys allcommands allchannels)",
      "on (+get ~a) foo",
      "(+get on) ~a",
    )}
  `,
  "what rules allow": `
    ${dryRuns(
      "+@all ~a* &c*",
      "GET a",
      "GET b",
      "GET ''",
      "MGET a ab b",
      "MSET a 1 b 2",
      "PING",
      "PUBLISH c x",
      "PUBLISH d x",
      "SUBSCRIBE c cc d e",
      "PSUBSCRIBE c",
      "PSUBSCRIBE c*",
      "PSUBSCRIBE c?",
      "SSUBSCRIBE cc x",
      "SPUBLISH x y",
      "UNSUBSCRIBE x",
      "PUNSUBSCRIBE x",
      "SUNSUBSCRIBE x",
      "ZUNIONSTORE a 2 a b",
      "ZUNIONSTORE b 1 a",
      "SORT a STORE b",
      "XREAD STREAMS a b 0 0",
    )}
    ${dryRuns("+@all ~*", "CONFIG FOO", "CONFIG GET x", "config get x", "SUBSCRIBE a", "AUTH a b", "HELLO", "QUIT", "RESET")}
    ${dryRuns("", "AUTH a b", "HELLO", "QUIT", "RESET", "PING", "GET k", "CONFIG GET x", "ACL WHOAMI", "SELECT 0")}
    ${dryRuns("+@all -config|get ~*", "CONFIG GET x", "CONFIG SET a b", "CONFIG HELP")}
    ${dryRuns("+config|get", "CONFIG GET x", "CONFIG SET a b")}
    ${dryRuns("+select|0 +ECHO|Abc", "SELECT 0", "SELECT 1", "SELECT 00", "ECHO abc", "ECHO ABC", "ECHO x")}
    ${dryRuns(
      "+@all %R~r* %W~w* %RW~b*",
      "GET r",
      "GET w",
      "GET b",
      "SET r 1",
      "SET w 1",
      "SET b 1",
      "SET w 1 GET",
      "SET b 1 GET",
      "APPEND w x",
      "GETDEL w",
      "GETDEL b",
      "DEL w",
      "DEL r",
      "EXISTS r",
      "EXISTS w",
      "TYPE w",
      "COPY r w",
      "COPY w r",
      "COPY r b",
      "RENAME r w",
      "RENAME b w",
      "BITFIELD r GET u8 0",
      "BITFIELD w GET u8 0",
      "BITFIELD r SET u8 0 1",
      "BITFIELD w SET u8 0 1",
      "BITFIELD b SET u8 0 1",
      "SORT r",
      "SORT r STORE w",
      "SORT r STORE r",
      "SORT w STORE w",
      "LMPOP 1 r LEFT",
      "LMPOP 1 b LEFT",
      "LPUSH w x",
      "LPUSH r x",
      "LPOP w",
      "LPOP b",
      "SINTERSTORE w r r",
      "SINTERSTORE r r",
      "ZADD w 1 a",
      "HSET r f v",
      "EXPIRE w 1",
      "EXPIRE r 1",
      "XGROUP CREATE w g 0",
      "XREADGROUP GROUP g c STREAMS r >",
      "GEORADIUS r 0 0 1 m STORE w",
      "GEORADIUS r 0 0 1 m STORE r",
      "MIGRATE h 1 r 0 1",
      "OBJECT ENCODING w",
      "MEMORY USAGE r",
      "PFMERGE w r",
      "PFCOUNT w",
    )}
    ${dryRuns("+get ~a (+set ~b) (+get +set ~c)", "GET a", "GET b", "GET c", "SET a x", "SET b x", "SET c x", "MGET a")}
    ${dryRuns("+mget ~a (+mget ~b)", "MGET a", "MGET b", "MGET a b", "MGET b a", "MGET c d")}
    ${dryRuns("+@all (+get ~x) (+subscribe &y)", "GET y", "SUBSCRIBE z", "SUBSCRIBE y", "SUBSCRIBE y z")}
  `,
  refusals: `
    ACL LOG RESET
    ACL SETUSER u reset on >pw +@all -@admin ~a* &c* +acl|setuser +acl|whoami +client|list
    alone AUTH u wrong
    alone AUTH nobody pw
    alone AUTH u
    AUTH a b c
    ACL WHOAMI
    AUTH u pw
    ACL WHOAMI
    GET b
    MGET a b
    SET abc 1
    SADD alist 1
    SORT alist BY w_* GET a*
    SORT alist BY w_*
    SORT alist GET #
    SORT alist BY nosort
    SORT_RO alist BY w_*
    ACL LOG
    ACL LOG RESET
    CONFIG GET maxmemory
    PUBLISH d x
    PUBLISH c x
    MULTI
    SET a 1
    ? EXEC
    MULTI
    SET b 1
    SET a 1
    ? EXEC
    MULTI
    CONFIG GET x
    DISCARD
    SELECT foo
    GET
    FOO
    MULTI
    SET a 2
    GET a
    PUBLISH c x
    ACL SETUSER u -set resetchannels %R~a
    GET a
    ? EXEC
    MULTI
    GET a
    ACL SETUSER u resetkeys
    GET a
    PUBLISH c x
    ? EXEC
    AUTH default ""
    ACL WHOAMI
    ACL LOG RESET
    ACL DELUSER u
    FLUSHALL
  `,
  "needs EVAL: scripts": `
    ACL SETUSER u reset on nopass +@all -incr ~k* &c
    AUTH u x
    EVAL "return redis.call('incr','k')" 0
    EVAL "return redis.pcall('incr','k')" 0
    EVAL "return redis.call('get','x')" 0
    EVAL "return redis.call('get','k')" 0
    EVAL "return redis.call('publish','x','y')" 0
    EVAL "return redis.call('sort','k','by','w_*')" 0
    EVAL "return redis.call('get')" 0
    EVAL "return redis.acl_check_cmd('incr','k')" 0
    EVAL "return redis.acl_check_cmd('get','k')" 0
    EVAL "return redis.acl_check_cmd('get','x')" 0
    EVAL "return redis.acl_check_cmd('foo','x')" 0
    EVAL "return redis.acl_check_cmd('config')" 0
    EVAL "return redis.acl_check_cmd('config','foo')" 0
    EVAL "return redis.acl_check_cmd('get')" 0
    EVAL "return redis.acl_check_cmd('mset','k','1','x','2')" 0
    EVAL "return redis.acl_check_cmd()" 0
    EVAL "return redis.call('get','k')" 1 x
    AUTH default ""
    EVAL "return redis.call('set','x', 1)" 0
    EVAL "return redis.acl_check_cmd('set','x','1')" 0
    ACL DELUSER u
  `,

  "the default user and passwords": `
    ACL SETUSER default >pw
    ACL WHOAMI
    CONFIG GET requirepass
    ACL SETUSER default nopass
    AUTH default anything
    alone AUTH anything
    CONFIG SET requirepass sesame
    alone AUTH wrong
    alone AUTH sesame
    AUTH default sesame
    ACL GETUSER default
    alone HELLO 3 AUTH default wrong
    ? HELLO 2 AUTH default sesame
    alone RESET
    alone PING
    alone HELLO
    alone ACL WHOAMI
    alone AUTH default sesame
    CONFIG SET requirepass ""
    ACL GETUSER default
    ACL SETUSER admin on nopass +@all
    AUTH admin x
    ACL SETUSER default off
    alone RESET
    alone PING
    alone ACL WHOAMI
    alone AUTH default x
    alone HELLO 2
    alone AUTH admin x
    ACL SETUSER default on
    alone AUTH default x
    ACL DELUSER admin
  `,
};
