import type { Acl } from "../acl/acl.ts";
import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { upToNul } from "../call/client-info.ts";
import type { Session } from "../call/session.ts";
import type { CommandSpec } from "../call/spec.ts";
import { REDIS_VERSION } from "../host/version.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { CommandError, errors, wrongArity } from "../resp/errors.ts";

/** The connection family: who a client is, which database and protocol it speaks to. */

export interface ConnectionDeps {
  readonly keyspace: Keyspace;
  readonly config: { readonly values: { readonly clusterEnabled: boolean } };
  readonly acl: Acl;
  readonly transactions: { discard(session: Session): void };
  readonly monitors: { remove(session: Session): void };
  readonly replication: { readonly isReplica: boolean };
  readonly subscriptions: { forget(session: Session): void };
  readonly tracking: { disable(session: Session): void };
}

const PONG = latin1Bytes("pong");
const NOTHING = new Uint8Array(0);
const AUTH = latin1Bytes("auth");
const SETNAME = latin1Bytes("setname");
const MUST_AUTHENTICATE =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> " +
  "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time";

function ping(call: Call): void {
  if (call.argc > 2) throw new CommandError(wrongArity("ping"));
  const { reply, session } = call;
  if (session.subscribed && session.resp === 2) {
    // What it listens to comes as arrays: a bare PONG among them would not be understood.
    reply.array(2);
    reply.bulk(PONG);
    if (call.argc === 2) reply.bulk(call.buf, call.start[1]!, call.end[1]!);
    else reply.bulk(NOTHING);
  } else if (call.argc === 2) reply.bulk(call.buf, call.start[1]!, call.end[1]!);
  else reply.pong();
}

function echo(call: Call): void {
  call.reply.bulk(call.buf, call.start[1]!, call.end[1]!);
}

function select(call: Call, { keyspace, config }: ConnectionDeps): void {
  const id = call.int32(1);
  if (config.values.clusterEnabled && id !== 0)
    throw new CommandError("ERR SELECT is not allowed in cluster mode");
  if (id < 0 || id >= keyspace.count) throw new CommandError(errors.dbIndex);
  call.session.dbIndex = id;
  call.reply.ok();
}

function quit(call: Call): void {
  call.reply.ok();
  call.session.link.close("after-replies");
}

function reset(call: Call, deps: ConnectionDeps): void {
  const { session } = call;
  deps.monitors.remove(session);
  deps.transactions.discard(session);
  deps.subscriptions.forget(session);
  deps.tracking.disable(session);
  session.dbIndex = 0;
  session.resp = 2;
  deps.acl.admit(session);
  session.name = "";
  session.noTouch = session.noEvict = session.asking = session.readsReplica = false;
  session.followsRedirects = false;
  // That its own reply is to be skipped stays so.
  if (session.replyMode !== "skip") {
    session.replyMode = "on";
    session.mutedFrom = Number.POSITIVE_INFINITY;
  }
  call.reply.simple("RESET");
}

function authenticate(call: Call, user: string, password: string, { acl }: ConnectionDeps): void {
  if (!acl.authenticate(call, user, password)) throw new CommandError(errors.wrongPass);
}

function auth(call: Call, deps: ConnectionDeps): void {
  if (call.argc > 3) throw new CommandError(errors.syntax);
  for (let i = 1; i < call.argc; i++) call.redact(i);
  if (call.argc === 2 && deps.acl.defaultUser.noPassword) throw new CommandError(errors.noPasswordSet);
  authenticate(call, call.argc === 2 ? "default" : call.text(1), call.text(call.argc - 1), deps);
  call.reply.ok();
}

/** Client names go into CLIENT LIST lines, up to a NUL: printable, without spaces. Throws for others. */
export function checkClientName(name: string): void {
  if (/[^!-~]/.test(upToNul(name)))
    throw new CommandError("ERR Client names cannot contain spaces, newlines or special characters.");
}

