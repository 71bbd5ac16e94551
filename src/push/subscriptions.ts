import { latin1Bytes } from "../bytes/ascii.ts";
import { globMatchAt } from "../bytes/glob.ts";
import type { Session } from "../call/session.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Outbox } from "./outbox.ts";

/**
 * Who listens to what. Channels, patterns and shard channels are three spaces of names, each a map from the name
 * (one character a byte) to its listeners, in the order in which they came; and each session has the sets of its
 * own names, so that leaving costs what it listens to and not what there is.
 *
 *   PUBLISH  ->  listeners of the channel, then those of each pattern that matches
 *   SPUBLISH ->  listeners of the shard channel
 *
 * A message is put into protocol form once for each protocol version that somebody listens with, however many do.
 */
export type Space = "channels" | "patterns" | "shards";

/** What a subscription takes in the sets that know it, apart from the name. */
const SUBSCRIPTION_BYTES = 160;

interface Listening {
  channels: Set<string>;
  patterns: Set<string>;
  shards: Set<string>;
}

interface Pattern {
  readonly bytes: Uint8Array;
  readonly listeners: Set<Session>;
}

export class Subscriptions {
  private readonly channels = new Map<string, Set<Session>>();
  private readonly shards = new Map<string, Set<Session>>();
  private readonly patterns = new Map<string, Pattern>();
  private readonly sessions = new Map<Session, Listening>();
  private readonly writer = new ReplyWriter(512);

  constructor(private readonly outbox: Outbox) {}

  // ------------------------------------------------------------------ subscribing

  subscribe(session: Session, space: Space, name: string): void {
    let own = this.sessions.get(session);
    if (own === undefined) {
      own = { channels: new Set(), patterns: new Set(), shards: new Set() };
      this.sessions.set(session, own);
    }
    if (own[space].has(name)) return;
    own[space].add(name);
    session.subscriptionBytes += SUBSCRIPTION_BYTES + name.length;
    this.listenersOf(space, name).add(session);
    this.count(session, own);
  }

  unsubscribe(session: Session, space: Space, name: string): void {
    const own = this.sessions.get(session);
    if (own === undefined || !own[space].delete(name)) return;
    session.subscriptionBytes -= SUBSCRIPTION_BYTES + name.length;
    this.drop(session, space, name);
    this.count(session, own);
    if (own.channels.size + own.patterns.size + own.shards.size === 0) this.sessions.delete(session);
  }

  /** What the session listens to in this space. */
  names(session: Session, space: Space): string[] {
    return [...(this.sessions.get(session)?.[space] ?? [])];
  }

  /** The client is gone, or begins anew (RESET). */
  forget(session: Session): void {
    const own = this.sessions.get(session);
    if (own === undefined) return;
    for (const space of ["channels", "patterns", "shards"] as const)
      for (const name of own[space]) this.drop(session, space, name);
    this.sessions.delete(session);
    session.subscriptionBytes = 0;
    session.subscribe(0, 0, 0);
  }

  /** Shard channels for which this is true are served elsewhere now: their listeners are told, and are none any more. */
  dropShards(gone: (channel: string) => boolean): void {
    for (const [name, listeners] of [...this.shards]) {
      if (!gone(name)) continue;
      for (const session of [...listeners]) {
        this.unsubscribe(session, "shards", name);
        this.outbox.push(session, this.encodeLeft(session, name));
      }
    }
  }

  private encodeLeft(session: Session, channel: string): Uint8Array {
    const { writer } = this;
    writer.clear();
    writer.resp = session.resp;
    writer.push(3);
    writer.bulk(SUNSUBSCRIBE);
    writer.bulkText(channel);
    writer.int(session.shardSubscriptions);
    return writer.buf.slice(0, writer.pos);
  }

  private count(session: Session, { channels, patterns, shards }: Listening): void {
    session.subscribe(channels.size, patterns.size, shards.size);
  }

  private listenersOf(space: Space, name: string): Set<Session> {
    if (space === "patterns") {
      let pattern = this.patterns.get(name);
      if (pattern === undefined)
        this.patterns.set(name, (pattern = { bytes: latin1Bytes(name), listeners: new Set() }));
      return pattern.listeners;
    }
    let listeners = this[space].get(name);
    if (listeners === undefined) this[space].set(name, (listeners = new Set()));
    return listeners;
  }

  private drop(session: Session, space: Space, name: string): void {
    const listeners = this.listenersOf(space, name);
    listeners.delete(session);
    if (listeners.size === 0) this[space].delete(name);
  }

  // ------------------------------------------------------------------ figures

  get channelCount(): number {
    return this.channels.size;
  }

  get patternCount(): number {
    return this.patterns.size;
  }

  get shardCount(): number {
    return this.shards.size;
  }

  /** Sessions that listen to this channel by name. */
  listenerCount(space: "channels" | "shards", name: string): number {
    return this[space].get(name)?.size ?? 0;
  }

  activeNames(space: "channels" | "shards"): Iterable<string> {
    return this[space].keys();
  }

  // ------------------------------------------------------------------ publishing

  /** Whether anybody listens to channels or patterns. */
  get audience(): boolean {
    return this.channels.size > 0 || this.patterns.size > 0;
  }

  /** Delivers `payload[start, end)` to listeners of the channel and of patterns; returns how many got it. */
  publish(channel: string, payload: Uint8Array, start: number, end: number): number {
    let receivers = 0;
    const listeners = this.channels.get(channel);
    if (listeners !== undefined)
      receivers += this.deliver(listeners, MESSAGE, null, channel, payload, start, end);
    if (this.patterns.size > 0) {
      const name = latin1Bytes(channel);
      for (const [text, { bytes, listeners }] of this.patterns)
        if (globMatchAt(bytes, 0, bytes.length, name, 0, name.length, false))
          receivers += this.deliver(listeners, PMESSAGE, text, channel, payload, start, end);
    }
    return receivers;
  }

  /** As `publish`, to a shard channel. */
  publishToShard(channel: string, payload: Uint8Array, start: number, end: number): number {
    const listeners = this.shards.get(channel);
    return listeners === undefined
      ? 0
      : this.deliver(listeners, SMESSAGE, null, channel, payload, start, end);
  }

  private deliver(
    listeners: Set<Session>,
    kind: Uint8Array,
    pattern: string | null,
    channel: string,
    payload: Uint8Array,
    start: number,
    end: number,
  ): number {
    const forms: [Uint8Array | null, Uint8Array | null] = [null, null];
    let receivers = 0;
    for (const session of listeners) {
      const form = session.resp === 3 ? 1 : 0;
      const bytes = (forms[form] ??= this.encode(session.resp, kind, pattern, channel, payload, start, end));
      this.outbox.push(session, bytes);
      receivers++;
    }
    return receivers;
  }

  private encode(
    resp: 2 | 3,
    kind: Uint8Array,
    pattern: string | null,
    channel: string,
    payload: Uint8Array,
    start: number,
    end: number,
  ): Uint8Array {
    const { writer } = this;
    writer.clear();
    writer.resp = resp;
    writer.push(pattern === null ? 3 : 4);
    writer.bulk(kind);
    if (pattern !== null) writer.bulkText(pattern);
    writer.bulkText(channel);
    writer.bulk(payload, start, end);
    return writer.buf.slice(0, writer.pos);
  }
}

const MESSAGE = latin1Bytes("message");
const PMESSAGE = latin1Bytes("pmessage");
const SMESSAGE = latin1Bytes("smessage");
const SUNSUBSCRIBE = latin1Bytes("sunsubscribe");
