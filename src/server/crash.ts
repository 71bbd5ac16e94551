import { clientInfo } from "../call/client-info.ts";
import { REDIS_VERSION } from "../host/version.ts";
import type { Server } from "./server.ts";

/**
 * The end of a process that cannot go on: a report in the log, with the headings that Redis's has and tools
 * look for, then an end by signal, so that whoever started the server sees that it did not exit by itself.
 */
const SIGSEGV = 11;
const SIGABRT = 6;

export class Crash {
  constructor(private readonly server: Server) {}

  segfault(): never {
    this.begin();
    this.line(`Redis ${REDIS_VERSION} crashed by signal: ${SIGSEGV}, si_code: 0`);
    this.report();
    return this.end("SIGSEGV");
  }

  /**
   * SIGABRT, from outside or from abort(3) in the engine. Of the signals that a fault raises (SIGSEGV, SIGBUS) no
   * handler in JavaScript can be told: it would run when the loop goes on, which it does not. They end the process
   * with Bun's own report.
   */
  listen(): void {
    process.on("SIGABRT", () => {
      this.begin();
      this.line(`Redis ${REDIS_VERSION} crashed by signal: ${SIGABRT}, si_code: 0`);
      this.report();
      this.end("SIGABRT");
    });
  }

  panic(message: string): never {
    this.begin();
    this.line("------------------------------------------------");
    this.line("!!! Software Failure. Press left mouse button to continue");
    this.line(`Guru Meditation: ${message}`);
    this.line("------------------------------------------------");
    this.report();
    return this.finish();
  }

  assertionFailed(expression: string): never {
    this.begin();
    this.line("=== ASSERTION FAILED ===");
    this.line(`==> '${expression}' is not true`);
    this.report();
    return this.finish();
  }

  private begin(): void {
    this.line("=== REDIS BUG REPORT START: Cut & paste starting from here ===");
  }

  private report(): void {
    const { info, clients, clock } = this.server;
    this.line("------ STACK TRACE ------");
    this.line(new Error("at the crash").stack ?? "no stack trace");
    this.line("------ INFO OUTPUT ------");
    this.line(info.report(["everything"]).replaceAll("\r\n", "\n"));
    this.line("------ CLIENT LIST OUTPUT ------");
    for (const session of clients.sessions()) this.line(clientInfo(session, clock.now));
    this.line("=== REDIS BUG REPORT END. Make sure to include from START to END. ===");
  }

  /** use-exit-on-panic: an exit, which tests under a debugger prefer. */
  private finish(): never {
    if (this.server.config.values.useExitOnPanic) process.exit(1);
    return this.end("SIGABRT");
  }

  private end(signal: "SIGSEGV" | "SIGABRT"): never {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // The signal is on its way; should something have caught it, the process ends all the same.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    process.exit(1);
  }

  private line(text: string): void {
    this.server.log.warning(text);
  }
}
