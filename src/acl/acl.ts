import type { Call } from "../call/call.ts";
import { clientInfo } from "../call/client-info.ts";
import type { Command, Registry } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import type { Log } from "../host/log.ts";
import { CommandError } from "../resp/errors.ts";
import type { Counters } from "../stats/counters.ts";
import { ALLOWED, Checker, DENIED_COMMAND, DENIED_KEY, type Verdict } from "./check.ts";
import { AclLog, type DenialContext, type DenialReason } from "./log.ts";
import { mergeSelectors, RuleError } from "./rules.ts";
import type { Catalog } from "./selector.ts";
import { User, type UserContext } from "./user.ts";

/**
 * The users of the server, and what follows when they change:
 *
 *   session.user ──▶ User ──▶ selectors          a session asks its user's object, which outlives changes of its rules
 *        │
 *        └ session.unrestricted                  whether it has to be asked at all: refreshed here with each change
 *
 * Who connects is the default user; where that is open (on, nopass) it is logged in at once, elsewhere after AUTH.
 * A user of null may do everything: the master's stream, the append-only file.
 */
export interface AclSettings {
  readonly aclPubsubDefault: "allchannels" | "resetchannels";
  readonly acllogMaxLen: number;
  readonly aclfile: string;
}

export interface AclDeps {
  readonly catalog: Catalog & Pick<Registry, "lookup">;
  readonly settings: Readonly<AclSettings>;
  readonly clock: { readonly now: number };
  readonly counters: Counters;
  readonly log: Log;
  readonly clients: { sessions(): Iterable<Session> };
  readonly subscriptions: { names(session: Session, space: "channels" | "patterns" | "shards"): string[] };
}

const DEFAULT = "default";
const REASONS: readonly DenialReason[] = ["auth", "command", "key", "channel"];
/** What EXEC says of a command that was allowed when it was queued. */
const REASONS_AT_EXEC = [
  "",
  "no permission to execute the command or subcommand",
  "no permission to touch the specified keys",
  "no permission to access one of the channels used as arguments",
];

export class Acl {
  readonly denials = new AclLog();
  readonly defaultUser: User;
  private users = new Map<string, User>();
  private readonly checker = new Checker();
  private readonly context: UserContext;

  constructor(private readonly deps: AclDeps) {
    this.context = userContext(deps.catalog, deps.settings);
    this.defaultUser = this.newDefaultUser();
    this.users.set(DEFAULT, this.defaultUser);
  }

  // ------------------------------------------------------------------ users

  get(name: string): User | undefined {
    return this.users.get(name);
  }

