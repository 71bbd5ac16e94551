import { latin1Bytes } from "../../bytes/ascii.ts";
import { globMatchAt } from "../../bytes/glob.ts";
import type { Call } from "../../call/call.ts";
import { readLibraries, writeLibraries } from "../../rdb/library-payload.ts";
import { CommandError, errors, subcommandSyntax } from "../../resp/errors.ts";
import type { Library } from "../../scripting/functions.ts";
import { SCRIPT_FLAG_NAMES, SCRIPT_FLAGS } from "../../scripting/shebang.ts";
import type { ScriptingDeps } from "./deps.ts";

/** FUNCTION LOAD, DELETE, FLUSH, LIST, DUMP, RESTORE, STATS, KILL. */

const REPLACE = latin1Bytes("replace");
const WITHCODE = latin1Bytes("withcode");
const LIBRARYNAME = latin1Bytes("libraryname");
const SYNC = latin1Bytes("sync");
const ASYNC = latin1Bytes("async");
const APPEND = latin1Bytes("append");
const FLUSH = latin1Bytes("flush");

export function load(call: Call, { scripting }: ScriptingDeps): void {
  let at = 2;
  let replace = false;
  for (; at < call.argc - 1; at++) {
    if (!call.is(at, REPLACE)) throw new CommandError(`ERR Unknown option given: ${call.text(at)}`);
    replace = true;
  }
  if (at >= call.argc) throw new CommandError("ERR Function code is missing");
  const name = scripting.functions.load(call.bytes(at), { replace, patient: call.session.isObeyed });
  call.dirty++;
  call.reply.bulkText(name);
}

export function remove(call: Call, { scripting }: ScriptingDeps): void {
  scripting.functions.delete(call.text(2));
  call.dirty++;
  call.reply.ok();
}

export function flush(call: Call, { scripting }: ScriptingDeps): void {
  if (call.argc > 3) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  if (call.argc === 3 && !call.is(2, SYNC) && !call.is(2, ASYNC))
    throw new CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  scripting.functions.flush();
  call.dirty++;
  call.reply.ok();
}

export function list(call: Call, { scripting }: ScriptingDeps): void {
  let withCode = false;
  let pattern = 0;
  for (let i = 2; i < call.argc; i++) {
    if (!withCode && call.is(i, WITHCODE)) withCode = true;
    else if (pattern === 0 && call.is(i, LIBRARYNAME)) {
      if (i >= call.argc - 1) throw new CommandError("ERR library name argument was not given");
      pattern = ++i;
    } else throw new CommandError(`ERR Unknown argument ${call.text(i)}`);
  }
  const all = [...scripting.functions.current.libraries.values()];
  const matching = all.filter(({ name }) => {
    const bytes = latin1Bytes(name);
    return (
      pattern === 0 ||
      globMatchAt(call.buf, call.start[pattern]!, call.end[pattern]!, bytes, 0, bytes.length, true)
    );
  });
  call.reply.array(matching.length);
  for (const library of matching) describeLibrary(call, library, withCode);
}

function describeLibrary({ reply }: Call, { name, source, functions }: Library, withCode: boolean): void {
  reply.map(withCode ? 4 : 3);
  reply.bulkText("library_name");
  reply.bulkText(name);
  reply.bulkText("engine");
  reply.bulkText("LUA");
  reply.bulkText("functions");
  reply.array(functions.size);
  for (const each of functions.values()) {
    reply.map(3);
    reply.bulkText("name");
    reply.bulkText(each.name);
    reply.bulkText("description");
    if (each.description === null) reply.nil();
    else reply.bulkText(each.description);
    reply.bulkText("flags");
    const flags = SCRIPT_FLAG_NAMES.filter((flag) => (each.flags & SCRIPT_FLAGS[flag]) !== 0);
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
  }
  if (!withCode) return;
  reply.bulkText("library_code");
  reply.bulk(source);
}

export function dump(call: Call, { scripting, config }: ScriptingDeps): void {
  call.reply.bulk(writeLibraries(scripting.functions.sources(), config.values.rdbcompression));
}

export function restore(call: Call, { scripting, debugSettings }: ScriptingDeps): void {
  if (call.argc > 4) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  const policy =
    call.argc < 4 || call.is(3, APPEND)
      ? "append"
      : call.is(3, REPLACE)
        ? "replace"
        : call.is(3, FLUSH)
          ? "flush"
          : null;
  if (policy === null)
    throw new CommandError(
      "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
    );
  const sources = readLibraries(call.buf, call.start[2]!, call.end[2]!, debugSettings.skipChecksums);
  if (typeof sources === "string") throw new CommandError(sources);
  scripting.functions.restore(sources, policy);
  call.dirty++;
  call.reply.ok();
}

export function stats({ reply }: Call, { scripting }: ScriptingDeps): void {
  const { runs, functions } = scripting;
  const { current } = runs;
  if (current?.script.kind === "eval") throw new CommandError(errors.busyScript);
  reply.map(2);
  reply.bulkText("running_script");
  if (current === null) reply.nil();
  else {
    reply.map(3);
    reply.bulkText("name");
    reply.bulkText(current.script.name);
    reply.bulkText("command");
    reply.array(current.args.length);
    for (const arg of current.args) reply.bulk(arg);
    reply.bulkText("duration_ms");
    reply.int(Math.floor(performance.now() - current.startedAt));
  }
  reply.bulkText("engines");
  reply.map(1);
  reply.bulkText("LUA");
  reply.map(2);
  reply.bulkText("libraries_count");
  reply.int(functions.current.libraries.size);
  reply.bulkText("functions_count");
  reply.int(functions.current.functionCount);
}
