import { timeoutMilliseconds } from "../blocking/blocking.ts";
import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec, Flag } from "../call/spec.ts";
import type { FailoverRequest } from "../replication/failover.ts";
import type { Replication } from "../replication/replication.ts";
import { CommandError, errors } from "../resp/errors.ts";

/** Replication: roles, what replicas and masters say to each other, and waiting for replicas. */
export interface ReplicationCommandDeps {
  readonly config: { readonly values: { readonly appendonly: boolean; readonly clusterEnabled: boolean } };
  readonly replication: Replication;
  readonly log: { notice(message: string): void };
  /** REPLICAOF; null: NO ONE. Returns what OK is followed by. */
  replicaOf(master: { host: string; port: number } | null, by: string): string;
}

const ABORT = latin1Bytes("abort");
const TIMEOUT = latin1Bytes("timeout");
const TO = latin1Bytes("to");
const FORCE = latin1Bytes("force");
const FAILOVER = latin1Bytes("failover");
const NO = latin1Bytes("no");
const ONE = latin1Bytes("one");
const ACK = latin1Bytes("ack");
const FACK = latin1Bytes("fack");
const GETACK = latin1Bytes("getack");
const LISTENING_PORT = latin1Bytes("listening-port");
const IP_ADDRESS = latin1Bytes("ip-address");
const CAPA = latin1Bytes("capa");
const EOF = latin1Bytes("eof");
const PSYNC2 = latin1Bytes("psync2");
const RDB_ONLY = latin1Bytes("rdb-only");
const RDB_FILTER_ONLY = latin1Bytes("rdb-filter-only");
const LONGEST_IP = 46;
const ON_REPLICA =
  "cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be " +
  "writable (which is not the default) writes to replicas are just local and are not propagated.";

function replicaof(call: Call, deps: ReplicationCommandDeps): void {
  // The cluster decides who replicates whom.
  if (deps.config.values.clusterEnabled) throw new CommandError("ERR REPLICAOF not allowed in cluster mode.");
  const by = call.session.link.address;
  if (deps.replication.failover.state !== "no-failover")
    throw new CommandError("ERR REPLICAOF not allowed while failing over.");
  if (call.is(1, NO) && call.is(2, ONE)) {
    deps.replicaOf(null, by);
    return call.reply.ok();
  }
  if (call.session.role === "replica")
    throw new CommandError("ERR Command is not valid when client is a replica.");
  const port = call.safeInt(2);
  if (!(port >= 0 && port <= 65535)) throw new CommandError("ERR Invalid master port");
  const note = deps.replicaOf({ host: call.text(1), port }, by);
  call.reply.simple(`OK${note}`);
}

function role(call: Call, { replication }: ReplicationCommandDeps): void {
  const { reply } = call;
  const { link } = replication;
  if (link !== null) {
    reply.array(5);
    reply.bulkText("slave");
    reply.bulkText(link.host);
    reply.int(link.port);
    reply.bulkText(link.state === "transfer" || link.state === "loading" ? "sync" : link.state);
    reply.int(link.state === "connected" ? replication.history.offset : -1);
    return;
  }
  const replicas = [...replication.primary.all()].filter(({ state }) => state === "online");
  reply.array(3);
  reply.bulkText("master");
  reply.int(replication.stream.offset);
  reply.array(replicas.length);
  for (const replica of replicas) {
    reply.array(3);
    reply.bulkText(replica.ip);
    reply.bulkText(String(replica.port));
    reply.bulkText(String(replica.acknowledged));
  }
}

