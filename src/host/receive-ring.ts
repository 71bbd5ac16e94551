import { ptr } from "bun:ffi";
import { drainMicrotasks } from "bun:jsc";
import { LONG, libc, MSG_DONTWAIT, MSG_NOSIGNAL } from "./libc.ts";
import { COOP_TASKRUN, CQE, OP_RECV, OP_SEND, type ProvidedBuffers, SQE, Uring } from "./uring.ts";

/**
 * Receives from many sockets without a system call for each (io_uring, Linux 6.0 and later): the kernel is told once
 * of a socket, and from then on puts what comes into buffers of a ring and says so.
 *
 * It says so to a ring of which Bun's event loop knows nothing. So there is a bell: a pair of sockets, one end of which
 * the loop listens at, and a standing order to the kernel to send a byte to it as soon as there is a completion:
 *
 *   [poll the ring's own descriptor] -> [send a byte to the bell] ... the loop wakes ... `ring`: everything there is,
 *                                                                    and the order is given anew
 *
 * Ringing costs about as much as receiving from two sockets by themselves: this is for when many have something to say.
 */
export interface Receiver {
  /** The bytes are the receiver's until it returns. */
  received(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  failed(): void;
  /** After `whenWritable`. */
  writable(): void;
}

/** A socket that is received from. */
interface Watched {
  readonly fd: number;
  /** Null: what still comes is not for anybody. */
  receiver: Receiver | null;
  /** Requests that the kernel has of it: its number is free when there are none. */
  requests: number;
}

const SUBMISSIONS = 256;
const COMPLETIONS = 4096;
/** Only what is written of a buffer takes memory. */
const BUFFERS = 512;
const BUFFER_BYTES = 16 * 1024;

const OP_POLL_ADD = 6;
const OP_ASYNC_CANCEL = 14;
const LINK = 1 << 10;
const BUFFER_SELECT = 1 << 13;
const SKIP_SUCCESS = 1 << 14;
const MULTISHOT = 2 << 16;
const CANCEL_ALL_OF_FD = 3;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;
const HAS_BUFFER = 1;
const HAS_MORE = 2;
const BUFFER_SHIFT = 16;
const ENOBUFS = -105;

/** What a completion is of, in the low bits of its number; above them, of which socket. */
const RECEIVE = 0;
const WRITABLE = 1;
const OTHER = 2;
const KIND_BITS = 2;

const AF_UNIX = 1;
const STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
const SYMBOLS = {
  socketpair: { args: ["int", "int", "int", "ptr"], returns: "int" },
  send: { args: ["int", "ptr", LONG, "int"], returns: LONG },
  close: { args: ["int"], returns: "int" },
} as const;

const BYTE = new Uint8Array(8);

export class ReceiveRing {
  /** Sockets that had something to say when the bell rang last. */
  lastBatch = 0;
  private readonly watched: (Watched | null)[] = [];
  private readonly free: number[] = [];
  private running = false;
  /** The bell will ring. */
  private armed = false;
  private readonly callbacks: (() => void)[] = [];
  /** The end that the loop listens at: kept as long as the ring. */
  private bell: { unref(): void } | null = null;

  private constructor(
    private readonly uring: Uring,
    private readonly buffers: ProvidedBuffers,
    /** The end of the bell that is rung. */
    private readonly clapper: number,
  ) {}

  /** Null where the system cannot. */
  static async open(): Promise<ReceiveRing | null> {
    const library = libc(SYMBOLS);
    const uring = Uring.open(SUBMISSIONS, COMPLETIONS, COOP_TASKRUN);
    if (library === null || uring === null) return null;
    const pair = new Int32Array(2);
    const buffers = uring.provide(BUFFERS, BUFFER_BYTES);
    if (buffers !== null && library.socketpair(AF_UNIX, STREAM_NONBLOCK_CLOEXEC, 0, ptr(pair)) === 0) {
      const [bell, clapper] = pair as unknown as [number, number];
      const ring = new ReceiveRing(uring, buffers, clapper);
      if (ring.works(bell, () => library.send(clapper, ptr(BYTE), 1, MSG_DONTWAIT))) {
        const handlers = { data: () => ring.ring() };
        // Bun takes descriptors, its types do not say so of this function.
        ring.bell = await Bun.connect({ fd: bell, socket: handlers } as unknown as Bun.UnixSocketOptions);
        ring.bell.unref();
        return ring;
      }
      library.close(bell);
      library.close(clapper);
    }
    uring.close();
    return null;
  }

  /** Whether what is sent to a socket after it is watched does arrive: older kernels know less. */
  private works(fd: number, send: () => void): boolean {
    // No bell yet.
    this.running = true;
    let bytes = 0;
    const receiver = { received: (chunk: Uint8Array) => void (bytes += chunk.length) };
    const number = this.watch(fd, { ...receiver, ended() {}, failed() {}, writable() {} });
    this.uring.submit();
    send();
    this.uring.poll();
    this.take();
    const works = bytes === 1 && this.watched[number]!.requests === 1;
    this.unwatch(number);
    this.uring.poll();
    this.take();
    this.running = false;
    return works && this.watched[number] === null;
  }

  /** From the end of this batch on, or at once outside of one, what the socket receives goes to the receiver; gives its number. */
  watch(fd: number, receiver: Receiver): number {
    const number = this.free.pop() ?? this.watched.length;
    this.watched[number] = { fd, receiver, requests: 0 };
    this.receive(number);
    this.submitSoon();
    return number;
  }

  /** Tells the receiver, once, when the socket takes bytes again. */
  whenWritable(number: number): void {
    this.order(OP_POLL_ADD, number, WRITABLE, POLLOUT);
    this.submitSoon();
  }

