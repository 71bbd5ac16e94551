/** A small generator of Lua: expressions in expressions, their values given back as they are or spelt out in full. */
import type { Random } from "../../../unit/bytes/random.ts";

/** Spells a value out: types, fields in order, nested tables. */
export const SHOW = `
local function show(v, depth)
  local t = type(v)
  if t == 'number' then return string.format('%.17g', v) end
  if t == 'string' then return string.format('%q', v) end
  if t ~= 'table' then return (t == 'function' or t == 'userdata' or t == 'thread') and t or tostring(v) end
  if depth > 6 then return '{...}' end
  local parts = {}
  for k, e in pairs(v) do parts[#parts + 1] = '[' .. show(k, depth + 1) .. ']=' .. show(e, depth + 1) end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end
local function all(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = show((select(i, ...)), 0) end
  return table.concat(parts, ' ')
end
`;

/** Templates between bars: $ is any expression, & a small number or what is none, @ something to throw. */
function list(text: string): string[] {
  return text.trim().split(/ \|\s+/);
}

const NUMBERS = [
  ..."0 1 -1 3 7 8 16 31 32 33 64 100 127 128 255 256 -32 -33 -128 -129 65535 65536 -32769 2^31 -2^31 2^32 2^53 -2^63 2^64".split(
    " ",
  ),
  ..."3.99 -3.5 0.1 1/3 1e15 1e100 -1e300 5e-324 1/0 -1/0 -0 123456789012345678 1e14 0.5 2.5 1.5".split(" "),
];
const STRINGS = [
  ..."'' 'a' 'abc' 'hello world' '12' '-3.5' '0x10' '1e3' ' 7 ' 'nan' 'inf' 's' 'l' 'h' 'set' 'none' 'OK' '-ERR x'"
    .split(" '")
    .map((text, i) => (i === 0 ? text : `'${text}`)),
  ..."'ERR said' '-no' '\\0' 'a\\0b' '\\r\\n' 'two\\r\\nlines' '\\255\\254' '\\n' '%d' '%s'"
    .split(" '")
    .map((text, i) => (i === 0 ? text : `'${text}`)),
  "string.rep('x', 31)",
  "string.rep('x', 32)",
  "string.rep('y', 300)",
  "string.rep('z', 66000)",
];
/** For what Redis's Lua takes as an int of 64 bits, redbun's of 32 (libraries/integers.ts has those that matter). */
const SMALL = [..."0 1 2 -1 -2 3 65 255 1.5 '2' nil 'x' {} 70000 true".split(" ")];
const JSON_TEXTS = [
  ...[
    '{"a":1}',
    "[]",
    "{}",
    "[1,2,3]",
    "[1.5,-2e3,0.1,1e400,-0]",
    '{"a":{"b":[null,true,false]}}',
    '"x"',
    "1",
    "null",
  ],
  ...[
    "[1,",
    '{"a"',
    "[1 2]",
    '"\\\\u00e9\\\\ud83d\\\\ude00"',
    '["\\\\n\\\\t\\\\/"]',
    '["\\\\x"]',
    "[nan]",
    "[Infinity]",
    "[-inf]",
    "[0x1F]",
    "[01]",
    "[1.]",
    "[.5]",
    "[+1]",
  ],
  ...[
    '{"1":2,"x":[{}]}',
    "  [ 1 ]  ",
    "[1]x",
    '{"a":1,"a":2}',
    "[[[[[[]]]]]]",
    "[tru]",
    '["\t"]',
    "[1e5,1E+2,1e-2]",
    '{"__jsontype":1}',
  ],
];
const STRUCT_FORMATS = [
  "b",
  "B",
  "h",
  "H",
  "i4",
  "I4",
  "i8",
  "I8",
  "i3",
  "l",
  "L",
  "T",
  "f",
  "d",
  "s",
  "c3",
  "c0",
  "x",
  "<",
  ">",
  "!4",
  "!",
  "=",
  " ",
  "i",
  "I2",
  "i16",
  "i33",
  "z",
  "n",
];
const BIT = [
  "tobit",
  "bnot",
  "band",
  "bor",
  "bxor",
  "lshift",
  "rshift",
  "arshift",
  "rol",
  "ror",
  "bswap",
  "tohex",
  "none",
];
const LIBRARY = list(`
  string.format('%d', $) | string.format('%s %q', $, $) | string.format('%5.2f|%g|%x', $, $, $) |
  string.sub($, &, &) | string.byte($, &) | string.char(&, &) | string.find($, $, &) | string.gsub($, $, $) |
  string.match($, '(%a+)(%d*)') | string.reverse($) | string.upper($) | string.rep($, 3) | string.len($) |
  table.concat($, ',') | table.concat($, $, &, &) | table.maxn({$, $}) | unpack($) | unpack($, 1, 3) |
  select('#', $, $) | select(&, $, $) | #$ | string.format('%d %x', 0/0, 0/0) | tostring(0/0) | redis.sha1hex(cmsgpack.pack(0/0)) |
  redis.sha1hex(struct.pack('d', 0/0)) | redis.pcall('echo', 0/0) | cjson.encode(0/0) | tonumber($) | tonumber($, 16) |
  tonumber($, $) | type($) | tostring($) ~= nil | rawequal($, $) | rawget($, $) | next($) | math.floor($) |
  math.max($, $) | math.fmod($, 7) | math.pow($, 2) | math.modf($) | math.frexp($) | math.ldexp($, 2) |
  math.ceil($) | math.abs($) | $ .. $ | $ + $ | $ % $ | $ / $ | $ ^ 2 | -$ | not $ | $ == $ | $ < $ | $ <= $ |
  $ and $ | $ or $ | ($)[1] | ($).err | ($).ok | ($).map | ($)[$] | pcall(error, $) | pcall(redis.call, $, $) |
  pcall(redis.pcall, $) | xpcall(function() error($) end, function(e) return {'h', e} end) |
  pcall(function() return $, $ end) | pcall(pcall, error, $) | pcall(function() local x = nil; return x.y end) |
  pcall(setmetatable, $, {}) | assert($, $) | error(@) | error(@, 0) | error(@, 2) | (function() error(@) end)() |
  (function(...) return select('#', ...) end)($, nil) | loadstring('return 1')() | loadstring($) |
  pcall(loadstring('error(1)', 'name')) | pcall(loadstring('error({err=[[X y]]})', $)) | getfenv ~= nil |
  coroutine.wrap(function(a) local b = coroutine.yield(a) error(b) end)($) |
  coroutine.resume(coroutine.create(function() error($) end)) |
  coroutine.resume(coroutine.create(function() return redis.call('get', $) end)) |
  coroutine.status(coroutine.create(function() end)) | tostring(redis):sub(1, 5) | undefined | undefined.x |
  redis.undefined | redis.call.x | type(print) | type(os) | type(os and os.clock) | _G.redis == redis | _VERSION |
  rawset(_G, 'x', $) | rawset(redis, 'x', $) | setmetatable(_G, {}) | pcall(function() x = 1 end) |
  pcall(function() redis.x = 1 end) | pcall(function() string.x = 1 end) |
  pcall(function() KEYS[5] = 1 return KEYS[5] end) | pcall(rawset, $, $, $) | table.getn($) | ipairs($) |
  pcall(table.insert, $, &, $) | pcall(table.insert, $, $) | pcall(table.sort, {$, $}) | table.remove($) |
  string.dump ~= nil | collectgarbage('count') > 0 | newproxy ~= nil | gcinfo ~= nil
`);
const REDIS = list(`
  redis.status_reply($) | redis.error_reply($) | redis.sha1hex($) | redis.sha1hex() | redis.status_reply() |
  redis.error_reply() | redis.error_reply($, $) | redis.log($, 'x') | redis.log(redis.LOG_DEBUG, $) | redis.log() |
  redis.setresp(3) | redis.setresp(2) | redis.setresp($) | redis.setresp() | redis.set_repl(redis.REPL_ALL) |
  redis.set_repl($) | redis.replicate_commands() | redis.breakpoint() | redis.debug($) |
  redis.acl_check_cmd('get', $) | redis.acl_check_cmd($) | redis.acl_check_cmd() |
  redis.acl_check_cmd('set', 'a', 'b') | redis.acl_check_cmd('config', 'get', 'x') | redis.REDIS_VERSION_NUM > 0 |
  redis.LOG_WARNING | redis.REPL_NONE | redis.REPL_SLAVE | redis.register_function('x', $) | redis.call() |
  redis.pcall() | redis.call($) | redis.pcall($) | redis.call($, $) | redis.pcall($, $, $)
`);
const COMMANDS = list(`
  'get', 's' | 'get', 'none' | 'set', 's', $ | 'set', 'n', $, 'px', 100000 | 'incr', 's' | 'incr', 't' |
  'incrbyfloat', 't', $ | 'hgetall', 'h' | 'hgetall', 'none' | 'hset', 'h', $, $ | 'smembers', 'set2' |
  'smembers', 'none' | 'sismember', 'set', $ | 'smismember', 'set', $, 'a' | 'zrange', 'z', 0, -1, 'withscores' |
  'zscore', 'z', 'a' | 'zscore', 'z', $ | 'zadd', 'z', $, 'a' | 'zincrby', 'z', $, 'b' | 'zmscore', 'z', 'a', 'q' |
  'zrank', 'z', 'b', 'withscore' | 'zpopmin', 'z2', 1 | 'geopos', 'geo', 'a', 'q' |
  'geodist', 'geo', 'a', 'b', 'km' | 'lrange', 'l', 0, 2 | 'lpush', 'l', $, $ | 'lpop', 'none' | 'lpop', 'none', 2 |
  'lpos', 'l', 'a' | 'rpush', 's', 1 | 'xrange', 'x', '-', '+' | 'xread', 'streams', 'x', 0 |
  'xread', 'streams', 'none', 0 | 'xinfo', 'groups', 'x' | 'xinfo', 'stream', 'x' | 'xadd', 'x', '*', 'a' |
  'xreadgroup', 'group', 'a', 'c', 'block', 0, 'streams', 'x', '>' | 'blpop', 'none', 0 |
  'config', 'get', 'maxmemory*' | 'object', 'encoding', 'l' | 'ttl', 's' | 'expire', 's', 10000 | 'type', $ |
  'exists', $, $ | 'mget', 's', 'l', 'none' | 'del', $ | 'ping' | 'ping', $ | 'echo', $ | 'select', 1 |
  'select', 0 | 'select', 99 | 'multi' | 'subscribe', 'c' | 'eval', 'return 1', 0 | 'auth', 'x' | 'client', 'id' |
  'hello', 3 | 'reset' | 'nope' | 'get' | 'get', 's', 's' | 'GET', 's' | 'config', 'nope' | 'config' |
  'command', 'getkeys', 'get', 'x' | 'publish', 'c', 'm' | 'setrange', 's', 2, 'x' | 'append', 's', $ |
  'sort', 'l', 'alpha' | 'dump', 'none' |
  'bitfield', 's', 'get', 'u8', 0, 'incrby', 'u2', 0, 9, 'overflow', 'fail' | 'bitcount', 's' |
  'getrange', 's', 0, 2 | 'lmpop', 1, 'l', 'left' | 'zinter', 2, 'z', 'z2', 'withscores' | 'hrandfield', 'none', 2 |
  'srandmember', 'none' | 'copy', 's', 's2' | 'rename', 'none', 'x' | 'script', 'exists', 'x' |
  'memory', 'usage', 'none' | 'wait', 0, 0 | 'flushall' | 'debug', 'protocol', 'double' | 'lcs', 's', 't', 'idx' |
  'acl', 'whoami' | 'function', 'list' | 'watch', 'x' | 'monitor' | 'info', 'nope' | 'slowlog', 'x' |
  'latency', 'latest' | 'hincrbyfloat', 'h', 'a', $ | 'hmget', 'h', 'a', $
`);

