/** Scripts and functions: what Lua's values become, what errors say, and the libraries. */
import { quoteArgument } from "../../../src/config/text.ts";
import type { Scripts } from "../lib/suite.ts";

const evaluate = (source: string, command = "EVAL") => `${command} ${quoteArgument(source)} 0`;
const all = (...sources: string[]) => sources.map((source) => evaluate(source)).join("\n");

/** A string of Lua with these characters. */
const luaString = (text: string) =>
  `'${[...text].map((c) => `\\${String(c.charCodeAt(0)).padStart(3, "0")}`).join("")}'`;
const WHOLE_JSON = ' {"a": [1, -2.5e3, true, false, null, "x\\u00e9\\ud83d\\ude00\\n\\/"] } ';

const load = (code: string, name = "lib") => `FUNCTION LOAD ${quoteArgument(`#!lua name=${name}\n${code}`)}`;
const reload = (code: string, name = "lib") =>
  `FUNCTION LOAD REPLACE ${quoteArgument(`#!lua name=${name}\n${code}`)}`;
/** The values as JSON, which tells them apart better than a reply does. */
const json = (...values: string[]) => all(...values.map((value) => `return cjson.encode({${value}})`));

const BROKEN_JSON = [
  ...["", " ", "{", "[", "[1,]", "[1 2]", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "nul", "tru", "]", "1 2"],
  ...['"abc', '"\\x"', '"\\u12"', '"\\ud83d"', '"\\udc00"', "-", "+", "--1", "1e", "01x", "[1,2", "\u0001"],
  ...["a", "[nan,", "\0\0", "1\0", "{}}"],
];

