import { latin1Bytes, latin1Text } from "../../bytes/ascii.ts";
import type { Session } from "../../call/session.ts";
import type { Request } from "../../resp/request.ts";
import { type LuaState, type Machine, TYPE } from "../lua/machine.ts";
import { pushError } from "../resp-to-lua.ts";
import { Breakpoints } from "./breakpoints.ts";
import { Frames } from "./frames.ts";
import { HELP } from "./help.ts";
import { replyText, valueText } from "./values.ts";

/**
 * The Lua debugger (https://redis.io/docs/latest/develop/interact/programmability/lua-debugging/), of one EVAL:
 *
 *   hook, before each line of the script  ->  stop?  ->  the script is put aside, the client told where it stands
 *   the client's requests                 ->  debugger commands, until one lets the script go on
 *
 * The script pauses as a slow one does (runs.ts), so the server goes on: others hear BUSY, and can end the script with
 * SCRIPT KILL. Answers are arrays of status replies, as redis-cli --ldb shows them.
 */
const SCRIPT = "user_script";
const EVAL_NAME = "@ldb_eval";
/** Bytes of values and replies that are shown, unless `maxlen` says otherwise. */
const USUAL_LENGTH = 256;
const LEAST_LENGTH = 60;
const CONTEXT = 5;
/** Arguments of a command that are shown. */
const SHOWN_ARGUMENTS = 10;
const ALL_LINES = 1_000_000;

export class Debugger {
  private readonly frames: Frames;
  private readonly breakpoints: Breakpoints;
  private readonly lines: string[];
  private logs: string[] = [];
  private current = 0;
  /** Stop at the next line, and log the commands that the present one executes. */
  private stepping = true;
  /** redis.breakpoint() has been called. */
  private called = false;
  /** An error to raise in the script as soon as it goes on. */
  private ending: string | null = null;
  /** It stands still; in this state. */
  private stoppedIn: LuaState = 0;
  private goesOn = false;
  private afterTimeout = false;
  private longest = USUAL_LENGTH;
  private hinted = false;
  private since = performance.now();

  constructor(
    private readonly machine: Machine,
    private readonly client: Session,
    source: string,
    /** Milliseconds after which a script that does not stop is stopped. */
    private readonly patience: number,
    /** Lets the script go on. */
    private readonly resume: () => void,
  ) {
    this.frames = new Frames(machine);
    this.lines = source.replace(/[\r\n]+$/, "").split("\n");
    this.breakpoints = new Breakpoints(this.lines.length);
  }

  // ------------------------------------------------------------------ stopping

  /** Asked by Lua before each line and now and then: go on (0), pause (1), or raise the error on the stack (2). */
  hook(L: LuaState): 0 | 1 | 2 {
    const { machine } = this;
    if (this.goesOn) {
      this.goesOn = false;
      return this.raise(L);
    }
    const place = this.frames.place(L, 0);
    if (place === null || !place.source.includes(SCRIPT) || machine.pinned > 0) return 0;
    this.current = place.line;
    const reason = this.reason();
    if (reason === null) return 0;
    this.stepping = this.called = false;
    this.stoppedIn = L;
    this.log(`* Stopped at ${this.current}, stop reason = ${reason}`);
    this.logLine(this.current);
    this.send();
    return 1;
  }

  private raise(L: LuaState): 0 | 2 {
    if (this.ending === null) return 0;
    pushError(this.machine, L, this.ending, false);
    this.ending = null;
    return 2;
  }

  private reason(): string | null {
    if (this.called) return "redis.breakpoint() called";
    if (this.breakpoints.has(this.current)) return "break point";
    if (this.stepping) return "step over";
    this.afterTimeout = performance.now() - this.since >= this.patience;
    return this.afterTimeout ? "timeout reached, infinite loop?" : null;
  }

  /** The script has been put aside: the client decides. */
  listen(): void {
    this.client.link.nextRequest((request) => this.take(request));
  }

  private take(request: Request | null): void {
    if (this.stoppedIn === 0) return;
    if (request === null) return this.left();
    const args: string[] = [];
    for (let i = 0; i < request.argc; i++)
      args.push(latin1Text(request.buf, request.start[i], request.end[i]));
    if (this.execute(args)) this.goOn();
    else {
      this.send();
      this.listen();
    }
  }

