import { Acl } from "../acl/acl.ts";
import { Blocking } from "../blocking/blocking.ts";
import { type ExecuteDeps, Executor } from "../call/execute.ts";
import { HotKeys } from "../call/hot-keys.ts";
import { KeyWatchers } from "../call/key-watchers.ts";
import { Registry } from "../call/registry.ts";
import { SnapshotGuard } from "../call/snapshot-guard.ts";
import { Migrations } from "../cluster/migrations.ts";
import { allCommands } from "../commands/all.ts";
import type { Config } from "../config/config.ts";
import { DebugSettings } from "../config/debug-settings.ts";
import { Clock } from "../host/clock.ts";
import type { Log } from "../host/log.ts";
import { Random, randomHex } from "../host/random.ts";
import { afterReading } from "../host/receive-ring.ts";
import { sendRing } from "../host/send-ring.ts";
import { AccessClock } from "../keyspace/access.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { Notifications } from "../push/notifications.ts";
import { Outbox } from "../push/outbox.ts";
import { Subscriptions } from "../push/subscriptions.ts";
import { Tracking } from "../push/tracking.ts";
import { Effects } from "../replication/effects.ts";
import type { Replication } from "../replication/replication.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { Request } from "../resp/request.ts";
import { newCommandLogs } from "../stats/command-log.ts";
import { Counters } from "../stats/counters.ts";
import { LatencyMonitor } from "../stats/latency-monitor.ts";
import { Rates } from "../stats/rates.ts";
import { RecentPeaks } from "../stats/recent-peaks.ts";
import { Transactions } from "../transactions/transactions.ts";
import { AppendOnly } from "./append-only.ts";
import { applyConfig } from "./apply-config.ts";
import { checkClients } from "./client-cron.ts";
import { ClientEviction } from "./client-eviction.ts";
import { Clients } from "./clients.ts";
import { Clustering } from "./clustering.ts";
import { type Conditions, conditionsOf } from "./conditions.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { CostlyCommands } from "./costly-commands.ts";
import { Crash } from "./crash.ts";
import { Cron, type CronDeps } from "./cron.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Eviction } from "./eviction.ts";
import { handOver } from "./hand-over.ts";
import { HoldBack } from "./hold-back.ts";
import { Info } from "./info/info.ts";
import { clientTls, Listeners } from "./listeners.ts";
import { type Loading, Reloading } from "./loading.ts";
import { LocalExpiries } from "./local-expiries.ts";
import { Lookahead } from "./lookahead.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { ModificationClock } from "./modification-clock.ts";
import { MonitorFeed } from "./monitor.ts";
import { OomScore } from "./oom-score.ts";
import { OutputLimits } from "./output-limits.ts";
import { Pause } from "./pause.ts";
import { Persistence } from "./persistence.ts";
import { PiecePool } from "./piece-pool.ts";
import { removals } from "./removals.ts";
import { Replicating } from "./replicating.ts";
import { Scripting } from "./scripting.ts";
import { Shutdown } from "./shutdown.ts";
import { Sockets } from "./sockets.ts";
import { Turn } from "./turn.ts";

/**
 * The server: builds every room, connects them, and handles socket events. Nothing below this floor knows it;
 * what a room needs of another is handed in here.
 */
