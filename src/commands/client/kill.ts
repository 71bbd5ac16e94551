import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import type { Identity, Session } from "../../call/session.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { type ClientDeps, type ClientType, clientTypeArgument, isOfType } from "./handlers.ts";

/**
 * CLIENT KILL, in its old form (an address; the caller may kill itself) and in the new one (filters that all
 * must hold; the caller is spared unless SKIPME no). The caller gets its reply before it is closed.
 */

interface Filters {
  id: number;
  address: string | null;
  localAddress: string | null;
  type: ClientType | null;
  user: Identity | null;
  skipMe: boolean;
}

const ID = latin1Bytes("id");
const TYPE = latin1Bytes("type");
const ADDR = latin1Bytes("addr");
const LADDR = latin1Bytes("laddr");
const USER = latin1Bytes("user");
const SKIPME = latin1Bytes("skipme");
const YES = latin1Bytes("yes");
const NO = latin1Bytes("no");

function idArgument(call: Call, i: number): number {
  const id = call.safeInt(i);
  if (!(id > 0)) throw new CommandError("ERR client-id should be greater than 0");
  return id;
}

function userArgument(call: Call, i: number, { acl }: ClientDeps): Identity {
  const user = acl.get(call.text(i));
  if (user === undefined) throw new CommandError(`ERR No such user '${call.text(i)}'`);
  return user;
}

function parse(call: Call, deps: ClientDeps): Filters {
  const filters: Filters = { id: 0, address: null, localAddress: null, type: null, user: null, skipMe: true };
  if (call.argc === 3) return { ...filters, address: call.text(2), skipMe: false };
  for (let i = 2; i < call.argc; i += 2) {
    if (i + 1 >= call.argc) throw new CommandError(errors.syntax);
    if (call.is(i, ID)) filters.id = idArgument(call, i + 1);
    else if (call.is(i, TYPE)) filters.type = clientTypeArgument(call, i + 1);
    else if (call.is(i, ADDR)) filters.address = call.text(i + 1);
    else if (call.is(i, LADDR)) filters.localAddress = call.text(i + 1);
    else if (call.is(i, USER)) filters.user = userArgument(call, i + 1, deps);
    else if (call.is(i, SKIPME) && (call.is(i + 1, YES) || call.is(i + 1, NO)))
      filters.skipMe = call.is(i + 1, YES);
    else throw new CommandError(errors.syntax);
  }
  return filters;
}

function matches(session: Session, filters: Filters): boolean {
  const { id, address, localAddress, type, user } = filters;
  return (
    (address === null || session.link.address === address) &&
    (localAddress === null || session.link.localAddress === localAddress) &&
    (type === null || isOfType(session, type)) &&
    (id === 0 || session.id === id) &&
    (user === null || session.user === user)
  );
}

export function kill(call: Call, deps: ClientDeps): void {
  const filters = parse(call, deps);
  let killed = 0;
  let self = false;
  for (const session of [...deps.clients.sessions()]) {
    if (!matches(session, filters)) continue;
    if (session === call.session) {
      if (filters.skipMe) continue;
      self = true;
    } else session.link.close("now");
    killed++;
  }
  if (call.argc > 3) call.reply.int(killed);
  else if (killed === 0) throw new CommandError("ERR No such client");
  else call.reply.ok();
  if (self) call.session.link.close("after-replies");
}