function replconf(call: Call, { replication }: ReplicationCommandDeps): void {
  const { session, argc } = call;
  if (argc % 2 === 0) throw new CommandError(errors.syntax);
  // Between master and replica no REPLCONF has a reply.
  if (call.is(1, ACK)) {
    if (session.role !== "replica") return;
    const offset = call.safeInt(2);
    const synced = argc > 4 && call.is(3, FACK) ? call.safeInt(4) : 0;
    if (!Number.isNaN(offset)) replication.primary.acknowledge(session, offset, synced || 0);
    return;
  }
  if (call.is(1, GETACK)) {
    if (session.role === "master") replication.acknowledge();
    return;
  }
  const replica = replication.primary.attach(session);
  for (let i = 1; i < argc; i += 2) {
    if (call.is(i, LISTENING_PORT)) replica.port = call.int32(i + 1);
    else if (call.is(i, IP_ADDRESS)) {
      if (call.length(i + 1) > LONGEST_IP)
        throw new CommandError(
          `ERR REPLCONF ip-address provided by replica instance is too long: ${call.length(i + 1)} bytes`,
        );
      replica.announcedIp = call.text(i + 1);
    } else if (call.is(i, CAPA)) {
      if (call.is(i + 1, EOF)) replica.readsEof = true;
      else if (call.is(i + 1, PSYNC2)) replica.readsPsync2 = true;
    } else if (call.is(i, RDB_ONLY)) replica.snapshotOnly = call.int(i + 1) === 1;
    else if (call.is(i, RDB_FILTER_ONLY)) {
      const wanted = call.text(i + 1).trim();
      if (wanted !== "" && wanted.toLowerCase() !== "functions")
        throw new CommandError(`ERR Unsupported rdb-filter-only option: ${wanted}`);
      replica.functionsOnly = true;
    } else throw new CommandError(`ERR Unrecognized REPLCONF option: ${call.text(i)}`);
  }
  call.reply.ok();
}

/** PSYNC ... FAILOVER: our master wants to change roles with us. */
function takeOver(call: Call, deps: ReplicationCommandDeps): void {
  const { replication } = deps;
  deps.log.notice(`Failover request received for replid ${call.text(1)}.`);
  if (!replication.isReplica) throw new CommandError("ERR PSYNC FAILOVER can't be sent to a master.");
  if (call.text(1).toLowerCase() !== replication.history.id)
    throw new CommandError("ERR PSYNC FAILOVER replid must match my replid.");
  deps.replicaOf(null, call.session.link.address);
}

