import { latin1Bytes } from "../../bytes/ascii.ts";
import { INT64_MAX } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { clientInfo, upToNul } from "../../call/client-info.ts";
import type { Session } from "../../call/session.ts";
import { CommandError, errors, subcommandSyntax } from "../../resp/errors.ts";
import { checkClientName } from "../connection.ts";
import type { ClientDeps } from "./deps.ts";
import { isFilter, isMeant, parseFilters } from "./filters.ts";

/** CLIENT's handlers; KILL has a file of its own. */

const ON = latin1Bytes("on");
const OFF = latin1Bytes("off");
const SKIP = latin1Bytes("skip");
const ID = latin1Bytes("id");
const WRITE = latin1Bytes("write");
const ALL = latin1Bytes("all");
const TIMEOUT = latin1Bytes("timeout");
const ERROR = latin1Bytes("error");
const REDIRECT = latin1Bytes("redirect");
const LIB_NAME = latin1Bytes("lib-name");
const LIB_VER = latin1Bytes("lib-ver");

export function id(call: Call): void {
  call.reply.int(call.session.id);
}

/** The client that asks shows the command it is just executing. */
function noteArguments(call: Call): void {
  let bytes = 0;
  for (let i = 0; i < call.argc; i++) bytes += call.length(i);
  call.session.argvBytes = bytes;
}

export function info(call: Call, { clock }: ClientDeps): void {
  noteArguments(call);
  call.reply.verbatim("txt", `${clientInfo(call.session, clock.now)}\n`);
  call.session.argvBytes = 0;
}

export function list(call: Call, deps: ClientDeps): void {
  const { clock, clients } = deps;
  const { argc, session } = call;
  let chosen: Session[];
  if (argc > 3 && call.is(2, ID) && !filtersFollow(call)) chosen = withIds(call, deps);
  else {
    const filters = parseFilters(call, 2, deps, false);
    chosen = [...clients.sessions()].filter((each) => isMeant(each, filters, session));
  }
  noteArguments(call);
  const lines = chosen.map((each) => `${clientInfo(each, clock.now)}\n`);
  session.argvBytes = 0;
  call.reply.verbatim("txt", lines.join(""));
}

/** Whether something else than IDs follows ID. */
function filtersFollow(call: Call): boolean {
  for (let i = 4; i < call.argc; i++) if (isFilter(call.text(i))) return true;
  return false;
}

/** With nothing but IDs, clients come in their order, as in Redis 7.2. */
function withIds(call: Call, { clients }: ClientDeps): Session[] {
  const chosen: Session[] = [];
  for (let i = 3; i < call.argc; i++) {
    const found = clients.get(clientId(call, i));
    if (found !== undefined) chosen.push(found.session);
  }
  return chosen;
}

function clientId(call: Call, i: number): number {
  try {
    return Number(call.bigint(i));
  } catch {
    throw new CommandError("ERR Invalid client ID");
  }
}

/** Within a transaction it counts from there on, in the middle of EXEC's reply. */
export function reply(call: Call): void {
  const { session } = call;
  if (call.is(2, ON)) {
    if (call.reply.pos > session.mutedFrom) call.reply.pos = session.mutedFrom;
    session.mutedFrom = Number.POSITIVE_INFINITY;
    session.replyMode = "on";
    call.reply.ok();
  } else if (call.is(2, OFF)) {
    session.mutedFrom = Math.min(session.mutedFrom, call.reply.pos);
    session.replyMode = "off";
  } else if (call.is(2, SKIP)) {
    if (session.replyMode !== "off") session.replyMode = "skip-next";
  } else throw new CommandError(errors.syntax);
}

function switchArgument(call: Call): boolean {
  if (call.is(2, ON)) return true;
  if (call.is(2, OFF)) return false;
  throw new CommandError(errors.syntax);
}

export function noEvict(call: Call): void {
  call.session.noEvict = switchArgument(call);
  call.reply.ok();
}

export function noTouch(call: Call): void {
  call.session.noTouch = switchArgument(call);
  call.reply.ok();
}

export function setname(call: Call): void {
  const name = call.text(2);
  checkClientName(name);
  call.session.name = name;
  call.reply.ok();
}

export function getname(call: Call): void {
  const { name } = call.session;
  if (name === "") call.reply.nil();
  else call.reply.bulkText(name);
}

export function setinfo(call: Call): void {
  const attribute = call.text(2);
  const isName = call.is(2, LIB_NAME);
  if (!isName && !call.is(2, LIB_VER)) throw new CommandError(`ERR Unrecognized option '${attribute}'`);
  const value = call.text(3);
  if (/[^!-~]/.test(upToNul(value)))
    throw new CommandError(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  if (isName) call.session.libName = value;
  else call.session.libVersion = value;
  call.reply.ok();
}

/** What is not known is let pass. */
export function capa(call: Call): void {
  for (let i = 2; i < call.argc; i++) if (call.is(i, REDIRECT)) call.session.followsRedirects = true;
  call.reply.ok();
}

export function pause(call: Call, deps: ClientDeps): void {
  if (call.argc > 4) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  if (call.argc === 4 && !call.is(3, WRITE) && !call.is(3, ALL))
    throw new CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL");
  const mode = call.argc === 4 && call.is(3, WRITE) ? "write" : "all";
  const { now } = deps.clock;
  let milliseconds: bigint;
  try {
    milliseconds = call.bigint(2);
  } catch {
    throw new CommandError(errors.timeoutNotInteger);
  }
  if (milliseconds < 0n) throw new CommandError(errors.timeoutNegative);
  if (milliseconds > INT64_MAX - BigInt(now)) throw new CommandError("ERR timeout is out of range");
  if (milliseconds > 0n) deps.pause.start(mode, now + Number(milliseconds), now);
  call.reply.ok();
}

export function unpause(call: Call, deps: ClientDeps): void {
  deps.pause.stop();
  call.reply.ok();
}

export function unblock(call: Call, { clients, blocking }: ClientDeps): void {
  if (call.argc > 4) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  if (call.argc === 4 && !call.is(3, TIMEOUT) && !call.is(3, ERROR))
    throw new CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const target = clients.get(Number(call.bigint(2)))?.session;
  const how = call.argc === 4 && call.is(3, ERROR) ? "error" : "timeout";
  call.reply.int(target !== undefined && blocking.unblock(target, how) ? 1 : 0);
}
