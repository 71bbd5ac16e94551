import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { Router } from "../cluster/router.ts";
import { errors, unknownSubcommand, wrongArity } from "../resp/errors.ts";

/**
 * Admission: the gates a command passes before it is executed, in Redis's order. Each is a function that
 * returns the error to reply with, or null to let the command through.
 */

export interface AdmissionDeps {
  /** On a cluster node: sends clients to the node that has their keys. */
  readonly router: Router | null;
  /** Values of enable-debug-command and enable-module-command. */
  protectedCommands(): { debug: "no" | "yes" | "local"; module: "no" | "yes" | "local" };
  /** Flags of the commands that the session has queued in a transaction. */
  queuedFlags(session: Session): number;
  /** Flags that one of them lacks. */
  queuedLacking(session: Session): number;
  /** The data set is being loaded; "serving": into another place, while the old one is served. */
  loading(): "no" | "yes" | "serving";
  /** The error reply where the client's user may not make the call, or null. */
  denied(call: Call, command: Command): string | null;
  /** Why nothing may be written at present, or null. */
  diskRefusal(): string | null;
  /** Where a replica outside of a cluster sends clients that follow redirections, or null. */
  redirection(): string | null;
  /** A replica that takes writes from its master alone. */
  readOnly(): boolean;
  /** A replica that does not want to answer with data that may be old. */
  stale(): boolean;
  /** min-replicas-to-write is not met. */
  tooFewReplicas(): boolean;
  /** What is answered while a script takes too long, or null. */
  busy(): string | null;
  /** Whether data no longer fits in maxmemory, after trying to make room. */
  outOfMemory(): boolean;
}

export type Gate = (call: Call, command: Command, deps: AdmissionDeps) => string | null;

/** Most of a hostile command line that an error quotes. */
const QUOTED = 128;
const POST = latin1Bytes("post");
const HOST = latin1Bytes("host:");

export function unknownCommand(call: Call): string {
  let args = "";
  for (let i = 1; i < call.argc && args.length < QUOTED; i++) {
    args += `'${call.quoted(i, QUOTED - args.length)}' `;
  }
  return `ERR unknown command '${call.quoted(0, QUOTED)}', with args beginning with: ${args}`;
}

/** A container called with a subcommand it does not have. */
const subcommandGate: Gate = (call, command) =>
  command.subcommands !== null && call.argc > 1 ? unknownSubcommand(call.quoted(1), command.fullName) : null;

const arityGate: Gate = (call, command) =>
  !command.acceptsArgs(call.argc) || (command.subcommands !== null && command.spec.run === undefined)
    ? wrongArity(command.fullName)
    : null;

const protectedGate: Gate = (call, command, deps) => {
  if ((command.flags & FLAGS.protected) === 0) return null;
  const name = (command.parent ?? command).fullName;
  const setting = name === "debug" ? deps.protectedCommands().debug : deps.protectedCommands().module;
  if (setting === "yes" || (setting === "local" && call.session.isLocal)) return null;
  return (
    `ERR ${name.toUpperCase()} command not allowed. If the enable-${name}-command option is set to "local", ` +
    "you can run it from a local connection, otherwise you need to set this option in the configuration file, " +
    "and then restart the server."
  );
};

const authGate: Gate = (call, command) =>
  !call.session.authenticated && (command.flags & FLAGS.no_auth) === 0 ? errors.noAuth : null;

const aclGate: Gate = (call, command, deps) => deps.denied(call, command);

/** In a cluster: whether the command's keys are here. */
const clusterGate: Gate = (call, command, { router }) => router?.refusal(call, command) ?? null;

/** Outside of a cluster, clients that say that they can (CLIENT CAPA, of Valkey) are sent to the master. */
const redirectGate: Gate = (call, command, deps) => {
  const { session } = call;
  if (!session.followsRedirects) return null;
  const data = session.readsReplica ? FLAGS.write : FLAGS.write | FLAGS.readonly;
  return (flagsOf(call, command, deps) & data) !== 0 ? deps.redirection() : null;
};

