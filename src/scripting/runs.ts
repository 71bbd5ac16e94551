import { latin1Bytes } from "../bytes/ascii.ts";
import { writeDouble } from "../bytes/double.ts";
import { writeInt } from "../bytes/int64.ts";
import { Call } from "../call/call.ts";
import type { Executor } from "../call/execute.ts";
import type { Command } from "../call/registry.ts";
import { noLink, Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { Clock } from "../host/clock.ts";
import { CommandError, errors } from "../resp/errors.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { Request } from "../resp/request.ts";
import { Debugging, type DebuggingDeps } from "./debugger/debugging.ts";
import { NOT_UNDONE } from "./debugger/undo.ts";
import { isNegativeNaN } from "./lua/libraries/integers.ts";
import { LuaBroken, type LuaState, type Machine, RAISE, TYPE } from "./lua/machine.ts";
import type { Sandbox } from "./lua/sandbox.ts";
import { LuaToReply, readError } from "./lua-to-reply.ts";
import { pushError, ReplyToLua } from "./resp-to-lua.ts";
import { COMPATIBLE, SCRIPT_FLAGS } from "./shebang.ts";

/**
 * Runs scripts and functions: from the gates they pass to the reply, and what redis.call does in between.
 *
 * A script's commands are executed as a client's are, by the same Executor, for a session of their own that begins
 * in the caller's database. The clock stands still meanwhile, and what they change is propagated as one transaction.
 *
 * A script that takes longer than busy-reply-threshold pauses every few milliseconds: its stack is put aside, the
 * loop serves others, who hear BUSY to all but a few commands, and after that turn the script goes on. So it can be
 * killed, if it has not written yet. Not so inside EXEC, while the AOF is loaded, and for what a master sends: there
 * its caller is in the midst of something itself, and the script holds the server up until it ends.
 */
const PAUSE_EVERY_MS = 5;
/** Lua's collector is given a step after so many scripts. */
const SCRIPTS_PER_COLLECTION = 50;
const COLLECT_STEP = 5;

export const PROPAGATE = { none: 0, aof: 1, replicas: 2, all: 3 } as const;

const NO_LINK = noLink({ address: "lua" });

/** What stands in the way of commands at present; as in server/admission.ts. */
export interface ScriptGates {
  readOnly(): boolean;
  stale(): boolean;
  tooFewReplicas(): boolean;
  diskRefusal(): string | null;
  outOfMemory(): boolean;
  /** The error where the client's user may not make the call, or null. */
  denied(call: Call, command: Command, caller: Session): string | null;
  /** In a cluster: the slot of the call's keys, -1 where it has none; null: there is no cluster. */
  slotOf(call: Call, command: Command): number | null;
  /** Likewise for a script's command; a text: why the script may not make the call. */
  route(call: Call, command: Command, caller: Session): number | string | null;
  /** As `denied`, without an error. */
  mayCall(call: Call, command: Command, caller: Session): boolean;
}

export interface ScriptRunDeps extends DebuggingDeps {
  readonly clock: Clock;
  readonly executor: () => Executor;
  readonly effects: { begin(): void; end(): void };
  readonly gates: ScriptGates;
  countError(text: string): void;
  /** DEBUG SET-DISABLE-DENY-SCRIPTS. */
  denyScriptsDisabled(): boolean;
  /** Shows the call to MONITOR, ahead of what it leads to. */
  show(call: Call, command: Command): void;
  /** Sends the reply to a call that has been left waiting. */
  answer(session: Session, reply: Uint8Array, wrote: boolean): void;
  /** A script has begun to pause, or has come to its end. */
  busyChanged(busy: boolean): void;
}

export interface ScriptCall {
  readonly kind: "eval" | "function";
  readonly sandbox: Sandbox;
  /** What errors and FUNCTION STATS call it. */
  readonly name: string;
  readonly flags: number;
  /** Called by one of the commands that end in _RO. */
  readonly readOnly: boolean;
  /** The argument that says how many keys follow it. */
  readonly keysAt: number;
  readonly keyCount: number;
  /** The source where it is debugged (SCRIPT DEBUG), else null. */
  readonly debugged: string | null;
  /** Pushes the function. */
  push(L: LuaState): void;
}

interface Run {
  readonly script: ScriptCall;
  readonly caller: Session;
  readonly command: Command;
  readonly call: Call;
  /** The command that called it, once it has paused. */
  args: Uint8Array[];
  readonly startedAt: number;
  readonly stamp: number;
  readonly readOnly: boolean;
  readonly allowOom: boolean;
  /** In a cluster: the slot that the script works on, -1: none yet, null: any. */
  slot: number | null;
  readonly outOfMemory: boolean;
  /** Its caller is the master or the append-only file, whose commands are not questioned. */
  readonly obeys: boolean;
  readonly mayPause: boolean;
  wrote: boolean;
  killed: boolean;
  timedOut: boolean;
  paused: boolean;
  nextPause: number;
  readonly debugging: Debugging | null;
}

export class ScriptRuns {
  current: Run | null = null;
  /** While a library is loaded, what decides on its time. */
  loadInterrupt: ((L: LuaState) => 0 | 2) | null = null;
  private readonly session: Session;
  private readonly call = new Call();
  private readonly request = new Request();
  private readonly writer = new ReplyWriter(1024);
  private readonly number = new Uint8Array(64);
  private calling = false;
  private finished = 0;

  constructor(readonly deps: ScriptRunDeps) {
    this.session = new Session(0, NO_LINK, deps.clock.now);
    this.session.denyBlocking = this.session.scripted = true;
    this.call.session = this.session;
    this.call.reply = this.writer;
    this.request.buf = new Uint8Array(1024);
  }

  /** A script has been running for so long that others are told so. */
  get busy(): boolean {
    return this.current?.paused ?? false;
  }

  /** What others are told while one is. */
  get busyError(): string {
    return this.current?.script.kind === "function" ? errors.busyFunction : errors.busyScript;
  }

  // ------------------------------------------------------------------ from the call to the reply

  run(call: Call, command: Command, script: ScriptCall): void {
    const { deps, session } = this;
    const { caller, obeys } = { caller: call.session, obeys: call.session.isObeyed };
    if (this.current !== null) throw new CommandError("ERR a script cannot run another one");
    const outOfMemory = deps.gates.outOfMemory();
    const slot = obeys ? null : deps.gates.slotOf(call, command);
    if (slot !== null && (script.flags & SCRIPT_FLAGS["no-cluster"]) !== 0)
      throw new CommandError("ERR Can not run script on cluster, 'no-cluster' flag is set.");
    this.admit(script, obeys, outOfMemory);
    deps.show(call, command);
    const { machine } = script.sandbox;
    const { L } = machine;
    script.sandbox.prepare();
    machine.pushRef(L, script.sandbox.handler);
    script.push(L);
    const args = this.pushArguments(call, script);
    const now = performance.now();
    const run: Run = {
      script,
      caller,
      command,
      call,
      args: [],
      startedAt: now,
      stamp: deps.clock.monotonic(),
      readOnly:
        script.readOnly ||
        ((script.flags & COMPATIBLE) === 0 && (script.flags & SCRIPT_FLAGS["no-writes"]) !== 0),
      allowOom: (script.flags & SCRIPT_FLAGS["allow-oom"]) !== 0,
      outOfMemory,
      slot: (script.flags & (COMPATIBLE | SCRIPT_FLAGS["allow-cross-slot-keys"])) !== 0 ? null : slot,
      obeys,
      mayPause: !caller.denyBlocking,
      wrote: false,
      killed: false,
      timedOut: false,
      paused: false,
      nextPause: 0,
      debugging:
        script.debugged === null ? null : new Debugging(deps, caller, session, machine, script.debugged),
    };
    this.current = run;
    session.dbIndex = caller.dbIndex;
    session.user = caller.user;
    session.resp = 2;
    session.propagate = run.debugging?.undo ? PROPAGATE.none : PROPAGATE.all;
    deps.clock.freeze();
    deps.effects.begin();
    const watched = deps.settings.busyReplyThreshold > 0;
    if (run.debugging !== null) machine.watch(L, "always");
    else if (watched) machine.watch(L, "often");
    let status: number | "paused" = -1;
    try {
      const ended =
        run.mayPause && (watched || run.debugging !== null)
          ? (late: number) => this.endedLate(run, late)
          : null;
      status = machine.call(args, 1, -(args + 2), ended);
    } catch (error) {
      if (!(error instanceof LuaBroken)) deps.log.warning(`Lua failed: ${String(error)}`);
    }
    if (status === "paused") {
      call.blocked = true;
      caller.link.suspend();
      run.debugging?.debugger.listen();
      return;
    }
    run.debugging?.end(call.reply);
    this.end(run, status, call.reply);
    // The call itself is not propagated, but counts as a write where the script has written.
    if (run.wrote) call.effects = [];
  }

  private pushArguments(call: Call, { kind, sandbox, keysAt, keyCount }: ScriptCall): number {
    const { L } = sandbox.machine;
    const first = keysAt + 1;
    pushArray(sandbox.machine, call, first, first + keyCount);
    if (kind === "eval") sandbox.setGlobal(L, "KEYS");
    pushArray(sandbox.machine, call, first + keyCount, call.argc);
    if (kind === "eval") sandbox.setGlobal(L, "ARGV");
    return kind === "eval" ? 0 : 2;
  }

  private admit(script: ScriptCall, obeys: boolean, outOfMemory: boolean): void {
    const { gates } = this.deps;
    const { flags } = script;
    const has = (flag: keyof typeof SCRIPT_FLAGS): boolean => (flags & SCRIPT_FLAGS[flag]) !== 0;
    if ((flags & COMPATIBLE) !== 0) {
      if (gates.stale()) throw new CommandError(errors.masterDown);
      return;
    }
    if (gates.stale() && !has("allow-stale"))
      throw new CommandError(
        "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not " +
          "set on the script.",
      );
    if (!has("no-writes")) {
      if (gates.readOnly() && !obeys)
        throw new CommandError("READONLY Can not run script with write flag on readonly replica");
      const refusal = obeys ? null : gates.diskRefusal();
      if (refusal !== null) throw new CommandError(refusal);
      if (script.readOnly)
        throw new CommandError("ERR Can not execute a script with write flag using *_ro command.");
      if (gates.tooFewReplicas() && !obeys) throw new CommandError(errors.noReplicas);
    }
    if (outOfMemory && !has("allow-oom") && !has("no-writes"))
      throw new CommandError(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
      );
  }

  /** Writes the reply and clears up. */
  private end(run: Run, status: number, reply: ReplyWriter): void {
    const { deps } = this;
    const { script } = run;
    const { machine } = script.sandbox;
    const { L } = machine;
    this.current = null;
    deps.effects.end();
    deps.clock.thaw();
    const executor = deps.executor();
    executor.rewind(run.stamp);
    if (status < 0) {
      script.sandbox.broken = true;
      throw new CommandError(`ERR Error running script ${script.name}, the interpreter broke down`);
    }
    machine.watch(L, "off");
    if (status === 0) {
      const writer = new LuaToReply(machine);
      writer.resp = this.session.resp;
      writer.write(L, reply);
    } else this.answerError(script, reply);
    machine.api.lua_settop(L, 0);
    if (++this.finished % SCRIPTS_PER_COLLECTION === 0)
      machine.api.lua_gc(L, COLLECT_STEP, SCRIPTS_PER_COLLECTION);
  }

  private answerError({ sandbox, name }: ScriptCall, reply: ReplyWriter): void {
    const { machine } = sandbox;
    const { L } = machine;
    if (machine.api.lua_type(L, -1) !== TYPE.table) {
      const text = machine.text(L, -1) ?? "execution failure";
      reply.error(`ERR Error running script ${name}, ${text.slice(0, 100)}`);
      return;
    }
    const { message, source, line, counted } = readError(machine, L);
    reply.error(
      source !== null && line !== null ? `${message} script: ${name}, on ${source}:${line}.` : message,
    );
    reply.lastErrorCounted = counted;
  }

  // ------------------------------------------------------------------ pausing

  /** Asked by Lua now and then. */
  readonly interrupt = (L: LuaState): 0 | 1 | 2 => {
    const run = this.current;
    if (run === null) return this.loadInterrupt?.(L) ?? 0;
    const { machine } = run.script.sandbox;
    if (run.killed) {
      // Whatever the script catches, it is told again with each line.
      machine.watch(L, "each-line");
      pushError(machine, L, "ERR Script killed by user with SCRIPT KILL...", false);
      return 2;
    }
    if (run.debugging !== null) return run.debugging.debugger.hook(L);
    const now = performance.now();
    if (run.timedOut) return run.mayPause && now >= run.nextPause ? 1 : 0;
    const elapsed = now - run.startedAt;
    if (elapsed < this.deps.settings.busyReplyThreshold) return 0;
    run.timedOut = true;
    this.deps.log.warning(
      `Slow script detected: still in execution after ${Math.floor(elapsed)} milliseconds. You can try killing the ` +
        `script using the ${run.script.kind === "eval" ? "SCRIPT KILL" : "FUNCTION KILL"} command. Script name is: ` +
        `${run.script.name}.`,
    );
    return run.mayPause ? 1 : 0;
  };

  /** The script has been put aside: others have their turn. */
  readonly paused = (): void => {
    const run = this.current!;
    const first = !run.paused;
    run.paused = true;
    this.deps.executor().settle();
    if (first) {
      // The call is used for others from here on.
      const { call } = run;
      run.args = Array.from({ length: call.argc }, (_, i) => call.bytes(i));
      this.deps.busyChanged(true);
    }
    if (run.debugging !== null) {
      if (!first) run.debugging.debugger.listen();
      return;
    }
    setImmediate(() => {
      this.deps.executor().begin();
      run.nextPause = performance.now() + PAUSE_EVERY_MS;
      run.script.sandbox.machine.resume();
    });
  };

  /** A script that had paused has come to its end: its caller gets a reply of its own. */
  private endedLate(run: Run, status: number): void {
    const { deps } = this;
    const reply = new ReplyWriter(256);
    reply.resp = run.caller.resp;
    run.debugging?.end(reply);
    const mark = reply.pos;
    try {
      this.end(run, status, reply);
    } catch (error) {
      reply.pos = mark;
      reply.error(error instanceof CommandError ? error.message : `ERR ${String(error)}`);
    }
    run.caller.writeOffset = this.session.writeOffset;
    run.caller.aofOffset = this.session.aofOffset;
    const failed = reply.errorCount > 0;
    if (failed) {
      run.command.failed++;
      if (!reply.lastErrorCounted) deps.countError(reply.lastError);
    }
    const call = new Call();
    call.load(Request.of(run.args));
    call.session = run.caller;
    deps.executor().served(call, run.command);
    deps.answer(run.caller, reply.buf.slice(0, reply.pos), run.wrote);
    deps.busyChanged(false);
  }

  /** SCRIPT KILL and FUNCTION KILL. */
  kill(kind: ScriptCall["kind"]): void {
    const run = this.current;
    if (run === null) throw new CommandError("NOTBUSY No scripts in execution right now.");
    if (run.obeys)
      throw new CommandError(
        "UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.",
      );
    if (run.wrote)
      throw new CommandError(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the " +
          "script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
      );
    if (run.script.kind !== kind) throw new CommandError(this.busyError);
    run.killed = true;
    run.debugging?.debugger.goOn();
    this.deps.log.notice("Lua script killed by user with SCRIPT KILL.");
  }

  /** The server ends: whatever runs comes to its end at its next step, whatever it has done. */
  abandon(): void {
    if (this.current === null) return;
    this.current.killed = true;
    this.current.debugging?.debugger.goOn();
  }

  // ------------------------------------------------------------------ redis.call

  /** redis.setresp */
  setResp(version: 2 | 3): void {
    this.session.resp = version;
  }

  /** redis.set_repl */
  setPropagation(to: number): void {
    if (this.current?.debugging?.undo) return;
    this.session.propagate = to;
  }

  /** redis.call, or redis.pcall where errors are not to be raised. */
  command(machine: Machine, L: LuaState, raises: boolean): number {
    const run = this.current;
    if (run === null || this.calling) {
      pushError(machine, L, "ERR redis.call can only be called by a script that runs", false);
      return RAISE;
    }
    const wrong = this.takeArguments(machine, L);
    if (wrong !== null) {
      pushError(machine, L, wrong, false);
      return raises ? RAISE : 1;
    }
    const { call, deps, writer, session } = this;
    run.debugging?.debugger.command(this.request);
    call.load(this.request);
    const command = deps.registry().lookup(call);
    const refusal = this.refuse(run, command);
    if (refusal !== null) {
      run.debugging?.debugger.refused(refusal);
      command !== null && command.rejected++;
      deps.countError(refusal);
      pushError(machine, L, refusal, true);
      return raises ? RAISE : 1;
    }
    if (command!.has("write")) run.wrote = true;
    call.db = deps.keyspace.select(session.dbIndex);
    writer.clear();
    writer.resp = session.resp;
    const errorsBefore = writer.errorCount;
    this.calling = true;
    try {
      deps.executor().execute(call, command!);
    } finally {
      this.calling = false;
    }
    this.toLua(machine).push(L, writer.buf);
    run.debugging?.debugger.reply(writer.buf.subarray(0, writer.pos));
    const MINUS = 45;
    return raises && writer.errorCount > errorsBefore && writer.buf[0] === MINUS ? RAISE : 1;
  }

  private readonly readers = new Map<Machine, ReplyToLua>();

  private toLua(machine: Machine): ReplyToLua {
    let reader = this.readers.get(machine);
    if (reader === undefined) {
      this.readers.clear();
      this.readers.set(machine, (reader = new ReplyToLua(machine)));
    }
    return reader;
  }

  /** The command that the arguments name, or null. */
  lookup(): Command | null {
    this.call.load(this.request);
    const command = this.deps.registry().lookup(this.call);
    return command === null || (command.subcommands !== null && this.call.argc > 1) ? null : command;
  }

  /** Whether the caller's user might make the call that `lookup` has found. */
  mayCall(command: Command): boolean {
    const run = this.current;
    return run === null || this.deps.gates.mayCall(this.call, command, run.caller);
  }

  /** Takes all arguments off the stack into the request; the error where they are none. */
  takeArguments(machine: Machine, L: LuaState): string | null {
    const { api } = machine;
    const { request } = this;
    const count = api.lua_gettop(L);
    if (count === 0) return "ERR Please specify at least one argument for this redis lib call";
    request.trim();
    request.argc = 0;
    let at = 0;
    for (let i = 1; i <= count; i++) {
      const type = api.lua_type(L, i);
      if (type === TYPE.string) {
        machine.string(L, i);
        const { length } = machine;
        this.reserve(at, length);
        copyFrom(machine.heap, machine.at, request.buf, at, length);
        request.push(at, at + length);
        at += length;
      } else if (type === TYPE.number) {
        const value = api.lua_tonumber(L, i);
        const length = Number.isNaN(value) ? this.writeNaN(machine, L, i) : this.writeNumber(value);
        this.reserve(at, length);
        request.buf.set(this.number.subarray(0, length), at);
        request.push(at, at + length);
        at += length;
      } else {
        api.lua_settop(L, 0);
        return "ERR Lua redis lib command arguments must be strings or integers";
      }
    }
    api.lua_settop(L, 0);
    return null;
  }

  private reserve(used: number, length: number): void {
    const { request } = this;
    if (used + length <= request.buf.length) return;
    const larger = new Uint8Array(Math.max(request.buf.length * 2, used + length));
    larger.set(request.buf.subarray(0, used));
    request.buf = larger;
  }

  private writeNaN(machine: Machine, L: LuaState, index: number): number {
    const text = latin1Bytes(isNegativeNaN(machine, L, index) ? "-nan" : "nan");
    this.number.set(text);
    return text.length;
  }

  private writeNumber(value: number): number {
    if (Number.isSafeInteger(value)) return writeInt(this.number, 0, value + 0);
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) {
      const digits = latin1Bytes(BigInt(value).toString());
      this.number.set(digits);
      return digits.length;
    }
    return writeDouble(this.number, 0, value);
  }

  /** In a cluster: the command's keys are elsewhere, or not of the slot that the script has begun with. */
  private misrouted(run: Run, command: Command): string | null {
    const slot = this.deps.gates.route(this.call, command, run.caller);
    if (typeof slot === "string") return slot;
    if (slot === null || slot < 0 || run.slot === null) return null;
    if (run.slot === -1) run.slot = slot;
    return run.slot === slot ? null : "ERR Script attempted to access keys that do not hash to the same slot";
  }

  /** The error that keeps a script from executing the command, or null. */
  private refuse(run: Run, command: Command | null): string | null {
    const { call, deps } = this;
    const { gates } = deps;
    if (command === null || (command.subcommands !== null && call.argc > 1))
      return "ERR Unknown Redis command called from script";
    if (!command.acceptsArgs(call.argc) || command.subcommands !== null)
      return "ERR Wrong number of args calling Redis command from script";
    const { flags } = command;
    if ((flags & FLAGS.noscript) !== 0 && !deps.denyScriptsDisabled())
      return "ERR This Redis command is not allowed from script";
    if ((flags & FLAGS.stale) === 0 && gates.stale())
      return "ERR Can not execute the command on a stale replica";
    const denied = gates.denied(call, command, run.caller);
    if (denied !== null) return denied;
    if (run.readOnly && (flags & (FLAGS.write | FLAGS.may_replicate)) !== 0)
      return "ERR Write commands are not allowed from read-only scripts.";
    if ((flags & FLAGS.write) !== 0 && !run.wrote) {
      if (gates.readOnly() && !run.obeys) return errors.readOnly;
      const refusal = run.obeys ? null : gates.diskRefusal();
      if (refusal !== null) return refusal;
      if (gates.tooFewReplicas() && !run.obeys) return errors.noReplicas;
    }
    if ((flags & FLAGS.denyoom) !== 0 && run.outOfMemory && !run.allowOom && !run.wrote && !run.obeys)
      return errors.oom;
    const misrouted = run.obeys ? null : this.misrouted(run, command);
    if (misrouted !== null) return misrouted;
    const undo = run.debugging?.undo ?? null;
    return undo === null || undo.before(call, command) ? null : NOT_UNDONE;
  }
}

function pushArray(machine: Machine, call: Call, from: number, to: number): void {
  const { api, L } = machine;
  api.lua_createtable(L, to - from, 0);
  for (let i = from; i < to; i++) {
    machine.pushBytes(L, call.buf, call.start[i]!, call.end[i]!);
    api.lua_rawseti(L, -2, i - from + 1);
  }
}

const SHORT = 48;

function copyFrom(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  if (length > SHORT) target.set(source.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}
