import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import { NOTIFY, NOTIFY_ALL } from "../config/special.ts";
import { HARMLESS, type KeyEvents, UNTOLD } from "../keyspace/key-events.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Who is told of changed keys. */
export interface KeyChanges {
  changed(buf: Uint8Array, start: number, end: number): void;
}

/** Classes of events that are changes. */
const CHANGES = UNTOLD | NOTIFY_ALL | NOTIFY.new;

/**
 * Keyspace notifications: what happens to keys, published on channels
 * (https://redis.io/docs/latest/develop/use/keyspace-notifications/).
 *
 *   __keyspace@<database>__:<key>     message: the event      (K)
 *   __keyevent@<database>__:<event>   message: the key        (E)
 *
 * notify-keyspace-events says on which of the two, and for which classes of events; without one of the two there
 * is no one to tell, and for the key space no class is wanted.
 */
export class Notifications implements KeyEvents {
  classes = 0;
  private byKey = false;
  private byEvent = false;
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
    this.published = this.byKey || this.byEvent ? bits & ~(NOTIFY.keyspace | NOTIFY.keyevent) : 0;
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

  private message(name: string): Uint8Array {
    let message = this.messages.get(name);
    if (message === undefined) this.messages.set(name, (message = latin1Bytes(name)));
    return message;
  }
}
