/** Helpers of the replication tests: commands to servers, and waiting for what must come about. */
import { fieldsOf, type Reply, RespClient } from "./resp-client.ts";

const PATIENCE_MS = 40_000;

export class Node {
  private constructor(
    readonly port: number,
    readonly client: RespClient,
  ) {}

  static async of(server: { port: number }): Promise<Node> {
    return new Node(server.port, await RespClient.open(server.port));
  }

  call(...args: string[]): Promise<Reply> {
    return this.client.call(...args);
  }

  async info(section = "replication"): Promise<Record<string, string>> {
    return fieldsOf(await this.client.text("INFO", section));
  }

  follow(master: { port: number }): Promise<Reply> {
    return this.call("REPLICAOF", "127.0.0.1", String(master.port));
  }

  /** Waits until the link to the master stands. */
  linked(): Promise<void> {
    return until(async () => (await this.info()).master_link_status === "up");
  }

  digest(): Promise<Reply> {
    return this.call("DEBUG", "DIGEST");
  }

  /** Waits until this replica has processed all that the master has written. */
  async caughtUpWith(master: Node): Promise<void> {
    await until(async () => {
      const [mine, theirs] = [await this.info(), await master.info()];
      return mine.master_link_status === "up" && mine.slave_repl_offset === theirs.master_repl_offset;
    });
  }

  close(): void {
    this.client.close();
  }
}

/** Asks again and again until it is so. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("what was waited for did not come about");
    await Bun.sleep(2);
  }
}