  /** In the order of their names' bytes. */
  all(): User[] {
    return [...this.users.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** One text a user, as behind "user" in redis.conf and in the ACL file. */
  describeAll(): string[] {
    return this.all().map((user) => `${user.name} ${user.describe()}`);
  }

  /** A user that is not (yet) among the others. */
  newUser(name: string): User {
    return new User(name, this.context);
  }

  private newDefaultUser(): User {
    const user = this.newUser(DEFAULT);
    for (const rule of ["+@all", "~*", "&*", "on", "nopass"]) user.apply(rule);
    return user;
  }

  /** ACL SETUSER: all rules or none. Throws CommandError. */
  setUser(name: string, args: readonly string[]): void {
    const { rules, unmatched } = mergeSelectors(args);
    if (unmatched >= 0)
      throw new CommandError(
        `ERR Unmatched parenthesis in acl selector starting at '${beforeNul(args[unmatched]!)}'.`,
      );
    const known = this.users.get(name);
    const changed = this.newUser(name);
    if (known !== undefined) changed.become(known);
    for (const rule of rules) {
      try {
        changed.apply(rule);
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        throw new CommandError(`ERR Error in ACL SETUSER modifier '${beforeNul(rule)}': ${error.message}`);
      }
    }
    if (known === undefined) this.users.set(name, changed);
    else {
      this.endLostSubscriptions(known, changed);
      known.become(changed);
      this.refresh();
    }
  }

  /** ACL DELUSER: its clients are disconnected, `by` once it has its reply. Whether there was one. */
  delete(name: string, by: Session): boolean {
    const user = this.users.get(name);
    if (user === undefined) return false;
    this.users.delete(name);
    this.disconnect(user, by);
    return true;
  }

  /** ACL LOAD: these users instead of all there are. Even clients of a user that stays are disconnected. */
  replaceAll(users: ReadonlyMap<string, User>, by: Session | null): void {
    const old = this.users;
    this.users = new Map(users);
    this.defaultUser.become(users.get(DEFAULT) ?? this.newDefaultUser());
    this.users.set(DEFAULT, this.defaultUser);
    for (const user of old.values()) if (user !== this.defaultUser) this.disconnect(user, by);
    this.refresh();
  }

  /** At start, a user of redis.conf before its rules; the default user begins anew. */
  declare(name: string): User {
    const user = this.users.get(name) ?? this.newUser(name);
    if (user === this.defaultUser) user.apply("reset");
    this.users.set(name, user);
    return user;
  }

  /** requirepass; empty: whoever connects is logged in. */
  setDefaultPassword(password: string): void {
    this.defaultUser.apply("resetpass");
    this.defaultUser.apply(password === "" ? "nopass" : `>${password}`);
    this.refresh();
  }

  // ------------------------------------------------------------------ sessions

  /** A new client, or one that begins anew. */
  admit(session: Session): void {
    session.user = this.defaultUser;
    session.loggedIn = session.openToAll = this.defaultUser.isOpen;
  }

  /** AUTH and HELLO: false where the password is wrong or the user disabled. */
  authenticate(call: Call, name: string, password: string): boolean {
    const { session } = call;
    const user = this.users.get(name);
    if (user?.accepts(password)) {
      session.user = user;
      session.loggedIn = true;
      return true;
    }
    this.note(session, "auth", session.inTransaction ? "multi" : "toplevel", call.text(0), name);
    return false;
  }

  /** Rules have changed. */
  private refresh(): void {
    const { isOpen } = this.defaultUser;
    for (const session of this.deps.clients.sessions()) {
      session.openToAll = session.user !== null && isOpen;
      session.restrict();
    }
  }

  private disconnect(user: User, by: Session | null): void {
    for (const session of [...this.deps.clients.sessions()]) {
      if (session.user !== user) continue;
      // Whatever it still gets to run, it is not as this user.
      session.user = this.defaultUser;
      session.loggedIn = false;
      session.link.close(session === by ? "after-replies" : "now");
    }
  }

  /** Clients that listen to what their user may no longer listen to are disconnected. */
  private endLostSubscriptions(user: User, changed: User): void {
    if (changed.selectors.some(({ allChannels }) => allChannels)) return;
    const { clients, subscriptions } = this.deps;
    const may = (name: string, isPattern: boolean) => {
      const bytes = Buffer.from(name, "latin1");
      return changed.selectors.some((each) => each.allowsChannel(bytes, 0, bytes.length, isPattern));
    };
    for (const session of [...clients.sessions()]) {
      if (session.user !== user || !session.subscribed) continue;
      const keeps =
        subscriptions.names(session, "patterns").every((name) => may(name, true)) &&
        subscriptions.names(session, "channels").every((name) => may(name, false)) &&
        subscriptions.names(session, "shards").every((name) => may(name, false));
      if (!keeps) session.link.close("now");
    }
  }

  // ------------------------------------------------------------------ checks

  /** Whether the user may make the call; `deniedArgument` is then what a refusal is about. */
  check(user: User, call: Call, command: Command): Verdict {
    return this.checker.check(user, call, command);
  }

  get deniedArgument(): number {
    return this.checker.deniedAt;
  }

  /** The user of a session as this room knows it; null: may do everything. */
  userOf({ user }: Session): User | null {
    return user instanceof User ? user : null;
  }

  /** The error reply where the call's session may not make it, which is noted in the log; or null. */
  refusal(call: Call, command: Command, context: DenialContext): string | null {
    const user = this.userOf(call.session);
    if (user === null || user.unrestricted) return null;
    const verdict = this.check(user, call, command);
    if (verdict === ALLOWED) return null;
    // Its line in the log tells what it tried.
    call.session.lastCommand = command;
    this.noteDenial(call.session, call, command, verdict, context);
    return `NOPERM ${denialSentence(verdict, user, command, null)}`;
  }

  /** As `refusal`, for a command of a transaction when it comes to be executed. */
  refusalAtExec(call: Call, command: Command): string | null {
    const user = this.userOf(call.session);
    if (user === null || user.unrestricted) return null;
    const verdict = this.check(user, call, command);
    if (verdict === ALLOWED) return null;
    this.noteDenial(call.session, call, command, verdict, "multi");
    return (
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command " +
      `is no longer allowed for the following reason: ${REASONS_AT_EXEC[verdict]}`
    );
  }

  /** As `refusal`, for a command that a script of this client calls. */
  refusalInScript(call: Call, command: Command, caller: Session): string | null {
    const user = this.userOf(caller);
    if (user === null || user.unrestricted) return null;
    const verdict = this.check(user, call, command);
    if (verdict === ALLOWED) return null;
    this.noteDenial(caller, call, command, verdict, "lua");
    return `ERR ACL failure in script: ${denialSentence(verdict, user, command, null)}`;
  }

  /** redis.acl_check_cmd: whether the client's user might make the call. */
  mayCall(call: Call, command: Command, caller: Session): boolean {
    const user = this.userOf(caller);
    return user === null || user.unrestricted || this.check(user, call, command) === ALLOWED;
  }

  /** ACL DRYRUN: the sentence of a refusal, or null. */
  dryRun(user: User, call: Call, command: Command): string | null {
    const verdict = this.check(user, call, command);
    if (verdict === ALLOWED) return null;
    return denialSentence(verdict, user, command, call.quoted(this.deniedArgument, Number.MAX_SAFE_INTEGER));
  }

  /** Whether the call's session may read keys that the call does not name. */
  mayReadAnyKey(call: Call): boolean {
    const user = this.userOf(call.session);
    if (user === null || user.unrestricted) return true;
    const command = this.deps.catalog.lookup(call);
    return command !== null && this.checker.mayReadAnyKey(user, call, command);
  }

  private noteDenial(
    session: Session,
    call: Call,
    command: Command,
    verdict: Verdict,
    context: DenialContext,
  ): void {
    const object = verdict === DENIED_COMMAND ? command.fullName : call.text(this.deniedArgument);
    this.note(session, REASONS[verdict]!, context, object);
  }

  private note(
    session: Session,
    reason: DenialReason,
    context: DenialContext,
    object: string,
    username = session.user?.name ?? "",
  ): void {
    const { counters, clock, settings } = this.deps;
    counters.accessDenied[reason]++;
    const denial = { reason, context, object, username, clientInfo: clientInfo(session, clock.now) };
    this.denials.add(denial, clock.now, settings.acllogMaxLen);
  }
}

export function userContext(catalog: Catalog, settings: Pick<AclSettings, "aclPubsubDefault">): UserContext {
  return { catalog, allChannels: () => settings.aclPubsubDefault === "allchannels" };
}

/** The refusal in words; where `object` is given, for ACL DRYRUN, they name it. */
function denialSentence(verdict: Verdict, user: User, command: Command, object: string | null): string {
  if (verdict === DENIED_COMMAND)
    return `User ${user.name} has no permissions to run the '${command.fullName}' command`;
  const what = verdict === DENIED_KEY ? "key" : "channel";
  return object === null
    ? `No permissions to access a ${what}`
    : `User ${user.name} has no permissions to access the '${object}' ${what}`;
}

/** As C prints a text. */
function beforeNul(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}
