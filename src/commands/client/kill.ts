import type { Call } from "../../call/call.ts";
import type { Session } from "../../call/session.ts";
import { CommandError } from "../../resp/errors.ts";
import type { ClientDeps } from "./deps.ts";
import { isMeant, parseFilters } from "./filters.ts";

/**
 * CLIENT KILL, in its old form (an address; the caller may kill itself) and in the new one (filters that all
 * must hold; the caller is spared unless SKIPME no). The caller gets its reply before it is closed.
 */
export function kill(call: Call, deps: ClientDeps): void {
  const killed = call.argc === 3 ? withAddress(call, deps) : filtered(call, deps);
  let self = false;
  for (const session of killed) {
    if (session === call.session) self = true;
    else session.link.close("now");
  }
  if (call.argc > 3) call.reply.int(killed.length);
  else if (killed.length === 0) throw new CommandError("ERR No such client");
  else call.reply.ok();
  if (self) call.session.link.close("after-replies");
}

function withAddress(call: Call, { clients }: ClientDeps): Session[] {
  const address = call.text(2);
  return [...clients.sessions()].filter(({ link }) => link.address === address);
}

function filtered(call: Call, deps: ClientDeps): Session[] {
  const filters = parseFilters(call, 2, deps, true);
  return [...deps.clients.sessions()].filter((session) => isMeant(session, filters, call.session));
}
