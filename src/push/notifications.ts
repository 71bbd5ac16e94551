import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import { NOTIFY, NOTIFY_ALL } from "../config/special.ts";
import { HARMLESS, type KeyEvents, UNTOLD } from "../keyspace/key-events.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Who is told of changed keys. */
export interface KeyChanges {
  changed(buf: Uint8Array, start: number, end: number): void;
}

/** The channels that tell of fields of hashes. */
const BY_FIELD = NOTIFY.subkeyspace | NOTIFY.subkeyevent | NOTIFY.subkeyspaceItem | NOTIFY.subkeyspaceEvent;
/** Classes of events that are changes. */
const CHANGES = UNTOLD | NOTIFY_ALL | NOTIFY.new;

/**
 * Keyspace notifications: what happens to keys, published on channels
 * (https://redis.io/docs/latest/develop/use/keyspace-notifications/).
 *
 *   __keyspace@<database>__:<key>     message: the event      (K)
 *   __keyevent@<database>__:<event>   message: the key        (E)
 *
 * Of fields of hashes, Redis 8.8 also tells (each field as length:field, joined by commas):
 *
 *   __subkeyspace@<database>__:<key>                message: event|fields                     (S)
 *   __subkeyevent@<database>__:<event>              message: length:key|fields                (T)
 *   __subkeyspaceitem@<database>__:<key>\n<field>   message: the event, for each field        (I)
 *   __subkeyspaceevent@<database>__:<event>|<key>   message: fields                           (V)
 *
 * notify-keyspace-events says on which of these, and for which classes of events; without one of them there
 * is no one to tell, and for the key space no class is wanted.
 */
export class Notifications implements KeyEvents {
  classes = 0;
  private byKey = false;
  private byEvent = false;
  /** Bits of S, T, I and V. */
  private byField = 0;
  /** Classes that are published. */
  private published = 0;
  private changes: KeyChanges | null = null;
  /** Names of events as messages: there are some dozens. */
  private readonly messages = new Map<string, Uint8Array>();

  constructor(private readonly subscriptions: Pick<Subscriptions, "audience" | "publish">) {}

  /** notify-keyspace-events has been set to these bits. */
  apply(bits: number): void {
    this.byKey = (bits & NOTIFY.keyspace) !== 0;
    this.byEvent = (bits & NOTIFY.keyevent) !== 0;
    this.byField = bits & BY_FIELD;
    this.published =
      this.byKey || this.byEvent || this.byField !== 0
        ? bits & ~(NOTIFY.keyspace | NOTIFY.keyevent | BY_FIELD)
        : 0;
    this.refresh();
  }

  /** Tells of all changes of keys, published or not; null: of none any more. */
  tell(changes: KeyChanges | null): void {
    this.changes = changes;
    this.refresh();
  }

  private refresh(): void {
    this.classes = this.published | (this.changes === null ? 0 : CHANGES);
  }

  emit(kind: number, name: string, database: number, buf: Uint8Array, start: number, end: number): void {
    if (this.changes !== null && (kind & CHANGES) !== 0 && (kind & HARMLESS) === 0)
      this.changes.changed(buf, start, end);
    if ((this.published & kind) !== 0) this.publish(name, database, buf, start, end);
  }

  private publish(name: string, database: number, buf: Uint8Array, start: number, end: number): void {
    const { subscriptions } = this;
    if (!subscriptions.audience) return;
    if (this.byKey) {
      const message = this.message(name);
      const channel = `__keyspace@${database}__:${latin1Text(buf, start, end)}`;
      subscriptions.publish(channel, message, 0, message.length);
    }
    if (this.byEvent) subscriptions.publish(`__keyevent@${database}__:${name}`, buf, start, end);
  }

  get wantsFields(): boolean {
    return this.byField !== 0 && (this.published & NOTIFY.hash) !== 0 && this.subscriptions.audience;
  }

  emitFields(
    kind: number,
    name: string,
    database: number,
    buf: Uint8Array,
    start: number,
    end: number,
    fields: readonly Uint8Array[],
  ): void {
    if ((this.published & kind) === 0) return;
    const { byField } = this;
    const key = latin1Text(buf, start, end);
    const names = fields.map((field) => latin1Text(field));
    const joined = names.map((field) => `${field.length}:${field}`).join();
    const at = `@${database}__:`;
    if ((byField & NOTIFY.subkeyspace) !== 0) this.send(`__subkeyspace${at}${key}`, `${name}|${joined}`);
    if ((byField & NOTIFY.subkeyevent) !== 0)
      this.send(`__subkeyevent${at}${name}`, `${key.length}:${key}|${joined}`);
    // A line end in the key would make the channel's name mean two things.
    if ((byField & NOTIFY.subkeyspaceItem) !== 0 && !key.includes("\n"))
      for (const field of names) this.send(`__subkeyspaceitem${at}${key}\n${field}`, name);
    if ((byField & NOTIFY.subkeyspaceEvent) !== 0) this.send(`__subkeyspaceevent${at}${name}|${key}`, joined);
  }

  private send(channel: string, message: string): void {
    const bytes = latin1Bytes(message);
    this.subscriptions.publish(channel, bytes, 0, bytes.length);
  }

  private message(name: string): Uint8Array {
    let message = this.messages.get(name);
    if (message === undefined) this.messages.set(name, (message = latin1Bytes(name)));
    return message;
  }
}