function failover(call: Call, { replication, config }: ReplicationCommandDeps): void {
  if (config.values.clusterEnabled)
    throw new CommandError("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.");
  const { failover, primary } = replication;
  if (call.argc === 2 && call.is(1, ABORT)) {
    if (failover.state === "no-failover") throw new CommandError("ERR No failover in progress.");
    failover.abort("Failover manually aborted");
    return call.reply.ok();
  }
  const request: FailoverRequest = { target: null, force: false, timeout: 0 };
  for (let i = 1; i < call.argc; i++) {
    if (call.is(i, TIMEOUT) && i + 1 < call.argc && request.timeout === 0) {
      request.timeout = call.int(++i);
      if (request.timeout <= 0) throw new CommandError("ERR FAILOVER timeout must be greater than 0");
    } else if (call.is(i, TO) && i + 2 < call.argc && request.target === null) {
      request.target = { host: call.text(i + 1), port: call.int(i + 2) };
      i += 2;
    } else if (call.is(i, FORCE) && !request.force) request.force = true;
    else throw new CommandError(errors.syntax);
  }
  if (failover.state !== "no-failover") throw new CommandError("ERR FAILOVER already in progress.");
  if (replication.isReplica) throw new CommandError("ERR FAILOVER is not valid when server is a replica.");
  if (primary.count === 0) throw new CommandError("ERR FAILOVER requires connected replicas.");
  if (request.force && (request.timeout === 0 || request.target === null))
    throw new CommandError("ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  failover.start(request);
  call.reply.ok();
}

function psync(call: Call, deps: ReplicationCommandDeps): void {
  const { replication } = deps;
  if (call.session.role === "replica") return;
  if (call.argc > 3 && call.is(3, FAILOVER)) takeOver(call, deps);
  if (replication.isStale)
    throw new CommandError("NOMASTERLINK Can't SYNC while not connected with my master");
  const offset = call.safeInt(2);
  if (Number.isNaN(offset)) {
    deps.log.notice(`Replica ${call.session.link.address} asks for synchronization but with a wrong offset`);
    throw new CommandError(errors.notInteger);
  }
  replication.primary.request(call.session, call.text(1), offset);
}

function sync(call: Call, { replication }: ReplicationCommandDeps): void {
  if (call.session.role === "replica") return;
  if (replication.isStale)
    throw new CommandError("NOMASTERLINK Can't SYNC while not connected with my master");
  replication.primary.request(call.session, null, -1);
}

function wait(call: Call, { replication }: ReplicationCommandDeps): void {
  if (replication.isReplica) throw new CommandError(`ERR WAIT ${ON_REPLICA}`);
  const replicas = call.int(1);
  replication.wait(call, replicas, timeoutMilliseconds(call, 2));
}

function waitaof(call: Call, { replication }: ReplicationCommandDeps, aofEnabled: () => boolean): void {
  const local = call.int(1);
  if (local < 0 || local > 1) throw new CommandError("ERR value is out of range, must be between 0 and 1");
  const replicas = call.int(2);
  if (replicas < 0) throw new CommandError(errors.positive);
  const timeout = timeoutMilliseconds(call, 3);
  if (replication.isReplica) throw new CommandError(`ERR WAITAOF ${ON_REPLICA}`);
  if (local > 0 && !aofEnabled()) throw new CommandError(errors.noAof);
  replication.waitAof(call, local, replicas, timeout);
}

export function replicationCommands(deps: ReplicationCommandDeps): CommandSpec[] {
  const changing: Flag[] = ["admin", "noscript", "stale", "no_async_loading"];
  const syncing: Flag[] = ["admin", "noscript", "no_multi", "no_async_loading"];
  return [
    {
      name: "failover",
      arity: -1,
      flags: ["admin", "noscript", "stale"],
      categories: [],
      since: "6.2.0",
      group: "server",
      summary: "Changes roles with a replica, without losing a write.",
      complexity: "O(1)",
      args: "[TO target=(host port:integer [FORCE])] [ABORT] [TIMEOUT milliseconds:integer]",
      run: (call) => failover(call, deps),
    },
    {
      name: "psync",
      arity: -3,
      flags: syncing,
      categories: [],
      since: "2.8.0",
      group: "server",
      summary: "A replica asks for the stream of writes from an offset on.",
      args: "replicationid offset:integer",
      run: (call) => psync(call, deps),
    },
    {
      name: "replconf",
      arity: -1,
      flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
      categories: [],
      since: "3.0.0",
      group: "server",
      summary: "What replicas and masters tell each other.",
      complexity: "O(1)",
      run: (call) => replconf(call, deps),
    },
    {
      name: "replicaof",
      arity: 3,
      flags: changing,
      categories: [],
      since: "5.0.0",
      group: "server",
      summary: "Makes the server a replica of another one, or a master.",
      complexity: "O(1)",
      args: "args=(host-port=(host port:integer)|no-one=(NO ONE))",
      run: (call) => replicaof(call, deps),
    },
    {
      name: "role",
      arity: 1,
      flags: ["noscript", "loading", "stale", "fast"],
      categories: ["admin", "dangerous"],
      since: "2.8.12",
      group: "server",
      summary: "The role in replication.",
      complexity: "O(1)",
      run: (call) => role(call, deps),
    },
    {
      name: "slaveof",
      arity: 3,
      flags: changing,
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Makes the server a replica of another one, or a master.",
      complexity: "O(1)",
      args: "args=(host-port=(host port:integer)|no-one=(NO ONE))",
      deprecatedSince: "5.0.0",
      replacedBy: "`REPLICAOF`",
      run: (call) => replicaof(call, deps),
    },
    {
      name: "sync",
      arity: 1,
      flags: syncing,
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "A replica of the old kind asks for everything.",
      run: (call) => sync(call, deps),
    },
    {
      name: "wait",
      arity: 3,
      flags: [],
      categories: ["connection"],
      since: "3.0.0",
      group: "generic",
      summary: "Waits until enough replicas have the connection's writes.",
      complexity: "O(1)",
      args: "numreplicas:integer timeout:integer",
      tips: ["request_policy:all_shards", "response_policy:agg_min"],
      run: (call) => wait(call, deps),
    },
    {
      name: "waitaof",
      arity: 4,
      flags: ["noscript"],
      categories: ["connection"],
      since: "7.2.0",
      group: "generic",
      summary: "Waits until the connection's writes are on disk here and at enough replicas.",
      complexity: "O(1)",
      args: "numlocal:integer numreplicas:integer timeout:integer",
      tips: ["request_policy:all_shards", "response_policy:agg_min"],
      run: (call) => waitaof(call, deps, () => deps.config.values.appendonly),
    },
  ];
}