  /** The client is gone: the script runs to its end, unless it seems to have none. */
  private left(): void {
    this.stepping = false;
    this.breakpoints.clear();
    if (this.afterTimeout) this.ending = "ERR timeout during Lua debugging with client closing connection";
    this.goOn();
  }

  /** Also where others have ended the script. */
  goOn(): void {
    if (this.stoppedIn === 0) return;
    this.stoppedIn = 0;
    this.goesOn = true;
    this.afterTimeout = false;
    this.since = performance.now();
    this.resume();
  }

  /** The last words, for the script's reply to follow. */
  finish(): Uint8Array {
    this.frames.free();
    this.log("<endsession>");
    return this.takeLogs();
  }

  // ------------------------------------------------------------------ what the script does

  /** redis.breakpoint() */
  stopAtNext(): void {
    this.called = true;
  }

  /** redis.debug() */
  show(L: LuaState): void {
    const { machine } = this;
    const values: string[] = [];
    for (let i = 1; i <= machine.api.lua_gettop(L); i++) values.push(valueText(machine, L, i));
    this.log(`<debug> line ${this.current}: ${values.join(", ")}`);
  }

  /** The script executes a command. */
  command({ buf, start, end, argc }: Request): void {
    if (!this.stepping) return;
    let text = "<redis>";
    for (let i = 0; i < argc; i++) {
      if (i === SHOWN_ARGUMENTS) {
        text += ` ... (${argc - i - 1} more)`;
        break;
      }
      text += ` ${latin1Text(buf, start[i], end[i])}`;
    }
    this.log(text);
  }

  reply(buf: Uint8Array): void {
    if (!this.stepping) return;
    const MINUS = 45;
    if (buf[0] === MINUS) this.log(`<error> ${latin1Text(buf, 0, buf.length - 2)}`);
    this.logTrimmed(`<reply> ${replyText(buf)}`);
  }

  /** The command is refused. */
  refused(error: string): void {
    if (this.stepping) this.log(`<error> ${error.replace(/^ERR /, "")}`);
  }

  // ------------------------------------------------------------------ the client's commands

  /** Whether the script is to go on. */
  private execute(args: readonly string[]): boolean {
    const [name = "", first, second] = args;
    switch (name.toLowerCase()) {
      case "h":
      case "help":
        for (const line of HELP) this.log(line);
        return false;
      case "s":
      case "step":
      case "n":
      case "next":
        this.stepping = true;
        return true;
      case "c":
      case "continue":
        return true;
      case "a":
      case "abort":
        this.ending = "ERR script aborted for user request";
        return true;
      case "t":
      case "trace":
        this.trace();
        return false;
      case "m":
      case "maxlen":
        this.maxlen(args.length === 2 ? first! : null);
        return false;
      case "b":
      case "break":
        this.break(args.slice(1));
        return false;
      case "e":
      case "eval":
        this.eval(args.slice(1).join(" "));
        return false;
      case "p":
      case "print":
        if (args.length === 2) this.print(first!);
        else this.printAll();
        return false;
      case "l":
      case "list": {
        const around = leadingInteger(first);
        this.list(
          around > 0 ? around : this.current,
          second === undefined ? CONTEXT : leadingInteger(second),
        );
        return false;
      }
      case "w":
      case "whole":
        this.list(1, ALL_LINES);
        return false;
      case "r":
      case "redis":
        if (args.length > 1) {
          this.redis(args.slice(1));
          return false;
        }
    }
    this.log("<error> Unknown Redis Lua debugger command or wrong number of arguments.");
    return false;
  }

  private trace(): void {
    for (let level = 0; ; level++) {
      const place = this.frames.place(this.stoppedIn, level);
      if (place === null) return;
      if (!place.source.includes(SCRIPT)) continue;
      this.log(`${level === 0 ? "In" : "From"} ${place.name ?? "top level"}:`);
      this.logLine(place.line);
    }
  }

  private maxlen(given: string | null): void {
    if (given !== null) {
      this.hinted = true;
      const length = leadingInteger(given);
      this.longest = length === 0 ? 0 : Math.max(LEAST_LENGTH, length);
    }
    this.log(
      this.longest === 0
        ? "<value> replies are unlimited."
        : `<value> replies are truncated at ${this.longest} bytes.`,
    );
  }