export class LuaDrawer {
  constructor(private readonly random: Random) {}

  expression(depth = 0): string {
    const { random } = this;
    if (depth > 3) return this.leaf();
    switch (random.below(14)) {
      case 0:
      case 1:
        return this.table(depth);
      case 2:
      case 3:
        return this.fill(random.pick(LIBRARY), depth);
      case 4:
        return this.fill(random.pick(REDIS), depth);
      case 5:
      case 6:
      case 7:
        return `redis.${random.below(3) === 0 ? "call" : "pcall"}(${this.fill(random.pick(COMMANDS), depth + 1)})`;
      case 8:
        return this.json(depth);
      case 9:
        return this.messagePack(depth);
      case 10:
        return random.below(2) === 0 ? this.struct(depth) : this.bits(depth);
      default:
        return this.leaf();
    }
  }

  /** Statements and what they return. */
  body(): string {
    const { random } = this;
    const lines: string[] = [];
    if (random.below(4) === 0) lines.push("redis.setresp(3)");
    const values = 1 + random.below(2);
    for (let i = 0; i < random.below(3); i++)
      lines.push(
        random.below(4) === 0
          ? this.fill(random.pick(LIBRARY), 1).replace(/^.*$/s, (text) => `local _ = ${text}`)
          : `local v${i} = ${this.expression(1)}`,
      );
    const drawn = Array.from({ length: values }, () => this.expression()).join(", ");
    if (random.below(5) === 0) lines.push(`return ${drawn}`);
    else if (random.below(3) === 0) lines.push(`return all(pcall(function() return ${drawn} end))`);
    else lines.push(`return all(${drawn})`);
    return lines.join(random.below(3) === 0 ? "\n" : " ");
  }

