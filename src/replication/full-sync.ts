import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { latin1Bytes } from "../bytes/ascii.ts";
import { randomHex } from "../host/random.ts";
import type { Replica } from "./replica.ts";

/**
 * Sending the whole data set to one or more replicas.
 *
 *   socket   $EOF:<40 characters>\r\n  RDB as it is made  <the same 40 characters>
 *   disk     $<length>\r\n             a file that was saved first
 *
 * Without a length a replica cannot tell the snapshot's end from what follows before it has seen the 40 characters, so
 * the stream waits for its acknowledgement. A snapshot on its way to sockets goes on as fast as the slowest replica
 * takes it.
 */

/** Receives a snapshot; `ready` false: not now. */
export interface SnapshotSink {
  ready(): boolean;
  write(buf: Uint8Array, start: number, end: number): void;
  done(): void;
  failed(error: unknown): void;
}

/** Unsent bytes of a replica above which no more are made for it. */
const HIGH_WATER = 1024 * 1024;
const PIECE = 64 * 1024;
const PUMP_MS = 1;

/** Writes a snapshot to the sockets of its replicas. */
export class SocketTransfer implements SnapshotSink {
  private readonly mark = latin1Bytes(randomHex(40));
  private begun = false;

  /** `ended`: null where the snapshot has been made and sent. */
  constructor(
    private readonly replicas: Set<Replica>,
    private readonly ended: (failure: unknown) => void,
  ) {}

  ready(): boolean {
    for (const { session } of this.replicas) if (session.link.outputBytes > HIGH_WATER) return false;
    return true;
  }

  write(buf: Uint8Array, start: number, end: number): void {
    if (!this.begun) {
      this.begun = true;
      const header = latin1Bytes(`$EOF:${String.fromCharCode(...this.mark)}\r\n`);
      for (const { session } of this.replicas) session.link.stream(header, 0, header.length);
    }
    for (const { session } of this.replicas) session.link.stream(buf, start, end);
  }

  done(): void {
    for (const { session } of this.replicas) session.link.stream(this.mark, 0, this.mark.length);
    this.ended(null);
  }

  failed(error: unknown): void {
    this.ended(error);
  }
}

/** Sends a file to one replica, as fast as it takes it. */
export class FileTransfer {
  private readonly fd: number;
  private readonly buffer = new Uint8Array(PIECE);
  private left: number;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** Throws the system's error where the file cannot be opened. `ended`: null where all was sent. */
  constructor(
    path: string,
    private readonly replica: Replica,
    private readonly ended: (failure: unknown) => void,
  ) {
    this.fd = openSync(path, "r");
    this.left = fstatSync(this.fd).size;
    const header = latin1Bytes(`$${this.left}\r\n`);
    replica.session.link.stream(header, 0, header.length);
    this.timer = setTimeout(this.pump, 0);
  }

  /** The replica is gone. */
  abort(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    closeSync(this.fd);
  }

  private readonly pump = (): void => {
    const { link } = this.replica.session;
    try {
      while (this.left > 0 && link.outputBytes < HIGH_WATER) {
        const count = readSync(this.fd, this.buffer, 0, Math.min(PIECE, this.left), null);
        if (count === 0) throw new Error("premature EOF");
        this.left -= count;
        link.stream(this.buffer, 0, count);
        if (this.timer === null) return;
      }
    } catch (error) {
      this.abort();
      return this.ended(error);
    }
    if (this.left > 0) {
      this.timer = setTimeout(this.pump, PUMP_MS);
      return;
    }
    this.abort();
    this.ended(null);
  };
}