export const SCRIPTING: Scripts = {
  "values to replies": `
    ${all("return 1", "return 3.99", "return -3.99", "return 1e15", "return 2^53", "return -2^63", "return 1/0")}
    ${all("return 'text'", "return ''", "return 'a\\0b'", "return true", "return false", "return nil", "return")}
    ${all("return {1,2,{3,'x',{}},nil,4}", "return {}", "return {a=1}", "return {false,true}", "return {{},{{}}}")}
    ${all("return {ok='fine'}", "return {ok='two\\r\\nlines'}", "return {ok=1}", "return {err='no code'}")}
    ${all("return {err='CODE text'}", "return {err='word'}", "return {err=1}", "return {err='a', ok='b'}")}
    ${all("return {double=3.5}", "return {double=1/0}", "return {big_number='123'}", "return {map={a=1}}")}
    ${all("return {set={a=true}}", "return {verbatim_string={format='txt',string='abc'}}", "return {map=1}")}
    ${all("return {verbatim_string={format='txt'}}", "return print", "return redis.call", "return coroutine.create(tostring)")}
    ${all("redis.setresp(3) return true", "redis.setresp(3) return {true,false,nil}", "return setmetatable({1}, {__index=function() error('no') end})")}
    EVAL "return {KEYS[1],KEYS[2],ARGV[1],ARGV[2],#KEYS,#ARGV}" 2 k1 k2 a1 a2
    EVAL "return {KEYS[1],ARGV[1]}" 0
    EVAL "return ARGV[1]" 0 "\\x00\\xff\\r\\n"
  `,
  "errors of commands": `
    SET s abc
    ${all("return redis.call('incr','s')", "return redis.pcall('incr','s')", "return redis.call('nope')", "return redis.pcall('nope')")}
    ${all("return redis.call('get')", "return redis.call()", "return redis.call({})", "return redis.call('set','a',true)")}
    ${all("return redis.call('multi')", "return redis.call('config','nope')", "return redis.call('config')", "return redis.call('subscribe','c')")}
    ${all("return redis.call('xread','block',0,'streams','x','$')", "return redis.call('eval','return 1',0)", "return redis.call('select',99)")}
    ${all("return {pcall(redis.call,'nope')}", "return {pcall(redis.call,'incr','s')}", "return redis.pcall('get').err")}
    ${evaluate("return redis.call('set','x',1)", "EVAL_RO")}
    ${evaluate("return redis.pcall('set','x',1)", "EVAL_RO")}
    ${evaluate("return redis.call('get','s')", "EVAL_RO")}
    ${evaluate("return redis.call('publish','c','m')", "EVAL_RO")}
    EXISTS x
  `,
  "errors of scripts": `
    ${all("error('text')", "error('text', 0)", "error('text', 2)", "error({err='MY error'})", "error({err='word'})", "error()")}
    ${all("assert(false, 'said')", "assert(nil)", "return 1 +", "goto x", "x = = 1", "local a = nil return a.b", "return 'a' .. {}")}
    ${all("return {} < {}", "return #5", "return -{}", "pairs(nil)", "ipairs()", "return ('x'):nope()", "local t = nil t.x = 1")}
    ${all("return string.rep()", "return string.format('%d', 'x')", "table.insert(nil, 1)", "return setmetatable(1, {})", "return tonumber({})")}
    ${all("return redis.call('echo', 'x'), redis.nope()", "\n\nerror('third line')", "local function f() error('inside') end\nf()")}
    ${all("local function f() return 1 + f() end return f()", "coroutine.wrap(function() error('co') end)()", "return unpack({}, 1, 1e8)")}
    ${all("redis.call('set','a','b') error('after a write')", "return {pcall(error, {err='A b'})}", "return {pcall(error, 'text')}")}
    ${all("return {xpcall(function() error('q') end, function(e) return 'handled ' .. e end)}", "return pcall(error, nil)")}
    ${all("return select(2, pcall(error, {code=1})).code", "local ok, e = pcall(redis.call, 'nope') return type(e) .. e")}
  `,
  cjson: `
    ${json("1, 2, 3", "a=1", "", "{}, {{}}", "1, 'two', true, false", "[1]=1, [3]=3", "'a\"b/c\\\\d\\n\\t\\0\\127\\200'", "[1.5]=2")}
    ${json("1e15, 0.1, 1/3, 123456789012345678, -0, 1e100, 5e-324, 100, 1e14, 12345.678", "x = cjson.null", "[1]=1, [100]=2")}
    ${all("return cjson.encode(nil)", "return cjson.encode('x')", "return cjson.encode(1/0)", "return cjson.encode(print)", "return cjson.encode(redis.call)")}
    ${all("return cjson.encode({[true]=1})", "return cjson.encode()", "return cjson.encode(1, 2)", "local t = {} for i = 1, 1100 do t = {t} end return cjson.encode(t)")}
    ${all(`local t = cjson.decode(${luaString(WHOLE_JSON)}) return {t.a[1], tostring(t.a[2]), t.a[3], t.a[4], t.a[5] == cjson.null, t.a[6]}`)}
    ${all("return tostring(cjson.decode('[0.0, -5e3, -1, 0.3e-3, 1023.2, 0e10, 0x10, inf, -inf, 007]')[7])", `return cjson.decode('"x"')`)}
    ${all(...BROKEN_JSON.map((text) => `return cjson.decode(${luaString(text)})`))}
    ${all("return cjson.decode(string.rep('[', 1001))", "return cjson.decode()", "return cjson.decode({})", "return cjson.decode(12)")}
    ${all("cjson.encode_max_depth(2) local ok, e = pcall(cjson.encode, {{{}}}) cjson.encode_max_depth(1000) return e")}
    ${all("cjson.encode_number_precision(3) local s = cjson.encode(1/3) cjson.encode_number_precision(14) return s", "return cjson.encode_number_precision(20)")}
    ${all("cjson.encode_sparse_array(true) local s = cjson.encode({[1]=1, [100]=2}) cjson.encode_sparse_array(false) return s", "return {cjson.encode_sparse_array()}")}
    ${all("cjson.encode_invalid_numbers('null') local s = cjson.encode({1/0}) cjson.encode_invalid_numbers(false) return s", "return cjson.encode_invalid_numbers('nope')")}
    ${all("return {cjson._NAME, cjson._VERSION, type(cjson.new), tostring(cjson.decode_invalid_numbers())}")}
  `,
  cmsgpack: `
    ${all("return cmsgpack.pack({1, 2, 3})", "return cmsgpack.pack({a=1})", "return cmsgpack.pack({})", "return cmsgpack.pack(nil, true, false, 'x')")}
    ${all("return cmsgpack.pack(0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 2^53)", "return cmsgpack.pack(-1, -32, -33, -128, -129, -32768, -32769, -2^31, -2^31 - 1, -2^53)")}
    ${all("return cmsgpack.pack(0.5, 0.1, 1/3, 1e300)", "return cmsgpack.pack(string.rep('x', 31), string.rep('x', 32), string.rep('x', 256), string.rep('x', 65536)):sub(1, 400)")}
    ${all("local t = {} t[1] = t return cmsgpack.pack(t)", "return cmsgpack.pack()", "return cmsgpack.pack({[1]=1, [3]=3}):len()", "return cmsgpack.pack(print)")}
    ${all("return cmsgpack.unpack(cmsgpack.pack({1, {2, 'x'}, true}))", "return {cmsgpack.unpack('\\1\\2\\3')}", "return cmsgpack.unpack('')", "return cmsgpack.unpack('\\199')")}
    ${all("return cmsgpack.unpack('\\218\\0')", "return cmsgpack.unpack('\\217\\5ab')", "return cmsgpack.unpack('\\147\\1')", "return cmsgpack.unpack(1)", "return cmsgpack.unpack()")}
    ${all("return {cmsgpack.unpack_one('\\1\\2\\3')}", "return {cmsgpack.unpack_one('\\1\\2\\3', 2)}", "return {cmsgpack.unpack_one('\\1', 5)}", "return {cmsgpack.unpack_one('\\1', -1)}")}
    ${all("return {cmsgpack.unpack_limit('\\1\\2\\3', 2)}", "return {cmsgpack.unpack_limit('\\1\\2\\3', 2, 1)}", "return {cmsgpack.unpack_limit('\\1\\2\\3', -1)}")}
    ${all("local a = cmsgpack.unpack(cmsgpack.pack({a={b={c='d'}}, [5]=6})) return {a.a.b.c, a[5]}", "return tostring(cmsgpack.unpack(cmsgpack.pack(0.1)))")}
  `,
  "struct and bit": `
    ${all("return struct.pack('>I2i4sdc3', 1, -2, 'abc', 1.5, 'xyz')", "return struct.pack('<bBhHlLTfd', -1, 255, -2, 65535, -3, 4, 5, 1.5, 0.1)", "return struct.pack('!4bi', 1, 2)")}
    ${all("return {struct.unpack('<I2hbs', struct.pack('<I2hbs', 65535, -2, -3, 'hi'))}", "return {struct.unpack('>i8I8', struct.pack('>i8I8', -5, 5))}", "return {struct.unpack('bc0', '\\3abcdef')}")}
    ${all("return struct.size('!8bi4l')", "return struct.size('s')", "return struct.size('c0')", "return struct.pack('z', 1)", "return struct.pack('i33', 1)", "return struct.pack('!3i', 1)")}
    ${all("return struct.unpack('i4', 'ab')", "return struct.unpack('s', 'ab')", "return struct.unpack('c0', 'ab')", "return {struct.unpack('b', 'ab', 2)}", "return struct.unpack('b', 'ab', 0)")}
    ${all("return struct.pack('c5', 'ab')", "return struct.pack('i')", "return struct.pack('i', 'x')", "return struct.pack('x x')", "return struct.pack('I8', 2^53)", "return struct.pack('i3', -2)")}
    ${all("return bit.tobit(2^32 + 5)", "return bit.tobit(-2^31 - 1)", "return bit.tobit(1.5)", "return bit.tobit(2.5)", "return bit.bnot(0)", "return bit.band(0xff, 0x0f, 3)", "return bit.bor(1, 2, 4)")}
    ${all("return bit.bxor(5, 1)", "return bit.lshift(1, 31)", "return bit.lshift(1, 33)", "return bit.rshift(-1, 4)", "return bit.arshift(-16, 2)", "return bit.rol(0x12345678, 12)", "return bit.ror(1, 1)")}
    ${all("return bit.bswap(0x12345678)", "return bit.tohex(255)", "return bit.tohex(-1, 4)", "return bit.tohex(255, -4)", "return bit.tohex(1, 0)", "return bit.band()", "return bit.tobit('x')")}
  `,
  "the cache and shebangs": `
    SCRIPT FLUSH
    SCRIPT LOAD "return 1"
    SCRIPT LOAD "return +"
    SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0000000000000000000000000000000000000000
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
    EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0
    EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
    EVALSHA 0000000000000000000000000000000000000000 0
    EVALSHA short 0
    EVALSHA short x
    EVALSHA_RO short 0
    EVAL "return 1" x
    EVAL "return 1" 1
    EVAL "return 1" -1
    EVAL "return 1"
    SCRIPT FLUSH SYNC
    SCRIPT FLUSH ASYNC
    SCRIPT FLUSH NOW
    SCRIPT FLUSH SYNC ASYNC
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
    SCRIPT KILL
    alone SCRIPT DEBUG NO
    alone SCRIPT DEBUG MAYBE
    SCRIPT NOPE
    SCRIPT HELP
    ${all("#!lua\nreturn 1", "#!lua flags=\nreturn 1", "#!lua flags=no-writes\nreturn redis.call('set','x',1)", "#!lua flags=no-writes,allow-oom\nreturn 2")}
    ${all("#!lua flags=bad\nreturn 1", "#!lua x=y\nreturn 1", "#!js\nreturn 1", "#!lua", "#!\nreturn 1", "#!lua 'x\nreturn 1", "#!lua\nerror('second line')")}
    ${evaluate("#!lua\nreturn 1", "EVAL_RO")}
    ${evaluate("#!lua flags=no-writes\nreturn 1", "EVAL_RO")}
  `,
  "what stays within a script": `
    SELECT 3
    SET x three
    ${all("redis.call('select', 4) redis.call('set', 'x', 'four') return redis.call('get', 'x')", "return redis.call('get', 'x')")}
    GET x
    ${all("redis.call('set', 'p', 1, 'px', 1) local t = redis.call('time') for i = 1, 1e6 do end return redis.call('get', 'p')")}
    MULTI
    ${evaluate("return redis.call('get', 'x')")}
    ${evaluate("return redis.call('nope')")}
    ? EXEC
    SADD set c b a
    ${all("return redis.call('sort', 'set', 'by', 'nosort')", "return redis.call('sort', 'set', 'by', 'nosort', 'get', '#')")}
  `,
  functions: `
    FUNCTION FLUSH
    ${load("redis.register_function('echo', function(keys, args) return {keys, args} end)")}
    FCALL echo 1 k a b
    FCALL ECHO 0
    FCALL_RO echo 0
    FCALL echo x
    FCALL echo 5 a
    FCALL echo -1
    FCALL nope 0
    ${load("redis.register_function('other', function() end)")}
    ${load("redis.register_function('echo', function() end)", "second")}
    ${reload("redis.register_function{function_name='ro', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}, description='reads'}")}
    FCALL_RO ro 1 x
    FCALL ro 1 x
    FCALL echo 0
    FUNCTION LIST
    FUNCTION LIST WITHCODE
    FUNCTION LIST LIBRARYNAME l* WITHCODE
    FUNCTION LIST LIBRARYNAME x*
    FUNCTION LIST LIBRARYNAME
    FUNCTION LIST NOPE
    FUNCTION STATS
    FUNCTION KILL
    FUNCTION DELETE nope
    FUNCTION DELETE lib
    FUNCTION LIST
    FUNCTION FLUSH NOW
    FUNCTION LOAD NOPE x
    FUNCTION RESTORE x
    FUNCTION RESTORE x y z
    FUNCTION HELP
    FUNCTION NOPE
  `,
  "libraries that cannot be loaded": `
    FUNCTION FLUSH
    FUNCTION LOAD "return 1"
    FUNCTION LOAD "#!lua name=x"
    FUNCTION LOAD "#!lua\\nreturn 1"
    FUNCTION LOAD "#!lua name=a name=b\\n"
    FUNCTION LOAD "#!lua name=a-b\\n"
    FUNCTION LOAD "#!lua name=a x=y\\n"
    FUNCTION LOAD "#!js name=a\\n"
    FUNCTION LOAD "#!LUA name=a\\n"
    ${["return 1 +", "error('no')", "foo = 1", "return foo", "return 1", "redis.call('get', 'x')", "math.random()", "redis.x = 1", "redis.register_function()"].map((code) => load(code)).join("\n")}
    ${["'f'", "1, 2", "'f', 1", "'f-g', function() end", "{}", "{function_name='f'}", "{callback=function() end}", "{function_name={}}", "{function_name='f', callback=1}", "{function_name='f', callback=function() end, x=1}", "{[1]=2}", "'f', function() end, 3"].map((args) => load(`redis.register_function(${args})`)).join("\n")}
    ${["{'no-writes', 'nope'}", "'no-writes'", "{1}"].map((flags) => load(`redis.register_function{function_name='f', callback=function() end, flags=${flags}}`)).join("\n")}
    ${load("redis.register_function('f', function() end) redis.register_function('f', function() end)")}
    FUNCTION LIST
  `,
  "what functions may do": `
    FUNCTION FLUSH
    ${load("local counter = 0 redis.register_function('count', function() counter = counter + 1 return counter end)")}
    FCALL count 0
    FCALL count 0
    ${load("redis.register_function('write', function(keys, args) return redis.call('set', keys[1], args[1]) end) redis.register_function{function_name='never', callback=function(keys) return redis.call('set', keys[1], 1) end, flags={'no-writes'}}", "writing")}
    FCALL write 1 fkey value
    GET fkey
    FCALL_RO write 1 fkey value
    FCALL never 1 fkey
    ${load("redis.register_function('bad', function() error('inside') end) redis.register_function('g', function() return foo end) redis.register_function('w', function() foo = 1 end) redis.register_function('r', function() redis.register_function('x', function() end) end) redis.register_function('k', function() return KEYS end) redis.register_function('lib', function() return {math.floor(1.5), cjson.encode({1}), redis.sha1hex('')} end)", "errors")}
    FCALL bad 0
    FCALL g 0
    FCALL w 0
    FCALL r 0
    FCALL k 0
    FCALL lib 0
    MULTI
    FCALL count 0
    FCALL bad 0
    ? EXEC
  `,
};