export class Server implements ConnectionHost {
  readonly clock = new Clock();
  readonly random = new Random();
  readonly counters = new Counters();
  readonly commandLogs = newCommandLogs();
  readonly latency = new LatencyMonitor();
  readonly rates = new Rates();
  readonly recentBuffers = new RecentPeaks();
  readonly clients = new Clients();
  readonly writer = new ReplyWriter();
  readonly sharedRequest = new Request();
  readonly pieces = new PiecePool();
  readonly readerLimits = { protoMaxBulkLen: 512 * 1024 * 1024 };
  readonly runId = randomHex(40);
  readonly startedAt = Date.now();
  readonly keyspace: Keyspace;
  readonly registry: Registry;
  /** The users. */
  readonly acl: Acl;
  readonly executeDeps: ExecuteDeps;
  readonly executor: Executor;
  readonly costlyCommands: CostlyCommands;
  readonly memory: MemoryWatch;
  readonly info = new Info(this);
  readonly oomScore: OomScore;
  readonly crash = new Crash(this);
  readonly debugSettings = new DebugSettings();
  readonly dispatcher: Dispatcher;
  readonly sockets = new Sockets(this);
  readonly listeners: Listeners;
  readonly cron: Cron;
  readonly cronDeps: CronDeps;
  readonly monitors = new MonitorFeed(this.clock);
  readonly hotKeys: HotKeys = new HotKeys(this.clock, new Random(), (feed) => {
    this.executeDeps.hotKeys = feed;
  });
  readonly access = new AccessClock(this.clock, this.random);
  readonly conditions: Conditions;
  readonly scripting: Scripting;
  readonly persistence = new Persistence(this);
  readonly appendOnly: AppendOnly;
  readonly replicating: Replicating;
  readonly clustering: Clustering;
  readonly replication: Replication;
  /** Who receives what changed the data set. */
  readonly effects: Effects;
  readonly reloading = new Reloading(this);
  /** What is being loaded, or null. */
  loading: Loading | null = null;
  readonly outputLimits: OutputLimits;
  readonly shutdown: Shutdown;
  readonly pause = new Pause(
    this.clock,
    () => this.sockets.resumeAll(),
    () => this.refreshExpiry(),
    (session) => this.transactions.queuedFlags(session),
  );
  readonly outbox = new Outbox();
  readonly blocking = new Blocking({
    keyspace: { select: (id) => this.keyspace.select(id) },
    commandOf: (session) => session.lastCommand!,
    execute: () => this.executor.execute,
    refusal: (call, command) => this.acl.refusal(call, command, "toplevel"),
    answer: (session, reply, wrote) => this.sockets.answer(session, reply, wrote),
    countError: (text) => this.counters.countError(text),
    answered: ({ lastCommand }, failed) => {
      if (lastCommand === null) return;
      lastCommand.calls++;
      if (failed) lastCommand.failed++;
    },
    eventBegins: () => this.executor.begin(),
    clock: this.clock,
    watchingChanged: () => this.keyWatchers.refresh(),
    retrying: (begins) => {
      this.monitors.muted = begins;
    },
    outbox: this.outbox,
  });
  readonly transactions = new Transactions({
    keyspace: { select: (id) => this.keyspace.select(id) },
    clock: this.clock,
    execute: () => this.executor.execute,
    effects: { begin: () => this.effects.begin(), end: () => this.effects.end() },
    refusal: (call, command) => this.acl.refusalAtExec(call, command),
    watchingChanged: () => this.keyWatchers.refresh(),
  });
  readonly migrations = new Migrations({
    blocking: this.blocking,
    clock: this.clock,
    tls: () => (this.config.values.tlsCluster ? clientTls(this.config.values) : undefined),
    compress: () => this.config.values.rdbcompression,
    // A pause is to be relied on: what MIGRATE has to delete waits for its end.
    frozen: () =>
      this.shutdown.saving ||
      this.shutdown.waitsUntil > 0 ||
      this.pause.mode !== "off" ||
      this.scripting.runs.busy,
    anyQueued: (session, test) => this.transactions.anyQueued(session, test),
    gateChanged: () => this.holdBack.refresh(),
    watchingChanged: () => this.keyWatchers.refresh(),
    handOver: (order) => handOver(order, this.config.values),
  });
  readonly holdBack = new HoldBack(this);
  readonly eviction = new Eviction(this);
  readonly clientEviction: ClientEviction;
  readonly localExpiries = new LocalExpiries((database) => this.keyspace.select(database.id) === database);
  readonly keyWatchers = new KeyWatchers();
  readonly subscriptions = new Subscriptions(this.outbox);
  readonly notifications = new Notifications(this.subscriptions);
  readonly tracking: Tracking = new Tracking({
    outbox: this.outbox,
    client: (id) => this.clients.get(id)?.session,
    limit: () => this.config.values.trackingTableMaxKeys,
    random: (bound) => this.random.below(bound),
    activeChanged: (active) => this.notifications.tell(active ? this.tracking : null),
    broadcastLater: () => this.turn.schedule(),
  });
  readonly snapshots = new SnapshotGuard(() => this.keyspace.all());
  readonly turn = new Turn(
    this.writer,
    () => this.appendOnly.aof.writer,
    () => this.tracking.broadcast(),
    () => this.clientEviction.enforce(),
    () => (this.config.values.ioUring ? sendRing() : null),
    afterReading,
  );
  /** What is to be closed with the server, and belongs to floors above. */
  readonly closers: (() => void)[] = [];

