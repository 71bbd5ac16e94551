import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ClientDeps } from "./deps.ts";

/** CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO: what a client's own cache is kept true with. */

const ON = latin1Bytes("on");
const OFF = latin1Bytes("off");
const YES = latin1Bytes("yes");
const NO = latin1Bytes("no");
const REDIRECT = latin1Bytes("redirect");
const BCAST = latin1Bytes("bcast");
const PREFIX = latin1Bytes("prefix");
const OPTIN = latin1Bytes("optin");
const OPTOUT = latin1Bytes("optout");
const NOLOOP = latin1Bytes("noloop");

export function tracking(call: Call, deps: ClientDeps): void {
  const options = { redirect: 0, broadcast: false, optIn: false, optOut: false, noLoop: false };
  const prefixes: string[] = [];
  for (let i = 3; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (more && call.is(i, REDIRECT)) options.redirect = redirectArgument(call, ++i, options.redirect, deps);
    else if (call.is(i, BCAST)) options.broadcast = true;
    else if (call.is(i, OPTIN)) options.optIn = true;
    else if (call.is(i, OPTOUT)) options.optOut = true;
    else if (call.is(i, NOLOOP)) options.noLoop = true;
    else if (more && call.is(i, PREFIX)) prefixes.push(call.text(++i));
    else throw new CommandError(errors.syntax);
  }
  if (call.is(2, ON)) deps.tracking.enable(call.session, options, prefixes);
  else if (call.is(2, OFF)) deps.tracking.disable(call.session);
  else throw new CommandError(errors.syntax);
  call.reply.ok();
}

function redirectArgument(call: Call, i: number, given: number, { clients }: ClientDeps): number {
  if (given !== 0) throw new CommandError("ERR A client can only redirect to a single other client");
  const id = call.int(i);
  if (clients.get(id) === undefined)
    throw new CommandError("ERR The client ID you want redirect to does not exist");
  return id;
}

export function caching(call: Call): void {
  const { tracking } = call.session;
  if (tracking === null)
    throw new CommandError(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    );
  if (call.is(2, YES)) {
    if (!tracking.optIn)
      throw new CommandError("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  } else if (call.is(2, NO)) {
    if (!tracking.optOut)
      throw new CommandError("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  } else throw new CommandError(errors.syntax);
  tracking.caching = true;
  call.reply.ok();
}

export function getredir(call: Call): void {
  call.reply.int(call.session.tracking?.redirect ?? -1);
}

export function trackinginfo(call: Call): void {
  const { reply, session } = call;
  const { tracking } = session;
  const flags: string[] = [tracking === null ? "off" : "on"];
  if (tracking?.broadcast) flags.push("bcast");
  if (tracking?.optIn) flags.push("optin", ...(tracking.caching ? ["caching-yes"] : []));
  if (tracking?.optOut) flags.push("optout", ...(tracking.caching ? ["caching-no"] : []));
  if (tracking?.noLoop) flags.push("noloop");
  if (tracking?.brokenRedirect) flags.push("broken_redirect");
  const prefixes = [...(tracking?.prefixes ?? [])].sort();
  reply.map(3);
  reply.bulkText("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText("redirect");
  reply.int(tracking?.redirect ?? -1);
  reply.bulkText("prefixes");
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulkText(prefix);
}