/** What Redis 7.0 does otherwise. */
export const SCRIPTING_7_2: Scripts = {
  "replies to values": `
    SET s abc
    HSET h f v
    RPUSH l 1 2 3
    ZADD z 1.5 a inf b
    SADD st m
    ${all("return redis.call('get','s')", "return redis.call('get','none') == false", "return type(redis.call('strlen','s'))")}
    ${all("return redis.call('set','x',1).ok", "return redis.call('lrange','l',0,-1)", "return #redis.call('lrange','none',0,-1)")}
    ${all("return redis.call('hgetall','h')", "return redis.call('zrange','z',0,-1,'withscores')", "return redis.pcall('incr','s').err")}
    ${all("return redis.call('blpop','none',0)", "return redis.call('echo','')", "return redis.call('object','encoding','s')")}
    ${all("redis.setresp(3) return redis.call('hgetall','h')", "redis.setresp(3) return redis.call('hgetall','h').map.f")}
    ${all("redis.setresp(3) return redis.call('zscore','z','a').double", "redis.setresp(3) return redis.call('zscore','z','b')")}
    ${all("redis.setresp(3) return redis.call('smembers','st')", "redis.setresp(3) return redis.call('get','none') == nil")}
    ${all("redis.setresp(3) return redis.call('zrange','z',0,-1,'withscores')", "redis.setresp(3) return redis.call('config','get','port').map ~= nil")}
  `,
  "numbers as arguments": all(
    ...[
      "1",
      "-1",
      "0",
      "-0",
      "1.5",
      "0.1",
      "1e15",
      "2^53",
      "2^63",
      "-2^63",
      "1e20",
      "1e100",
      "5e-324",
      "1/3",
      "1/0",
    ].map((number) => `return redis.call('echo', ${number})`),
  ),
  "what scripts may not touch": `
    ${all("return foo", "foo = 1", "redis = 1", "redis.call = 1", "string.x = 1", "_G.x = 1", "_G = 1", "KEYS = 1", "math.random = nil")}
    ${all("return setmetatable(_G, {})", "return rawset(_G, 'x', 1)", "getmetatable(_G).__index = 1", "return rawget(_G, 'foo')")}
    ${all("return rawget(_G, 'string') == string", "return getfenv(0) == _G", "return getfenv(1) == _G", "return rawset(redis, 'x', 1)")}
    ${all("cjson.encode = 1", "cmsgpack.pack = 1", "bit.band = 1", "struct.pack = 1", "table.concat = 1", "coroutine.wrap = 1")}
    ${all("return print", "return os", "return io", "return require", "return dofile", "return loadfile", "return debug", "return package")}
    ${all("local n = 0 for _ in pairs(string) do n = n + 1 end return n", "local n = 0 for _ in pairs(redis) do n = n + 1 end return n")}
    ${all("return next({})", "return {next({7})}", "local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) return #t")}
    ${all("return loadstring('return 1 + 1')()", "return loadstring('return +')", "local s = 'return 7' return load(function() local r = s s = nil return r end)()")}
    ${all("return setfenv(function() return x end, {x = 5})()", "setfenv(1, {}) return redis", "KEYS[1] = 'set' return KEYS[1]")}
    ${all("local t = setmetatable({}, {__metatable = 'mine'}) return getmetatable(t)", "setmetatable(setmetatable({}, {__metatable=1}), {})")}
  `,
  "the redis table": `
    ${all("return redis.sha1hex('')", "return redis.sha1hex('abc')", "return redis.sha1hex(1)", "return redis.sha1hex()", "return redis.sha1hex(1,2)")}
    ${all("return redis.status_reply('X')", "return redis.status_reply()", "return redis.status_reply(1)", "return redis.error_reply('My Err')")}
    ${all("return redis.error_reply('-My Err')", "return redis.error_reply('word')", "return redis.error_reply('')", "return redis.error_reply({})")}
    ${all("return redis.setresp()", "return redis.setresp(4)", "return redis.set_repl()", "return redis.set_repl(8)", "return redis.set_repl(redis.REPL_NONE)")}
    ${all("return redis.log()", "return redis.log('x', 'y')", "return redis.log(9, 'y')", "return redis.log(redis.LOG_DEBUG, 'y')", "return redis.breakpoint()")}
    ${all("return redis.replicate_commands()", "return redis.debug('x')", "return redis.acl_check_cmd('get', 'x')", "return redis.acl_check_cmd('nope')")}
    ${all("return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING}", "return redis.acl_check_cmd()")}
    ${all("return {redis.REPL_ALL, redis.REPL_AOF, redis.REPL_REPLICA, redis.REPL_SLAVE, redis.REPL_NONE}")}
    ${all("math.randomseed(42) return {math.random(1000), math.random(5, 10), tostring(math.random())}", "return math.random(0)", "return math.random(3, 2)")}
  `,
  "Lua's own library": `
    ${all("return {tostring(1e15), tostring(0.1), tostring(2^53), tostring(-1/0), tostring(1e100)}", "return tonumber('0x10')", "return tonumber('z', 36)")}
    ${all("return string.format('%q %5.2f %d %s %x %c %g %i %%', 'a\\nb', 1.234, 42, 'x', 255, 65, 1e20, 3)", "return ('x'):rep(3)")}
    ${all("return {string.gsub('hello world', 'o', '0')}", "return {string.find('hello', 'l')}", "return {('key=val'):match('(%w+)=(%w+)')}")}
    ${all("return table.concat({1, 2, 3}, ',')", "local t = {3, 1, 2} table.sort(t) return t", "return {table.remove({1, 2, 3})}", "return table.getn({1, 2})")}
    ${all("return {math.floor(-1.5), math.ceil(1.2), math.max(1, 5, 3), math.pow(2, 3), math.fmod(7, 3)}", "return {unpack({1, 2, 3}, 2)}")}
    ${all("local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b end) local _, x = coroutine.resume(co, 1) local _, y = coroutine.resume(co, 'z') return {x, y, coroutine.status(co)}")}
    ${all("return select('#', unpack({1, 2, 3}))", "return _VERSION", "return type(newproxy())", "return ('%d'):format(3.7)", "return #'\\0\\0'")}
  `,
};