  /** `exit`: what is to happen at the server's end, by default that of the process. */
  constructor(
    readonly config: Config,
    readonly log: Log,
    readonly exit: (code: number) => void = (code) => process.exit(code),
  ) {
    const { values } = config;
    this.conditions = conditionsOf(this);
    this.scripting = new Scripting(this);
    this.oomScore = new OomScore(log, () => this.replication.isReplica);
    this.appendOnly = new AppendOnly(this);
    this.replicating = new Replicating(this);
    this.clustering = new Clustering(this);
    this.replication = this.replicating.replication;
    this.effects = new Effects(this.appendOnly.aof.writer, this.replication.stream);
    this.keyspace = new Keyspace(
      {
        clock: this.clock,
        access: this.access,
        random: this.random.int32,
        seed0: this.random.int32(),
        seed1: this.random.int32(),
        stats: this.counters,
        hint: { buf: new Uint8Array(0), start: -1, hash: 0, foundIn: 0 },
        listener: removals(this),
        events: this.notifications,
        keepExpired: false,
        localWrites: false,
        ignoreExpiry: false,
        slots: values.clusterEnabled,
      },
      values.databases,
    );
    this.keyWatchers.add(this.blocking);
    this.keyWatchers.add(this.transactions);
    this.keyWatchers.add(this.migrations);
    this.keyWatchers.add(new ModificationClock(this));
    this.registry = new Registry(allCommands(this));
    this.acl = new Acl({
      catalog: this.registry,
      settings: values,
      clock: this.clock,
      counters: this.counters,
      log,
      clients: this.clients,
      subscriptions: this.subscriptions,
    });
    this.acl.setDefaultPassword(values.requirepass);
    this.memory = new MemoryWatch(this);
    this.costlyCommands = new CostlyCommands(this.commandLogs, this.latency, values);
    this.executeDeps = {
      monitors: this.monitors,
      reads: this.tracking,
      hotKeys: null,
      clock: this.clock,
      counters: this.counters,
      effects: this.effects,
      keyWatchers: this.keyWatchers,
      snapshots: this.snapshots,
      localWrites: null,
      onBug: (error, call, command) => {
        this.counters.unexpectedErrors++;
        const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.log.warning(`Exception in command '${command.fullName}' (${call.argc} arguments): ${trace}`);
      },
      onSlow: (call, command, microseconds) => this.costlyCommands.tookLong(call, command, microseconds),
      slowThreshold: Number.POSITIVE_INFINITY,
      onLarge: (call, command, request, reply) => this.costlyCommands.wasLarge(call, command, request, reply),
      largeRequest: Number.POSITIVE_INFINITY,
      largeReply: Number.POSITIVE_INFINITY,
      timeEach: false,
      trackLatency: true,
    };
    this.executor = new Executor(this.executeDeps);
    this.clientEviction = new ClientEviction(this);
    this.outputLimits = new OutputLimits(values, this.clock, this.counters, this.log);
    this.dispatcher = new Dispatcher({
      registry: this.registry,
      keyspace: this.keyspace,
      executor: this.executor,
      counters: this.counters,
      writer: this.writer,
      pause: this.pause,
      turn: this.turn,
      lookahead: new Lookahead(this.keyspace.context.hint),
      blocking: this.blocking,
      transactions: this.transactions,
      outbox: this.outbox,
      tracking: this.tracking,
      outputLimits: this.outputLimits,
      router: this.clustering.router,
      protectedCommands: () => ({ debug: values.enableDebugCommand, module: values.enableModuleCommand }),
      denied: (call, command) =>
        this.acl.refusal(call, command, call.session.inTransaction ? "multi" : "toplevel"),
      queuedFlags: (session) => this.transactions.queuedFlags(session),
      queuedLacking: (session) => this.transactions.queuedLacking(session),
      ...this.conditions,
      replicaReplied: (connection) => {
        const command = connection.session.lastCommand?.fullName ?? "NULL";
        this.log.warning(
          `Replica generated a reply to command '${command}', disconnecting it: ${connection.address}`,
        );
        connection.close("now");
      },
      protocolError: (connection, what) => {
        this.log.verbose(
          `Protocol error (${what}) from client: addr=${connection.address}. Query buffer dropped`,
        );
      },
      httpAttack: (connection) => {
        this.log.warning(
          "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. " +
            "This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis " +
            `instance. Connection from ${connection.address} aborted.`,
        );
      },
      suspended: (connection) => this.sockets.suspend(connection),
    });
    this.shutdown = new Shutdown({
      config,
      log,
      persistence: this.persistence,
      aof: this.appendOnly.aof,
      blocking: this.blocking,
      primary: this.replication.primary,
      history: this.replication.history,
      loading: () => this.loading !== null,
      holdWrites: (held) => {
        // Nor do keys expire: a replica would have to hear of it.
        this.keyspace.context.keepExpired = held || this.pause.mode !== "off";
        this.holdBack.refresh();
      },
      freeze: (frozen) => this.holdBack.freeze(frozen),
      closeAll: () => this.closeAll(),
      exit: () => this.exit(0),
    });
    this.listeners = new Listeners((kind) => this.sockets.handlers(kind));
    this.cronDeps = {
      clock: this.clock,
      keyspace: this.keyspace,
      counters: this.counters,
      latency: this.latency,
      hz: () => values.hz,
      tasks: [
        () => this.shutdown.tick(),
        () => this.persistence.tick(),
        () => this.appendOnly.aof.tick(),
        () => this.pause.check(this.clock.now),
        () => this.replication.tick(),
        () => this.clustering.cluster?.tick(),
        () => this.eviction.tick(),
        () => this.tracking.enforceLimit(),
        () => {
          if (this.cronDeps.activeExpire) this.localExpiries.tick();
        },
        () => this.migrations.targets.tick(this.clock.now),
        (tick) => this.keyspace.tidyStreams(tick),
        () => this.rates.sample(this.counters, this.clock.monotonic() / 1000),
        (tick) => checkClients(this, tick),
        () => this.clientEviction.tick(),
      ],
      activeExpire: true,
      paused: false,
    };
    this.cron = new Cron(this.cronDeps);
    applyConfig(this);
  }