/** The flags that count: for EXEC, those of what it will run. */
function flagsOf(call: Call, command: Command, deps: AdmissionDeps): number {
  return command.spec.endsTransaction === true ? deps.queuedFlags(call.session) : call.flags;
}

/** Whether the command, or for EXEC one that it will run, does not have the flag. */
function lacks(call: Call, command: Command, flag: number, deps: AdmissionDeps): boolean {
  if ((call.flags & flag) === 0) return true;
  return command.spec.endsTransaction === true && (deps.queuedLacking(call.session) & flag) !== 0;
}

/** As in Redis any command makes room, also one that needs none; what would be queued needs memory in any case. */
const memoryGate: Gate = (call, command, deps) => {
  if (!deps.outOfMemory()) return null;
  if (call.session.inTransaction && command.spec.immediate !== true) return errors.oom;
  return (flagsOf(call, command, deps) & FLAGS.denyoom) !== 0 ? errors.oom : null;
};

/** Writes are refused while what is written cannot be saved; PING too, so that watchers notice, as in Redis. */
const diskGate: Gate = (call, command, deps) =>
  (flagsOf(call, command, deps) & FLAGS.write) !== 0 || command.spec.tellsDiskErrors === true
    ? deps.diskRefusal()
    : null;

const replicasGate: Gate = (call, command, deps) =>
  (flagsOf(call, command, deps) & FLAGS.write) !== 0 && deps.tooFewReplicas() ? errors.noReplicas : null;

const readOnlyGate: Gate = (call, command, deps) =>
  (flagsOf(call, command, deps) & FLAGS.write) !== 0 && deps.readOnly() ? errors.readOnly : null;

/** A replica's connection is for the stream: replies to other commands would get into it. */
const replicaGate: Gate = ({ session, flags }) =>
  session.role === "replica" && (flags & (FLAGS.write | FLAGS.readonly | FLAGS.may_replicate)) !== 0
    ? "ERR Replica can't interact with the keyspace"
    : null;

const staleGate: Gate = (call, command, deps) =>
  lacks(call, command, FLAGS.stale, deps) && deps.stale() ? errors.masterDown : null;

/** RESP2 has no push type: a client that listens may only ask what cannot be mistaken for a message. */
const subscribedGate: Gate = ({ session }, command) =>
  session.subscribed && session.resp === 2 && command.spec.whileSubscribed !== true
    ? `ERR Can't execute '${command.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are ` +
      "allowed in this context"
    : null;

const loadingGate: Gate = (call, command, deps) => {
  const loading = deps.loading();
  if (loading === "no") return null;
  const refused =
    loading === "serving"
      ? (flagsOf(call, command, deps) & FLAGS.no_async_loading) !== 0
      : lacks(call, command, FLAGS.loading, deps);
  return refused ? errors.loading : null;
};

/** While a script runs that takes long, only what can end it, and what harms nobody. */
const busyGate: Gate = (_call, command, deps) =>
  (command.flags & FLAGS.allow_busy) === 0 ? deps.busy() : null;

const GATES: readonly Gate[] = [
  subcommandGate,
  arityGate,
  protectedGate,
  authGate,
  aclGate,
  clusterGate,
  redirectGate,
  memoryGate,
  diskGate,
  replicasGate,
  readOnlyGate,
  replicaGate,
  subscribedGate,
  staleGate,
  loadingGate,
  busyGate,
];

/** The error that keeps the command from being executed, or null. */
export function refuse(call: Call, command: Command, deps: AdmissionDeps): string | null {
  call.flags = command.flagsOf(call);
  for (let i = 0; i < GATES.length; i++) {
    const error = GATES[i]!(call, command, deps);
    if (error !== null) return error;
  }
  return null;
}

/** Whether a line is the start of an HTTP request that a browser was tricked into sending. */
export function looksLikeHttp(call: Call): boolean {
  return call.is(0, POST) || call.is(0, HOST);
}
