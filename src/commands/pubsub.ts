import { latin1Bytes } from "../bytes/ascii.ts";
import { globMatchAt } from "../bytes/glob.ts";
import type { Call } from "../call/call.ts";
import { allKeys, oneKey } from "../call/key-specs.ts";
import type { CommandSpec, Flag } from "../call/spec.ts";
import type { Space, Subscriptions } from "../push/subscriptions.ts";
import { CommandError, subcommandSyntax } from "../resp/errors.ts";
import { replyHelp } from "./help.ts";

/** In a cluster messages go to the other nodes: to all, or to those of the shard. */
interface ClusterPublisher {
  publish(channel: Uint8Array, message: Uint8Array): void;
  publishToShard(channel: Uint8Array, message: Uint8Array): void;
}

/** Publish and subscribe (https://redis.io/docs/latest/develop/interact/pubsub/). */
export interface PubsubDeps {
  readonly subscriptions: Subscriptions;
  readonly clustering: { readonly cluster: { readonly bus: ClusterPublisher } | null };
}

const HELP = [
  "CHANNELS [<pattern>]",
  "    Return the currently active channels matching a <pattern> (default: '*').",
  "NUMPAT",
  "    Return number of subscriptions to patterns.",
  "NUMSUB [<channel> ...]",
  "    Return the number of subscribers for the specified channels, excluding",
  "    pattern subscriptions(default: no channels).",
  "SHARDCHANNELS [<pattern>]",
  "    Return the currently active shard level channels matching a <pattern> (default: '*').",
  "SHARDNUMSUB [<shardchannel> ...]",
  "    Return the number of subscribers for the specified shard level channel(s)",
];

/** The words in which a space's subscriptions are confirmed. */
const WORDS = {
  channels: { on: latin1Bytes("subscribe"), off: latin1Bytes("unsubscribe") },
  patterns: { on: latin1Bytes("psubscribe"), off: latin1Bytes("punsubscribe") },
  shards: { on: latin1Bytes("ssubscribe"), off: latin1Bytes("sunsubscribe") },
};

/** One confirmation: the word, the name (null: there was none to leave), and how many of the kind are left. */
function confirm(call: Call, space: Space, word: Uint8Array, name: string | null): void {
  const { reply, session } = call;
  reply.push(3);
  reply.bulk(word);
  if (name === null) reply.nil();
  else reply.bulkText(name);
  reply.int(space === "shards" ? session.shardSubscriptions : session.channels + session.patterns);
}

function subscribe(call: Call, space: Space, { subscriptions }: PubsubDeps): void {
  if (space === "shards" && call.session.denyBlocking)
    throw new CommandError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  for (let i = 1; i < call.argc; i++) {
    const name = call.text(i);
    subscriptions.subscribe(call.session, space, name);
    confirm(call, space, WORDS[space].on, name);
  }
}

function unsubscribe(call: Call, space: Space, { subscriptions }: PubsubDeps): void {
  const { session } = call;
  const names =
    call.argc > 1
      ? Array.from({ length: call.argc - 1 }, (_, i) => call.text(i + 1))
      : subscriptions.names(session, space);
  for (const name of names) {
    subscriptions.unsubscribe(session, space, name);
    confirm(call, space, WORDS[space].off, name);
  }
  if (names.length === 0) confirm(call, space, WORDS[space].off, null);
}

/** Who listens at a replica is to hear of it too; it is no change that would have to be kept. */
function toReplicas(call: Call, sharded: boolean, { clustering }: PubsubDeps): void {
  const bus = clustering.cluster?.bus;
  if (bus !== undefined) {
    if (sharded) bus.publishToShard(call.bytes(1), call.bytes(2));
    else bus.publish(call.bytes(1), call.bytes(2));
    return;
  }
  if (!call.recording) return;
  call.forReplicasOnly = true;
  call.propagate(call.bytes(0), call.bytes(1), call.bytes(2));
}

function publish(call: Call, deps: PubsubDeps): void {
  const { subscriptions } = deps;
  toReplicas(call, false, deps);
  call.reply.int(subscriptions.publish(call.text(1), call.buf, call.start[2]!, call.end[2]!));
}

function spublish(call: Call, deps: PubsubDeps): void {
  const { subscriptions } = deps;
  toReplicas(call, true, deps);
  call.reply.int(subscriptions.publishToShard(call.text(1), call.buf, call.start[2]!, call.end[2]!));
}

function channels(call: Call, space: "channels" | "shards", { subscriptions }: PubsubDeps): void {
  if (call.argc > 3) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  let names = [...subscriptions.activeNames(space)];
  if (call.argc === 3) {
    names = names.filter((name) => {
      const bytes = latin1Bytes(name);
      return globMatchAt(call.buf, call.start[2]!, call.end[2]!, bytes, 0, bytes.length, false);
    });
  }
  call.reply.array(names.length);
  for (const name of names) call.reply.bulkText(name);
}

function numsub(call: Call, space: "channels" | "shards", { subscriptions }: PubsubDeps): void {
  call.reply.array((call.argc - 2) * 2);
  for (let i = 2; i < call.argc; i++) {
    call.reply.bulk(call.buf, call.start[i]!, call.end[i]!);
    call.reply.int(subscriptions.listenerCount(space, call.text(i)));
  }
}

