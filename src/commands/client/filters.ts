import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { clientFlags, secondsSince } from "../../call/client-info.ts";
import type { Session } from "../../call/session.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ClientDeps } from "./deps.ts";
import { clientTypeArgument, isOfType } from "./types.ts";

/**
 * The filters of CLIENT LIST and CLIENT KILL: a client is meant if all of them hold. ID, TYPE, ADDR, LADDR, USER and
 * SKIPME are Redis 7.2's (of KILL; LIST had TYPE and ID alone), MAXAGE is Redis 7.4's, the others, several IDs, NOT-
 * before a filter, and all of them for LIST are Valkey's 8.1 and 9.0. A filter given again replaces the first.
 */
type Filter = (session: Session) => boolean;

/** Makes a filter of the value in argument i; `name` is how it was called, as error sentences say it. */
type Maker = (call: Call, i: number, deps: ClientDeps, name: string) => Filter;

const FLAGS = /^[OSMPxbtRBdcuAUreTINiE]*$/;

/** Each can stand behind NOT- as well. */
const MAKERS: Readonly<Record<string, Maker>> = {
  type: (call, i) => {
    const type = clientTypeArgument(call, i);
    return (session) => isOfType(session, type);
  },
  addr: (call, i) => {
    const address = call.text(i);
    return ({ link }) => link.address === address;
  },
  laddr: (call, i) => {
    const address = call.text(i);
    return ({ link }) => link.localAddress === address;
  },
  user: (call, i, { acl }) => {
    const user = acl.get(call.text(i));
    if (user === undefined) throw new CommandError(`ERR No such user '${call.text(i)}'`);
    return (session) => session.user === user;
  },
  name: (call, i) => {
    const name = call.text(i);
    return (session) => session.name === name && name !== "";
  },
  flags: (call, i, _deps, name) => {
    const flags = call.text(i);
    const where = name === "flags" ? "provided" : name.toUpperCase();
    if (!FLAGS.test(flags))
      throw new CommandError(`ERR Unknown flags found in the ${where} filter: ${flags}`);
    return (session) => {
      const has = clientFlags(session);
      return [...flags].every((flag) => has.includes(flag));
    };
  },
  "lib-name": (call, i) => {
    const name = call.text(i);
    return (session) => session.libName === name && name !== "";
  },
  "lib-ver": (call, i) => {
    const version = call.text(i);
    return (session) => session.libVersion === version && version !== "";
  },
  db: (call, i, { keyspace }, name) => {
    const db = call.safeInt(i);
    const shown = name.toUpperCase();
    if (db !== (db | 0)) throw new CommandError(`ERR ${shown} is not an integer or out of range`);
    if (db < 0 || db >= keyspace.count)
      throw new CommandError(`ERR ${shown} number should be between 0 and ${keyspace.count - 1}`);
    return (session) => session.dbIndex === db;
  },
  ip: (call, i) => {
    const ip = call.text(i);
    return ({ link }) => link.address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1") === ip;
  },
};

/** A number of seconds that is at least the one given. */
const atLeast =
  (seconds: (session: Session, now: number) => number): Maker =>
  (call, i, { clock }, name) => {
    const least = call.safeInt(i);
    if (Number.isNaN(least)) throw new CommandError(`ERR ${name} is not an integer or out of range`);
    if (least <= 0) throw new CommandError(`ERR ${name} should be greater than 0`);
    return (session) => seconds(session, clock.now) >= least;
  };

const MORE_MAKERS: Readonly<Record<string, Maker>> = {
  maxage: atLeast((session, now) => secondsSince(session.createdAt, now)),
  idle: atLeast((session, now) => secondsSince(session.lastInteraction, now)),
};

const ID = latin1Bytes("id");
const NOT_ID = latin1Bytes("not-id");
const SKIPME = latin1Bytes("skipme");
const YES = latin1Bytes("yes");
const NO = latin1Bytes("no");

export interface Filters {
  readonly filters: ReadonlyMap<string, Filter>;
  readonly skipMe: boolean;
}

/** The filters from argument `from` on; `skipMe`: whether the caller is spared where SKIPME does not say so. */
export function parseFilters(call: Call, from: number, deps: ClientDeps, skipMe: boolean): Filters {
  const filters = new Map<string, Filter>();
  const ids = new Set<number>();
  const excluded = new Set<number>();
  for (let i = from; i < call.argc; ) {
    if (i + 1 >= call.argc) throw new CommandError(errors.syntax);
    if (call.is(i, ID)) i = idArguments(call, i + 1, ids);
    else if (call.is(i, NOT_ID)) i = idArguments(call, i + 1, excluded);
    else if (call.is(i, SKIPME)) {
      if (!call.is(i + 1, YES) && !call.is(i + 1, NO)) throw new CommandError(errors.syntax);
      skipMe = call.is(i + 1, YES);
      i += 2;
    } else {
      const name = call.text(i).toLowerCase();
      filters.set(name, filterOf(name, call, i + 1, deps));
      i += 2;
    }
  }
  if (ids.size > 0) filters.set("id", (session) => ids.has(session.id));
  if (excluded.size > 0) filters.set("not-id", (session) => !excluded.has(session.id));
  return { filters, skipMe };
}

/** Takes the first argument and the further ones that are IDs; the index behind them. */
function idArguments(call: Call, from: number, ids: Set<number>): number {
  let i = from;
  for (; i < call.argc; i++) {
    const id = call.safeInt(i);
    if (i > from && Number.isNaN(id)) break;
    if (!(id > 0)) throw new CommandError("ERR client-id should be greater than 0");
    ids.add(id);
  }
  return i;
}

/** Whether the word is a filter's name. */
export function isFilter(word: string): boolean {
  const name = word.toLowerCase().replace(/^not-/, "");
  return ["id", "skipme"].includes(name) || Object.hasOwn(MAKERS, name) || Object.hasOwn(MORE_MAKERS, name);
}

function filterOf(name: string, call: Call, i: number, deps: ClientDeps): Filter {
  const negated = name.startsWith("not-") ? name.slice(4) : "";
  if (Object.hasOwn(MAKERS, name)) return MAKERS[name]!(call, i, deps, name);
  if (Object.hasOwn(MORE_MAKERS, name)) return MORE_MAKERS[name]!(call, i, deps, name);
  if (!Object.hasOwn(MAKERS, negated)) throw new CommandError(errors.syntax);
  const filter = MAKERS[negated]!(call, i, deps, name);
  return (session) => !filter(session);
}

export function isMeant(session: Session, { filters, skipMe }: Filters, caller: Session): boolean {
  if (skipMe && session === caller) return false;
  for (const filter of filters.values()) if (!filter(session)) return false;
  return true;
}