  private break(args: readonly string[]): void {
    const { breakpoints } = this;
    if (args.length === 0) {
      if (breakpoints.count === 0) return this.log("No breakpoints set. Use 'b <line>' to add one.");
      this.log(`${breakpoints.count} breakpoints set:`);
      for (const line of breakpoints.lines()) this.logLine(line);
      return;
    }
    for (const arg of args) {
      const said = breakpoints.change(arg);
      if (said !== null) this.log(said);
      else this.list(Number(arg), 1);
    }
  }

  private print(name: string): void {
    const { machine, stoppedIn: L } = this;
    const show = (): void => this.logTrimmed(`<value> ${valueText(machine, L, -1)}`);
    for (let level = 0; this.frames.place(L, level) !== null; level++) {
      const found = this.frames.locals(L, level, (local) => {
        if (local === name) show();
        return local === name;
      });
      if (found) return;
    }
    if (name !== "KEYS" && name !== "ARGV") return this.log("No such variable.");
    machine.getField(L, -10002, name);
    show();
    machine.pop(L, 1);
  }

  private printAll(): void {
    const { machine, stoppedIn: L } = this;
    let count = 0;
    this.frames.locals(L, 0, (name) => {
      if (name.includes("(*temporary)")) return false;
      this.logTrimmed(`<value> ${name} = ${valueText(machine, L, -1)}`);
      count++;
      return false;
    });
    if (count === 0) this.log("No local variables in the current context.");
  }

  private eval(code: string): void {
    const { machine, stoppedIn: L } = this;
    const compiled = (text: string): boolean => {
      const source = latin1Bytes(text);
      return (
        !machine.isBinary(source, 0, source.length) && machine.load(L, source, 0, source.length, EVAL_NAME)
      );
    };
    const top = machine.api.lua_gettop(L);
    if (!compiled(`return ${code}`)) {
      machine.api.lua_settop(L, top);
      if (!compiled(code)) {
        this.log(`<error> ${errorText(machine, L)}`);
        return machine.api.lua_settop(L, top);
      }
    }
    if (machine.api.lua_pcall(L, 0, 1, 0) !== 0) this.log(`<error> ${errorText(machine, L)}`);
    else this.logTrimmed(`<retval> ${valueText(machine, L, -1)}`);
    machine.api.lua_settop(L, top);
  }

  /** As redis.call, logged as the script's own commands are. */
  private redis(args: readonly string[]): void {
    const { machine, stoppedIn: L } = this;
    const { api } = machine;
    const top = api.lua_gettop(L);
    if (api.lua_checkstack(L, args.length + 2) === 0) return this.log("<reply> max lua stack reached");
    machine.getField(L, -10002, "redis");
    machine.getField(L, -1, "call");
    for (const arg of args) machine.pushText(L, arg);
    this.stepping = true;
    api.lua_pcall(L, args.length, 1, 0);
    this.stepping = false;
    api.lua_settop(L, top);
  }

  private list(around: number, context: number): void {
    for (let line = 1; line <= this.lines.length; line++)
      if (Math.abs(around - line) <= context) this.logLine(line);
  }

  // ------------------------------------------------------------------ output

  private logLine(line: number): void {
    const current = line === this.current;
    const stops = this.breakpoints.has(line);
    const mark = `${current ? "->" : "  "}${stops ? "#" : " "}`;
    this.log(`${mark}${String(line).padEnd(3)} ${this.lines[line - 1] ?? "<out of range source code line>"}`);
  }

  private log(text: string): void {
    this.logs.push(text);
  }

  private logTrimmed(text: string): void {
    if (this.longest === 0 || text.length <= this.longest) return this.log(text);
    this.log(`${text.slice(0, this.longest)} ...`);
    if (this.hinted) return;
    this.hinted = true;
    this.log("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
  }

  private send(): void {
    this.client.link.send(this.takeLogs());
  }

  private takeLogs(): Uint8Array {
    const lines = this.logs.map((line) => `+${line.replace(/[\r\n]/g, " ")}\r\n`);
    this.logs = [];
    return latin1Bytes(`*${lines.length}\r\n${lines.join("")}`);
  }
}

/** The integer that the text begins with, else 0, as C's atoi. */
function leadingInteger(text: string | undefined): number {
  return Number.parseInt(text ?? "", 10) || 0;
}

/** Of the error on top of the stack, a text or an object with one. */
function errorText(machine: Machine, L: LuaState): string {
  if (machine.api.lua_type(L, -1) !== TYPE.table) return machine.text(L, -1) ?? "unknown error";
  machine.getField(L, -1, "err");
  return machine.text(L, -1) ?? "unknown error";
}