export function pubsubCommands(deps: PubsubDeps): CommandSpec[] {
  const listening: Flag[] = ["pubsub", "noscript", "loading", "stale"];
  const publishing: Flag[] = ["pubsub", "loading", "stale", "fast", "may_replicate"];
  const asking: Flag[] = ["pubsub", "loading", "stale"];
  return [
    {
      name: "psubscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -2,
      flags: listening,
      categories: [],
      channels: { several: true, patterns: true },
      since: "2.0.0",
      group: "pubsub",
      summary: "Listens to the channels that match patterns.",
      complexity: "O(N), N patterns",
      args: "pattern...",
      run: (call) => subscribe(call, "patterns", deps),
    },
    {
      name: "publish",
      arity: 3,
      flags: publishing,
      categories: [],
      channels: { several: false, patterns: false },
      since: "2.0.0",
      group: "pubsub",
      summary: "Sends a message to a channel.",
      complexity: "O(N+M), N listeners of the channel, M patterns",
      args: "channel message",
      run: (call) => publish(call, deps),
    },
    {
      name: "pubsub",
      arity: -2,
      flags: [],
      categories: [],
      since: "2.8.0",
      group: "pubsub",
      summary: "Commands about publish and subscribe.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "channels",
          arity: -2,
          flags: asking,
          categories: [],
          since: "2.8.0",
          group: "pubsub",
          summary: "Channels that somebody listens to.",
          complexity: "O(N), N channels",
          args: "[pattern]",
          run: (call) => channels(call, "channels", deps),
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "6.2.0",
          group: "pubsub",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "pubsub", HELP),
        },
        {
          name: "numpat",
          arity: 2,
          flags: asking,
          categories: [],
          since: "2.8.0",
          group: "pubsub",
          summary: "How many patterns are listened to.",
          complexity: "O(1)",
          run: (call) => call.reply.int(deps.subscriptions.patternCount),
        },
        {
          name: "numsub",
          arity: -2,
          flags: asking,
          categories: [],
          since: "2.8.0",
          group: "pubsub",
          summary: "How many listen to each of the channels, patterns left aside.",
          complexity: "O(N), N channels",
          args: "[channel...]",
          run: (call) => numsub(call, "channels", deps),
        },
        {
          name: "shardchannels",
          arity: -2,
          flags: asking,
          categories: [],
          since: "7.0.0",
          group: "pubsub",
          summary: "Shard channels that somebody listens to.",
          complexity: "O(N), N shard channels",
          args: "[pattern]",
          run: (call) => channels(call, "shards", deps),
        },
        {
          name: "shardnumsub",
          arity: -2,
          flags: asking,
          categories: [],
          since: "7.0.0",
          group: "pubsub",
          summary: "How many listen to each of the shard channels.",
          complexity: "O(N), N shard channels",
          args: "[shardchannel...]",
          run: (call) => numsub(call, "shards", deps),
        },
      ],
    },
    {
      name: "punsubscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -1,
      flags: listening,
      categories: [],
      since: "2.0.0",
      group: "pubsub",
      summary: "Stops listening to patterns, or to all of them.",
      complexity: "O(N), N patterns",
      args: "[pattern...]",
      run: (call) => unsubscribe(call, "patterns", deps),
    },
    {
      name: "spublish",
      arity: 3,
      flags: publishing,
      categories: [],
      keys: [oneKey("not_key")],
      channels: { several: false, patterns: false },
      since: "7.0.0",
      group: "pubsub",
      summary: "Sends a message to a shard channel.",
      complexity: "O(N), N listeners of the shard channel",
      args: "shardchannel message",
      run: (call) => spublish(call, deps),
    },
    {
      name: "ssubscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -2,
      flags: listening,
      categories: [],
      keys: [allKeys("not_key")],
      channels: { several: true, patterns: false },
      since: "7.0.0",
      group: "pubsub",
      summary: "Listens to shard channels.",
      complexity: "O(N), N shard channels",
      args: "shardchannel...",
      run: (call) => subscribe(call, "shards", deps),
    },
    {
      name: "subscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -2,
      flags: listening,
      categories: [],
      channels: { several: true, patterns: false },
      since: "2.0.0",
      group: "pubsub",
      summary: "Listens to channels.",
      complexity: "O(N), N channels",
      args: "channel...",
      run: (call) => subscribe(call, "channels", deps),
    },
    {
      name: "sunsubscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -1,
      flags: listening,
      categories: [],
      keys: [allKeys("not_key")],
      since: "7.0.0",
      group: "pubsub",
      summary: "Stops listening to shard channels, or to all of them.",
      complexity: "O(N), N shard channels",
      args: "[shardchannel...]",
      run: (call) => unsubscribe(call, "shards", deps),
    },
    {
      name: "unsubscribe",
      whileSubscribed: true,
      answersByPush: true,
      arity: -1,
      flags: listening,
      categories: [],
      since: "2.0.0",
      group: "pubsub",
      summary: "Stops listening to channels, or to all of them.",
      complexity: "O(N), N channels",
      args: "[channel...]",
      run: (call) => unsubscribe(call, "channels", deps),
    },
  ];
}