function hello(call: Call, deps: ConnectionDeps): void {
  const { session, reply } = call;
  let version = 0;
  if (call.argc >= 2) {
    version = call.safeInt(1);
    if (Number.isNaN(version))
      throw new CommandError("ERR Protocol version is not an integer or out of range");
    if (version !== 2 && version !== 3) throw new CommandError(errors.noProto);
  }
  let name: string | null = null;
  let user: string | null = null;
  let password = "";
  for (let i = 2; i < call.argc; i++) {
    if (call.is(i, AUTH) && i + 2 < call.argc) {
      user = call.text(++i);
      call.redact(i);
      password = call.text(++i);
      call.redact(i);
    } else if (call.is(i, SETNAME) && i + 1 < call.argc) {
      name = call.text(++i);
      checkClientName(name);
    } else throw new CommandError(`ERR Syntax error in HELLO option '${call.text(i)}'`);
  }
  if (user !== null) authenticate(call, user, password, deps);
  if (!session.loggedIn) throw new CommandError(MUST_AUTHENTICATE);
  if (name !== null) session.name = name;
  if (version === 2 || version === 3) session.resp = version;
  reply.resp = session.resp;
  reply.map(7);
  reply.bulkText("server");
  reply.bulkText("redis");
  reply.bulkText("version");
  reply.bulkText(REDIS_VERSION);
  reply.bulkText("proto");
  reply.int(session.resp);
  reply.bulkText("id");
  reply.int(session.id);
  reply.bulkText("mode");
  reply.bulkText(deps.config.values.clusterEnabled ? "cluster" : "standalone");
  reply.bulkText("role");
  reply.bulkText(deps.replication.isReplica ? "replica" : "master");
  reply.bulkText("modules");
  reply.array(0);
}

export function connectionCommands(deps: ConnectionDeps): CommandSpec[] {
  return [
    {
      name: "auth",
      arity: -2,
      flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
      categories: ["connection"],
      since: "1.0.0",
      group: "connection",
      summary: "Logs the connection in with a password, or a user name and a password.",
      complexity: "O(N), N passwords of the user",
      args: "[username@6.0.0] password",
      history: [["6.0.0", "Takes a user name too."]],
      run: (call) => auth(call, deps),
    },
    {
      name: "echo",
      arity: 2,
      flags: ["loading", "stale", "fast"],
      categories: ["connection"],
      since: "1.0.0",
      group: "connection",
      summary: "Replies with its argument.",
      complexity: "O(1)",
      args: "message",
      run: echo,
    },
    {
      name: "hello",
      arity: -1,
      flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
      categories: ["connection"],
      since: "6.0.0",
      group: "connection",
      summary: "Chooses the protocol version, and optionally authenticates and names the connection.",
      complexity: "O(1)",
      args: "[arguments=(protover:integer [AUTH auth=(username password)] [SETNAME clientname])]",
      history: [
        ["6.2.0", "`protover` is optional; without arguments the state of the connection is reported."],
      ],
      run: (call) => hello(call, deps),
    },
    {
      name: "ping",
      whileSubscribed: true,
      tellsDiskErrors: true,
      arity: -1,
      flags: ["fast"],
      categories: ["connection"],
      since: "1.0.0",
      group: "connection",
      summary: "Tells that the server is alive.",
      complexity: "O(1)",
      args: "[message]",
      tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      run: ping,
    },
    {
      name: "quit",
      whileSubscribed: true,
      immediate: true,
      arity: -1,
      flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
      categories: ["connection"],
      since: "1.0.0",
      group: "connection",
      summary: "Ends the connection after a last reply.",
      complexity: "O(1)",
      deprecatedSince: "7.2.0",
      replacedBy: "closing the connection",
      run: quit,
    },
    {
      name: "reset",
      whileSubscribed: true,
      immediate: true,
      arity: 1,
      flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
      categories: ["connection"],
      since: "6.2.0",
      group: "connection",
      summary: "Puts the connection back to the state of a new one.",
      complexity: "O(1)",
      run: (call) => reset(call, deps),
    },
    {
      name: "select",
      arity: 2,
      flags: ["loading", "stale", "fast"],
      categories: ["connection"],
      since: "1.0.0",
      group: "connection",
      summary: "Chooses the database.",
      complexity: "O(1)",
      args: "index:integer",
      run: (call) => select(call, deps),
    },
  ];
}
