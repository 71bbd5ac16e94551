/**
 * The client of the throughput section: as redis-benchmark it keeps `clients` connections with `pipeline` requests each
 * under way, but it costs much less, so that the server is what is measured: it counts the lines of what comes back,
 * or its bytes, and on Linux it sends and receives through io_uring. (redis-benchmark needs a whole processor for as
 * many requests as either server answers with half of one, and makes an object of every element of a reply.)
 *
 * A process of its own, started with a `Job` in JSON; it writes a `Result`.
 */
import { ptr } from "bun:ffi";
import { MSG_NOSIGNAL, MSG_WAITALL } from "../../src/host/libc.ts";
import { CQE, DEFER_TASKRUN, OP_RECV, OP_SEND, SINGLE_ISSUER, SQE, Uring } from "../../src/host/uring.ts";

export interface Job {
  port: number;
  clients: number;
  pipeline: number;
  /** Requests in all: each connection sends whole pipelines. */
  requests: number;
  /** One request, in the protocol's form; each RANDOM in it becomes so many digits of a number below `keyspace`. */
  request: string;
  keyspace: number;
  /** Line feeds in a reply, or else its bytes. */
  reply: { lines: number } | { bytes: number };
}

export interface Result {
  seconds: number;
  /** Seconds of them in which the client computed, or the kernel for it. */
  busySeconds: number;
}

export const RANDOM = "__rand_int__";

/** The requests that one connection sends at a time, with new numbers each time. */
class Batch {
  readonly bytes: Buffer;
  private readonly numbers: number[] = [];

  constructor(private readonly job: Job) {
    this.bytes = Buffer.from(job.request.repeat(job.pipeline), "latin1");
    for (let at = this.bytes.indexOf(RANDOM); at >= 0; at = this.bytes.indexOf(RANDOM, at + 1))
      this.numbers.push(at);
  }

  renew(): void {
    const { bytes, job } = this;
    for (const at of this.numbers) {
      let number = Math.floor(Math.random() * job.keyspace);
      for (let i = at + RANDOM.length - 1; i >= at; i--) {
        bytes[i] = 48 + (number % 10);
        number = Math.floor(number / 10);
      }
    }
  }
}

/** What of a batch's replies is still to come. */
class Replies {
  private readonly whole: number;
  private readonly byLine: boolean;
  missing = 0;

  constructor({ reply, pipeline }: Job) {
    this.byLine = "lines" in reply;
    this.whole = pipeline * ("lines" in reply ? reply.lines : reply.bytes);
  }

  expect(): void {
    this.missing = this.whole;
  }

  /** These bytes have come; true when they were the last. */
  take(bytes: Uint8Array, length: number): boolean {
    let count = length;
    if (this.byLine) {
      count = 0;
      for (let i = 0; i < length; i++) if (bytes[i] === 10) count++;
    }
    this.missing -= count;
    if (this.missing < 0)
      throw new Error("more came than was asked for: the row expects too little of a reply");
    return this.missing === 0;
  }
}

/** Counts batches down. */
class Work {
  private left: number;
  /** Connections that have not come to their end. */
  busy: number;

  constructor({ requests, pipeline, clients }: Job) {
    this.left = Math.ceil(requests / pipeline);
    this.busy = clients;
  }

  /** False: there is nothing more to send. */
  next(): boolean {
    if (this.left > 0) {
      this.left--;
      return true;
    }
    this.busy--;
    return false;
  }
}

async function connect(job: Job, handlers: Bun.SocketHandler<number>): Promise<Bun.Socket<number>[]> {
  return await Promise.all(
    Array.from({ length: job.clients }, (_, i) =>
      Bun.connect({ hostname: "127.0.0.1", port: job.port, socket: handlers, data: i }),
    ),
  );
}

async function throughBun(job: Job): Promise<Result> {
  const work = new Work(job);
  const batches = Array.from({ length: job.clients }, () => new Batch(job));
  const replies = batches.map(() => new Replies(job));
  const done = Promise.withResolvers<void>();
  const next = (socket: Bun.Socket<number>): void => {
    if (!work.next()) {
      if (work.busy === 0) done.resolve();
      return;
    }
    const batch = batches[socket.data]!;
    batch.renew();
    replies[socket.data]!.expect();
    if (socket.write(batch.bytes) !== batch.bytes.length)
      done.reject(new Error("a batch does not fit the send buffer"));
  };
  const sockets = await connect(job, {
    data(socket, chunk) {
      try {
        const last = replies[socket.data]!.take(chunk, chunk.length);
        // The collector would come for it too late: it would be memory that the system first has to clear.
        (chunk.buffer as ArrayBuffer).transfer(0);
        if (last) next(socket);
      } catch (error) {
        done.reject(error);
      }
    },
    close: () => done.reject(new Error("the server closed a connection")),
    error: (_, error) => done.reject(error),
  });
  return await timed(async () => {
    for (const socket of sockets) next(socket);
    await done.promise;
  });
}

const RECEIVE_BYTES = 64 * 1024;

/** One connection's side of it. */
interface Lane {
  readonly fd: number;
  readonly batch: Batch;
  readonly replies: Replies;
  readonly received: Uint8Array;
}

async function throughUring(job: Job, uring: Uring): Promise<Result> {
  const work = new Work(job);
  const sockets = await connect(job, { data() {} });
  const lanes = sockets.map((socket): Lane => {
    socket.pause();
    return {
      fd: (socket as unknown as { fd: number }).fd,
      batch: new Batch(job),
      replies: new Replies(job),
      received: new Uint8Array(RECEIVE_BYTES),
    };
  });
  const put = (operation: number, number: number, bytes: Uint8Array, flags: number): void => {
    if (uring.full) uring.submit();
    const { submissions } = uring;
    const at = uring.claim();
    submissions[at + SQE.what] = operation;
    submissions[at + SQE.fd] = lanes[number]!.fd;
    uring.point(at, ptr(bytes), bytes.length);
    submissions[at + SQE.flags] = flags;
    submissions[at + SQE.number] = operation === OP_SEND ? lanes.length + number : number;
  };
  const receive = (number: number): void => put(OP_RECV, number, lanes[number]!.received, 0);
  const next = (number: number): void => {
    if (!work.next()) return;
    const { batch, replies } = lanes[number]!;
    batch.renew();
    replies.expect();
    put(OP_SEND, number, batch.bytes, MSG_WAITALL | MSG_NOSIGNAL);
    receive(number);
  };
  return await timed(() => {
    for (let i = 0; i < lanes.length; i++) next(i);
    while (work.busy > 0) {
      uring.submit(1);
      for (let left = uring.completed; left > 0; left--) {
        const at = uring.take();
        const number = uring.rings[at + CQE.number]!;
        const result = uring.rings[at + CQE.result]! | 0;
        if (result <= 0) throw new Error(`the server closed a connection, or error ${-result}`);
        if (number >= lanes.length) continue;
        const { replies, received } = lanes[number]!;
        if (replies.take(received, result)) next(number);
        else receive(number);
      }
    }
  });
}

async function timed(run: () => Promise<void> | void): Promise<Result> {
  const cpu = process.cpuUsage();
  const start = Bun.nanoseconds();
  await run();
  const seconds = (Bun.nanoseconds() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, busySeconds: (user + system) / 1e6 };
}

if (import.meta.main) {
  const job = JSON.parse(process.argv[2]!) as Job;
  const uring = Uring.open(256, 4096, SINGLE_ISSUER | DEFER_TASKRUN);
  const result = uring === null ? await throughBun(job) : await throughUring(job, uring);
  process.stdout.write(JSON.stringify(result));
  process.exit(0);
}
