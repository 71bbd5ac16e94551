import { rmSync } from "node:fs";
import type { Aof } from "../aof/aof.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../host/log.ts";
import type { Persistence } from "./persistence.ts";

/**
 * Ending the server: SHUTDOWN, SIGTERM and SIGINT. A second signal while the first is being obeyed, or a
 * SHUTDOWN that cannot be done, follows Redis's rules.
 */
export interface ShutdownRequest {
  /** What to do about the data set; "default": save if save points are configured. */
  save: "default" | "save" | "nosave";
  /** Do not wait for replicas that lag behind. */
  now: boolean;
  /** End even where saving fails. */
  force: boolean;
}

export class Shutdown {
  private underWay = false;

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly persistence: Persistence,
    private readonly aof: Aof,
    private readonly closeAll: () => void,
  ) {}

  /** Obeys SIGTERM and SIGINT as shutdown-on-sigterm and shutdown-on-sigint say. */
  listenForSignals(): void {
    const onSignal = (
      signal: "SIGTERM" | "SIGINT",
      directive: "shutdownOnSigterm" | "shutdownOnSigint",
    ): void => {
      process.on(signal, () => {
        if (this.underWay && signal === "SIGINT") {
          this.log.warning("You insist... exiting now.");
          process.exit(1);
        }
        this.log.warning(`Received ${signal} scheduling shutdown...`);
        const words = this.config.text(
          directive === "shutdownOnSigterm" ? "shutdown-on-sigterm" : "shutdown-on-sigint",
        );
        this.run({
          save: words.includes("nosave") ? "nosave" : words.includes("save") ? "save" : "default",
          now: words.includes("now"),
          force: words.includes("force"),
        });
      });
    };
    onSignal("SIGTERM", "shutdownOnSigterm");
    onSignal("SIGINT", "shutdownOnSigint");
  }

  /** Ends the process, or returns false where saving was asked for and cannot be done. */
  run(request: ShutdownRequest): boolean {
    this.underWay = true;
    const { values } = this.config;
    this.log.warning("User requested shutdown...");
    const { blocksShutdown } = this.aof;
    if (blocksShutdown !== null && !request.force) {
      this.log.warning(`${blocksShutdown}, can't exit.`);
      this.log.warning("Errors trying to shut down the server. Check the logs for more information.");
      this.underWay = false;
      return false;
    }
    if (blocksShutdown !== null) this.log.warning(`${blocksShutdown}. Exit anyway.`);
    this.aof.close();
    this.persistence.abort();
    if (request.save === "save" || (request.save === "default" && values.save.length > 0)) {
      this.log.notice("Saving the final RDB snapshot before exiting.");
      if (!this.persistence.save() && !request.force) {
        this.log.warning("Error trying to save the DB, can't exit.");
        this.log.warning("Errors trying to shut down the server. Check the logs for more information.");
        this.underWay = false;
        return false;
      }
    }
    this.removeFiles();
    this.closeAll();
    this.log.warning("Redis is now ready to exit, bye bye...");
    process.exit(0);
  }

  private removeFiles(): void {
    const { pidfile } = this.config.values;
    if (pidfile === "") return;
    this.log.notice("Removing the pid file.");
    rmSync(pidfile, { force: true });
  }
}