  /** The receiver hears no more, and the kernel has let go of the descriptor when this returns. */
  unwatch(number: number): void {
    const watched = this.watched[number]!;
    watched.receiver = null;
    this.release(number, watched);
    if (watched.requests === 0) return;
    this.order(OP_ASYNC_CANCEL, number, OTHER, CANCEL_ALL_OF_FD);
    this.uring.submit();
    if (this.uring.pending === 0) return;
    // It had to get rid of completions first.
    this.uring.poll();
    this.uring.submit();
  }

  /** Calls back at the end of this batch, or, outside of one, at the end of the loop's turn. */
  afterwards(callback: () => void): void {
    if (this.running) this.callbacks.push(callback);
    else setImmediate(callback);
  }

  private ring(): void {
    this.armed = false;
    this.running = true;
    try {
      this.lastBatch = this.take();
      // As between Bun's events: who has put something off expects it to be done before what is done afterwards.
      drainMicrotasks();
    } finally {
      this.running = false;
      try {
        for (const callback of this.callbacks.splice(0)) callback();
      } finally {
        this.arm();
      }
    }
  }

  /** Deals with what has been completed so far; returns how often something was received. */
  private take(): number {
    const { uring } = this;
    let receipts = 0;
    for (let left = uring.completed; left > 0; left--) {
      const at = uring.take();
      const number = uring.rings[at + CQE.number]!;
      const result = uring.rings[at + CQE.result]! | 0;
      const flags = uring.rings[at + CQE.flags]!;
      const watched = this.watched[number >>> KIND_BITS];
      if (watched === undefined || watched === null) continue;
      if ((flags & HAS_MORE) === 0) watched.requests--;
      switch (number & ((1 << KIND_BITS) - 1)) {
        case RECEIVE:
          receipts++;
          this.received(watched, number >>> KIND_BITS, result, flags);
          break;
        case WRITABLE:
          if (result < 0 || (result & (POLLERR | POLLHUP)) !== 0) watched.receiver?.failed();
          else watched.receiver?.writable();
          break;
      }
      if (watched.receiver === null) this.release(number >>> KIND_BITS, watched);
    }
    return receipts;
  }

  private received(watched: Watched, number: number, result: number, flags: number): void {
    const { receiver } = watched;
    if ((flags & HAS_BUFFER) !== 0) {
      const buffer = flags >>> BUFFER_SHIFT;
      try {
        if (result > 0) receiver?.received(this.buffers.view(buffer, result));
      } finally {
        this.buffers.give(buffer);
      }
    }
    if (result === 0) receiver?.ended();
    else if (result < 0 && result !== ENOBUFS) receiver?.failed();
    // The kernel had no buffer left, or does not go on for another reason of its own.
    if ((flags & HAS_MORE) === 0 && watched.receiver !== null && (result > 0 || result === ENOBUFS))
      this.receive(number);
  }

  private receive(number: number): void {
    this.order(OP_RECV | BUFFER_SELECT | MULTISHOT, number, RECEIVE, 0);
  }

  private order(what: number, number: number, kind: number, flags: number): void {
    const watched = this.watched[number]!;
    this.put(what, watched.fd, flags, (number << KIND_BITS) | kind);
    watched.requests++;
  }

  private put(what: number, fd: number, flags: number, number: number): number {
    const { uring } = this;
    if (uring.full) uring.submit();
    const { submissions } = uring;
    const at = uring.claim();
    submissions.fill(0, at, at + SQE.words);
    submissions[at + SQE.what] = what;
    submissions[at + SQE.fd] = fd;
    submissions[at + SQE.flags] = flags;
    submissions[at + SQE.number] = number;
    return at;
  }

  /** The number may be another socket's, if the kernel is done with this one. */
  private release(number: number, watched: Watched): void {
    if (watched.requests > 0 || this.watched[number] !== watched) return;
    this.watched[number] = null;
    this.free.push(number);
  }

  private submitSoon(): void {
    if (!this.running) this.arm();
  }

  /** Hands over what is pending, and sees that the bell rings for what is completed from now on or already. */
  private arm(): void {
    const { uring } = this;
    if (uring.overflown) uring.poll();
    if (!this.armed) {
      this.armed = true;
      // Both in one submission: a chain does not go over its end.
      if (uring.pending > SUBMISSIONS - 2) uring.submit();
      this.put(OP_POLL_ADD | LINK | SKIP_SUCCESS, uring.fd, POLLIN, NOBODY);
      const at = this.put(OP_SEND | SKIP_SUCCESS, this.clapper, MSG_DONTWAIT | MSG_NOSIGNAL, NOBODY);
      uring.point(at, ptr(BYTE), 1);
    }
    if (uring.pending > 0) uring.submit();
  }
}

/** The number of completions that are nobody's. */
const NOBODY = 0xffffffff;

let opened: ReceiveRing | null = null;
let state: "unused" | "opening" | "active" | "unavailable" = "unused";

/** The ring of this thread; null where there can be none, and until it is there, soon after the first call. */
export function receiveRing(): ReceiveRing | null {
  if (state === "unused") {
    state = "opening";
    const use = (ring: ReceiveRing | null): void => {
      opened = ring;
      state = ring === null ? "unavailable" : "active";
    };
    // Whatever speaks against it, the sockets stay where they are.
    ReceiveRing.open().then(use, () => use(null));
  }
  return opened;
}

/** Calls back when all that has arrived has been read: at the end of the ring's batch, or of the loop's turn. */
export function afterReading(callback: () => void): void {
  if (opened === null) setImmediate(callback);
  else opened.afterwards(callback);
}

/** Whether this thread has such a ring, as far as is known. */
export function receiveRingState(): typeof state {
  return state;
}