  // ------------------------------------------------------------------ what commands ask for

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.counters.reset();
    this.rates.reset();
    this.keyspace.freedKeys = 0;
    for (const command of this.registry.all()) command.resetStats();
  }

  /** REPLICAOF. */
  replicaOf(master: { host: string; port: number } | null, by: string): string {
    return this.replicating.replicaOf(master, by);
  }

  /** Who removes keys that fall due: a replica waits for its master to do it, and nobody does during a pause. */
  refreshExpiry(): void {
    const { context } = this.keyspace;
    context.keepExpired =
      this.replication.isReplica || this.pause.mode !== "off" || this.clustering.writesRest;
    this.executeDeps.localWrites = this.replication.isReplica ? context : null;
    if (!this.replication.isReplica) this.localExpiries.clear();
  }

  /** Lets go of everything that is open or under way; what is to be saved has been. */
  private closeAll(): void {
    this.turn.sendHeld();
    this.cron.end();
    for (const close of this.closers) close();
    this.scripting.runs.abandon();
    this.listeners.stop();
    this.clustering.stop();
    this.replication.close();
    this.migrations.targets.closeAll();
    for (const connection of [...this.clients.connections()]) connection.close("now");
    this.pause.stop();
  }

  // ------------------------------------------------------------------ ConnectionHost

  sendHeld(): void {
    this.turn.sendHeld();
  }

  flushLater(connection: Connection): void {
    this.turn.later(connection);
  }

  checkOutput(connection: Connection): void {
    this.outputLimits.check(connection);
    if (!this.clientEviction.active) return;
    this.clientEviction.note(connection);
    this.clientEviction.enforce();
  }

  removed(connection: Connection): void {
    this.blocking.forget(connection.session);
    this.replication.forget(connection.session);
    this.transactions.forget(connection.session);
    this.clients.remove(connection);
    this.clientEviction.forget(connection);
    this.monitors.remove(connection.session);
    this.subscriptions.forget(connection.session);
    this.tracking.disable(connection.session);
    this.sockets.forget(connection);
    this.turn.forget(connection);
  }

  /** A script pauses in the midst of its work: nothing else changes anything. */
  scriptBusy(busy: boolean): void {
    if (busy) this.cron.stop();
    else if (!this.shutdown.saving) this.cron.start();
    this.blocking.paused = busy;
    if (busy) return;
    if (this.blocking.hasReady) this.blocking.serve();
    this.replication.releaseStream();
  }
}
