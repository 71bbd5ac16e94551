/**
 * The process that feels the server's pauses: sends PING every millisecond, whether or not the last one was
 * answered, and notes the round trips. Because the machine may stop this process as well, each tick also
 * sends one byte to an echo of its own; what that takes longer than nothing is no fault of the server. Nor is the
 * time in which the server was ready to run and had no processor, which the kernel counts. Run by probe.ts as
 * `prober.ts PORT PID`, which sends "stop" and gets a `ProbeResult`.
 */
import { readFileSync } from "node:fs";
import { quantile } from "./process.ts";

export interface ProbeResult {
  pings: number;
  /** Round trips in milliseconds, as measured. */
  worst: number;
  p999: number;
  median: number;
  /** The worst round trip after the echo's of the same tick and the server's wait for a processor were taken off. */
  worstCorrected: number;
  /** The longest that the server waited for a processor during one round trip. */
  processorWorst: number;
  /** The most processor time that the server's main thread used during one, to some 4 ms: what kept it busy. */
  busyWorst: number;
  /** The control: the worst and p99.9 round trip to the echo, and the latest a 1 ms timer came. */
  echoWorst: number;
  echoP999: number;
  timerWorst: number;
}

/** Round trips of one connection; requests are answered in order, one reply for each. */
class Lane {
  readonly sent: number[] = [];
  readonly trips: number[] = [];
  /** Of the process: waits for a processor and work on one, when a request left; then during its round trip. */
  private readonly before: Scheduled[] = [];
  readonly waits: number[] = [];
  readonly busy: number[] = [];
  private drained: (() => void) | null = null;

  constructor(private readonly pid: string | null) {}

  send(): void {
    this.before.push(scheduled(this.pid));
    this.sent.push(performance.now());
  }

  answered(replies: number): void {
    const now = performance.now();
    const { waited, worked } = scheduled(this.pid);
    for (let i = 0; i < replies; i++) {
      const before = this.before[this.trips.length]!;
      this.waits.push(waited - before.waited);
      this.busy.push(worked - before.worked);
      this.trips.push(now - this.sent[this.trips.length]!);
    }
    if (this.trips.length === this.sent.length) this.drained?.();
  }

  /** Waits for the outstanding replies. */
  settle(): Promise<void> {
    if (this.trips.length === this.sent.length) return Promise.resolve();
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }
}

interface Scheduled {
  /** Milliseconds that the main thread has been ready to run without running. */
  waited: number;
  /** Milliseconds that it has run. */
  worked: number;
}

const UNKNOWN: Scheduled = { waited: 0, worked: 0 };

function scheduled(pid: string | null): Scheduled {
  if (pid === null) return UNKNOWN;
  try {
    const [worked, waited] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
    return { waited: Number(waited) / 1e6, worked: Number(worked) / 1e6 };
  } catch {
    return UNKNOWN;
  }
}

const LF = 10;
const PING = Buffer.from("*1\r\n$4\r\nPING\r\n");
const BYTE = Buffer.from("x");
const server = new Lane(process.argv[3] ?? null);
const echo = new Lane(null);

const echoing = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { data: (socket, chunk) => void socket.write(chunk) },
});
const toEcho = await Bun.connect({
  hostname: "127.0.0.1",
  port: echoing.port,
  socket: { data: (_, chunk) => echo.answered(chunk.length) },
});
const toServer = await Bun.connect({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  socket: {
    data(_, chunk) {
      let replies = 0;
      for (const byte of chunk) if (byte === LF) replies++;
      server.answered(replies);
    },
    close: () => process.exit(3),
  },
});

let lastTick = performance.now();
let timerWorst = 0;
const timer = setInterval(() => {
  const now = performance.now();
  timerWorst = Math.max(timerWorst, now - lastTick - 1);
  lastTick = now;
  echo.send();
  toEcho.write(BYTE);
  server.send();
  toServer.write(PING);
}, 1);

process.on("message", async () => {
  clearInterval(timer);
  await Promise.all([server.settle(), echo.settle()]);
  process.send?.(result());
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

function result(): ProbeResult {
  let worstCorrected = 0;
  for (let i = 0; i < server.trips.length; i++) {
    worstCorrected = Math.max(worstCorrected, server.trips[i]! - echo.trips[i]! - server.waits[i]!);
  }
  return {
    pings: server.trips.length,
    worst: quantile(server.trips, 1),
    p999: quantile(server.trips, 0.999),
    median: quantile(server.trips, 0.5),
    worstCorrected,
    processorWorst: quantile(server.waits, 1),
    busyWorst: quantile(server.busy, 1),
    echoWorst: quantile(echo.trips, 1),
    echoP999: quantile(echo.trips, 0.999),
    timerWorst,
  };
}
