import type { Session } from "../call/session.ts";
import type { Connection } from "./connection.ts";

/** The connected clients, by ID. */
export class Clients {
  private readonly byId = new Map<number, Connection>();
  private readonly masters = new Set<Session>();
  private lastId = 0;

  nextId(): number {
    return ++this.lastId;
  }

  add(connection: Connection): void {
    this.byId.set(connection.session.id, connection);
  }

  remove(connection: Connection): void {
    this.byId.delete(connection.session.id);
  }

  /** The master of a replica is a client as well, though it did not connect to us. */
  addMaster(session: Session): void {
    this.masters.add(session);
  }

  removeMaster(session: Session): void {
    this.masters.delete(session);
  }

  get(id: number): Connection | undefined {
    return this.byId.get(id);
  }

  get count(): number {
    return this.byId.size;
  }

  connections(): Iterable<Connection> {
    return this.byId.values();
  }

  *sessions(): Iterable<Session> {
    for (const connection of this.byId.values()) yield connection.session;
    yield* this.masters;
  }
}
