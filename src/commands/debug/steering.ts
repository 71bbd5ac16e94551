import { latin1Bytes } from "../../bytes/ascii.ts";
import { globMatch } from "../../bytes/glob.ts";
import type { Call } from "../../call/call.ts";
import { systemErrorText } from "../../config/errors.ts";
import { parseMemory } from "../../config/numbers.ts";
import { saveConfig } from "../../config/rewrite.ts";
import { CommandError, subcommandSyntax } from "../../resp/errors.ts";
import { type DebugDeps, leadingInteger, type SubcommandTable } from "./deps.ts";

/** DEBUG's subcommands that make the server do, or leave, something. */

const FOUR_GB = 4n * 1024n ** 3n;

/** Stops the whole process, so that no client is served meanwhile. */
function sleep(call: Call): void {
  const seconds = Number.parseFloat(call.text(2));
  const milliseconds = seconds > 0 ? seconds * 1000 : 0;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  call.reply.ok();
}

/** The text goes out as it is, and does not count as an error of the server's. */
function error(call: Call): void {
  call.reply.raw(latin1Bytes(`-${call.text(2).replace(/[\r\n]/g, " ")}\r\n`));
}

function log(call: Call, deps: DebugDeps): void {
  deps.log.warning(`DEBUG LOG: ${Buffer.from(call.bytes(2)).toString("utf8")}`);
  call.reply.ok();
}

function packedThreshold(call: Call, { debugSettings }: DebugDeps): void {
  const size = parseMemory(call.text(2));
  if (size === null || size >= FOUR_GB)
    throw new CommandError("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  debugSettings.packedThreshold = Number(size);
  call.reply.ok();
}

/** Clients have no reply buffers of their own whose size could be steered; only the form is checked. */
function replyBuffer(call: Call): void {
  const what = call.text(2).toLowerCase();
  const value = call.text(3).toLowerCase();
  if (what === "peak-reset-time") {
    if (value !== "never" && value !== "reset") call.int(3);
  } else if (what !== "resizing") throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  call.reply.ok();
}

/** Sends replicas what the arguments say, right or wrong. */
function replicate(call: Call, { replication }: DebugDeps): void {
  const args = Array.from({ length: call.argc - 2 }, (_, i) => call.text(i + 2));
  if (replication.stream.active) replication.stream.control(...args);
  call.reply.ok();
}

function loadAof(call: Call, { reloading }: DebugDeps): void {
  const failure = reloading.loadAof();
  if (failure !== null) throw new CommandError(failure);
  call.reply.ok();
}

/** DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]: the data set goes to the RDB file and comes back. */
function reload(call: Call, { reloading }: DebugDeps): void {
  const words = Array.from({ length: call.argc - 2 }, (_, i) => call.text(i + 2).toLowerCase());
  for (const word of words)
    if (word !== "nosave" && word !== "noflush" && word !== "merge")
      throw new CommandError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  const failure = reloading.reload({
    save: !words.includes("nosave"),
    flush: !words.includes("noflush"),
    merge: words.includes("merge"),
  });
  if (failure !== null) throw new CommandError(failure);
  call.reply.ok();
}

function rewriteAll(call: Call, { config }: DebugDeps): void {
  const path = config.configFile;
  if (path === null) throw new CommandError("ERR CONFIG-REWRITE-FORCE-ALL failed: No such file or directory");
  try {
    saveConfig(path, config, { forceAll: true });
  } catch (error) {
    throw new CommandError(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${systemErrorText(error)}`);
  }
  call.reply.ok();
}

/** Long random patterns and texts of few letters: a matcher that goes astray hangs or throws. */
function stringMatchTest(call: Call): void {
  const letters = latin1Bytes("abc*?[]^-\\");
  const some = (longest: number) =>
    Uint8Array.from({ length: 1 + Math.floor(Math.random() * longest) }, () => {
      return letters[Math.floor(Math.random() * letters.length)]!;
    });
  for (let i = 0; i < 10_000; i++) globMatch(some(32), some(128), false);
  call.reply.simple("Apparently redbun did not crash: test passed");
}

/** DEBUG CLUSTERLINK KILL <to|from|all> <node>: as if the connection had broken. */
function killLink(call: Call, { clustering }: DebugDeps): void {
  const { cluster } = clustering;
  if (cluster === null)
    throw new CommandError("ERR Debug option only available for cluster mode enabled setup!");
  const node = cluster.state.lookup(call.text(4));
  if (node === undefined) throw new CommandError(`ERR Unknown node ${call.text(4)}`);
  const direction = call.text(3).toLowerCase();
  if (call.text(2).toLowerCase() !== "kill")
    throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  if (direction !== "to" && direction !== "from" && direction !== "all")
    throw new CommandError(`ERR Unknown direction ${call.text(3)}`);
  if (direction !== "from") node.link?.close();
  if (direction !== "to") node.inbound?.close();
  call.reply.ok();
}

export const steering: SubcommandTable = [
  ["clusterlink", { min: 5, max: 5, run: killLink }],
  numberSetting("drop-cluster-packet-filter", ({ clustering }, value) => {
    if (clustering.cluster !== null) clustering.cluster.receiver.dropped = value;
  }),
  ["sleep", { min: 3, max: 3, run: sleep }],
  ["error", { min: 3, max: 3, run: error }],
  ["log", { min: 3, max: 3, run: log }],
  ["quicklist-packed-threshold", { min: 3, max: 3, run: packedThreshold }],
  ["replybuffer", { min: 4, max: 4, run: replyBuffer }],
  ["config-rewrite-force-all", { min: 2, max: 2, run: rewriteAll }],
  ["replicate", { min: 3, max: Number.POSITIVE_INFINITY, run: replicate }],
  ["stringmatch-test", { min: 2, max: 2, run: stringMatchTest }],
  numberSetting("set-active-expire", ({ cronDeps }, value) => {
    cronDeps.activeExpire = value !== 0;
  }),
  numberSetting("pause-cron", ({ cronDeps }, value) => {
    cronDeps.paused = value !== 0;
  }),
  numberSetting("set-disable-deny-scripts", ({ debugSettings }, value) => {
    debugSettings.disableDenyScripts = value !== 0;
  }),
  numberSetting("set-skip-checksum-validation", ({ debugSettings }, value) => {
    debugSettings.skipChecksums = value !== 0;
  }),
  numberSetting("aof-flush-sleep", ({ debugSettings }, value) => {
    debugSettings.aofFlushSleep = value;
  }),
  ["reload", { min: 2, max: 5, run: reload }],
  ["loadaof", { min: 2, max: 2, run: loadAof }],
  ["segfault", { min: 2, max: 2, run: (_call, { crash }) => crash.segfault() }],
  ["assert", { min: 2, max: 2, run: (_call, { crash }) => crash.assertionFailed("1 == 2") }],
  [
    "panic",
    {
      min: 2,
      max: 2,
      run: (_call, { crash }) =>
        crash.panic(`DEBUG PANIC called at Unix time ${Math.floor(Date.now() / 1000)}`),
    },
  ],
];

function numberSetting(name: string, set: (deps: DebugDeps, value: number) => void): SubcommandTable[number] {
  const run = (call: Call, deps: DebugDeps) => {
    set(deps, leadingInteger(call.text(2)));
    call.reply.ok();
  };
  return [name, { min: 3, max: 3, run }];
}