  private leaf(): string {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
      case 1:
        return random.pick(NUMBERS);
      case 2:
      case 3:
      case 4:
        return random.pick(STRINGS);
      case 5:
        return random.pick(["nil", "true", "false", "cjson.null", "function() end"]);
      default:
        return random.pick([
          "KEYS[1]",
          "KEYS[2]",
          "ARGV[1]",
          "ARGV[2]",
          "ARGV[3]",
          "KEYS",
          "ARGV",
          "#KEYS",
          "#ARGV",
        ]);
    }
  }

  private fill(template: string, depth: number): string {
    const { random } = this;
    return template
      .replace(/\$/g, () => this.expression(depth + 1))
      .replace(/&/g, () => random.pick(SMALL))
      .replace(/@/g, () => this.thrown());
  }

  /** A value to throw. Redis itself falls over a table whose err is no text, where nothing catches it. */
  private thrown(): string {
    const { random } = this;
    // Redis puts a line's end in what is thrown into the reply as it is.
    const texts = STRINGS.filter((text) => !/\\[rn]/.test(text));
    switch (random.below(5)) {
      case 0:
        return `{err=${random.pick(texts)}}`;
      case 1:
        return `{err=${random.pick(texts)}, ${random.pick(["source", "line", "code", "ok"])}=${random.pick(texts)}}`;
      case 2:
        return `redis.error_reply(${random.pick(texts)})`;
      default:
        return random.pick([...texts, "1", "2.5", "nil", "true", ""]);
    }
  }

  private table(depth: number): string {
    const { random } = this;
    const e = () => this.expression(depth + 1);
    switch (random.below(14)) {
      case 0:
        return `{ok=${e()}}`;
      case 1:
        return `{err=${e()}}`;
      case 2:
        return `{err=${e()}, ${random.pick(["source", "line", "ignore_error_stats_update", "code", "ok"])}=${e()}}`;
      case 3:
        return `{double=${random.pick([...NUMBERS, "'1.5'", "'x'", "{}"])}}`;
      case 4:
        return `{big_number=${random.pick(["'123'", "'-12345678901234567890123'", "12", "'x\\r\\ny'", "nil", "''"])}}`;
      case 5:
        return `{verbatim_string={format=${random.pick(["'txt'", "'mkd'", "'x'", "'longer'", "''", "nil", "3", "'a\\r\\n'"])}, string=${e()}}}`;
      case 6:
        // One pair: the order of more is not determined.
        return `{map={[${random.pick(["'a'", "1", "2.5", "true", "{}", "{ok='x'}"])}]=${e()}}}`;
      case 7:
        return `{set={[${random.pick(["'a'", "1", "2.5", "false", "{}", "{double=1}"])}]=${random.pick(["true", "1", "false", e()])}}}`;
      case 8:
        return `{${random.pick(["a", "map", "set", "double", "verbatim_string", "big_number"])}=${e()}}`;
      case 9:
        return `{[${random.pick(["1", "2", "5", "100", "1.5", "-1", "0"])}]=${e()}}`;
      default:
        return `{${Array.from({ length: random.below(5) }, e).join(", ")}}`;
    }
  }

  private json(depth: number): string {
    const { random } = this;
    const e = () => this.expression(depth + 1);
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        return `cjson.encode(${e()})`;
      case 3:
        return `cjson.decode(${e()})`;
      case 4:
      case 5:
        return `cjson.decode('${random.pick(JSON_TEXTS)}')`;
      case 6:
        return `cjson.encode(cjson.decode('${random.pick(JSON_TEXTS)}'))`;
      case 7:
        return `cjson.decode(cjson.encode(${e()}))`;
      default:
        return random.pick([
          `cjson.encode(${e()}, ${e()})`,
          "cjson.decode()",
          `cjson.encode_max_depth(${random.pick(["1000", "0", "'x'"])})`,
          "cjson.encode_sparse_array()",
          "cjson.encode_keep_buffer()",
          "cjson.decode_max_depth()",
          "cjson.encode_number_precision(14)",
          "cjson.encode_number_precision(99)",
          "cjson.encode_invalid_numbers(false)",
          "cjson.decode_invalid_numbers()",
          "cjson.new",
          "cjson.null == cjson.decode('null')",
        ]);
    }
  }

  private messagePack(depth: number): string {
    const { random } = this;
    const e = () => this.expression(depth + 1);
    switch (random.below(7)) {
      case 0:
      case 1:
        return `cmsgpack.pack(${e()})`;
      case 2:
        return `cmsgpack.unpack(cmsgpack.pack(${e()}, ${e()}))`;
      case 3:
        return `cmsgpack.unpack('${bytes(random)}')`;
      case 4:
        return `cmsgpack.unpack_one('${bytes(random)}', ${random.pick(["0", "1", "2", "-1", e()])})`;
      case 5:
        return `cmsgpack.unpack_limit(cmsgpack.pack(1, 'a', {true}), ${random.pick(["1", "2", "0", "-1", "5"])}, ${random.pick(["0", "1", "3", "99"])})`;
      default:
        return `cmsgpack.unpack(${e()})`;
    }
  }

  private struct(depth: number): string {
    const { random } = this;
    const format = Array.from({ length: 1 + random.below(4) }, () => random.pick(STRUCT_FORMATS)).join("");
    const e = () => (random.below(3) === 0 ? this.expression(depth + 1) : random.pick(NUMBERS));
    switch (random.below(4)) {
      case 0:
        return `struct.pack('${format}', ${e()}, ${e()}, ${random.pick(STRINGS)})`;
      case 1:
        return `struct.unpack('${format}', '${bytes(random)}${bytes(random)}'${random.pick(["", "", ", 1", ", 2", ", 0", ", 99"])})`;
      case 2:
        return `struct.size('${format}')`;
      default:
        return `struct.unpack('${format}', struct.pack('${format}', ${e()}, ${e()}, ${e()}))`;
    }
  }

  private bits(depth: number): string {
    const { random } = this;
    const e = () => (random.below(3) === 0 ? this.expression(depth + 1) : random.pick(NUMBERS));
    return `bit.${random.pick(BIT)}(${Array.from({ length: random.below(4) }, e).join(", ")})`;
  }
}

/** Bytes in Lua's escapes, those that MessagePack has types for more often. */
function bytes(random: Random): string {
  const one = () =>
    random.pick([
      random.below(256),
      0xc0 + random.below(32),
      0x80 + random.below(4),
      0x90 + random.below(4),
      0xa0 + random.below(5),
      random.below(4),
    ]);
  return Array.from({ length: random.below(9) }, () => `\\${String(one()).padStart(3, "0")}`).join("");
}
