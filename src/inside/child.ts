import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Directives, RedbunServer, ServerClock, StartOptions } from "./redbun.d.ts";

/**
 * The server inside a test for Node: `redbun test-server` as a child process, which the same calls reach through its
 * standard input and output (tool.ts). It is ready when it says so, and ends when its input does, hence with this
 * process. This file runs in Node, bundled by scripts/build.ts: it imports nothing but Node's own modules.
 */

const MARK = "@redbun ";
/** The folder of the bundle, which lies in the package's: the build puts in how its kind of module learns of it. */
const PACKAGE = join("@folder-of-the-bundle@", "..");

interface Answer {
  readonly id?: number;
  readonly error?: string;
  readonly ready?: { readonly port: number; readonly url: string; readonly socket: string };
  readonly failed?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export async function startRedbun(
  directives: Directives = {},
  options: StartOptions = {},
): Promise<RedbunServer> {
  const [program = "", ...args] = options.command ?? commandFound();
  const child = spawn(program, [...args, "test-server"], { stdio: ["pipe", "pipe", "pipe"] });
  const conversation = new Conversation(child);
  conversation.send(directives);
  const answer = await conversation.first;
  if (answer.ready === undefined) {
    await conversation.ended;
    throw new Error(answer.failed ?? `${program} has ended: ${conversation.complaints.trim()}`);
  }
  return new ChildServer(conversation, answer.ready);
}

/** The program of this package, or Bun with the package's source. */
function commandFound(): string[] {
  const binary = join(PACKAGE, "dist", process.platform === "win32" ? "redbun.exe" : "redbun");
  return existsSync(binary) ? [binary] : ["bun", join(PACKAGE, "src", "main.ts")];
}

/** Orders and their answers. While none is under way, the child does not keep this process from ending. */
class Conversation {
  readonly first: Promise<Answer>;
  readonly ended: Promise<void>;
  isOver = false;
  /** The last of what the child said on its standard error. */
  complaints = "";
  private readonly waiting = new Map<number, { done(): void; failed(error: Error): void }>();
  private lastId = 0;
  private rest = "";
  private heard: (answer: Answer) => void = () => {};

  constructor(private readonly child: Child) {
    this.first = new Promise((resolve) => {
      this.heard = resolve;
    });
    this.ended = new Promise((resolve) => {
      const over = (why: string): void => {
        this.isOver = true;
        this.heard({ failed: why === "" ? undefined : why });
        for (const { failed } of this.waiting.values()) failed(new Error("The redbun server has ended"));
        this.waiting.clear();
        resolve();
      };
      child.on("close", () => over(""));
      child.on("error", (error) => over(`${error.message} (no redbun and no bun was found to start?)`));
    });
    // A write to a child that has ended: its end is told by itself.
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.take(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.complaints = (this.complaints + text).slice(-4096);
    });
  }

  send(message: object): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when the child has done it. */
  order(what: { readonly flush: true } | { readonly advance: number }): Promise<void> {
    if (this.isOver || this.child.stdin.writableEnded)
      return Promise.reject(new Error("This redbun server is closed"));
    const id = ++this.lastId;
    this.hold(true);
    this.send({ id, ...what });
    return new Promise<void>((done, failed) => this.waiting.set(id, { done, failed })).finally(() => {
      if (this.waiting.size === 0) this.hold(false);
    });
  }

  end(): Promise<void> {
    this.hold(true);
    this.child.stdin.end();
    return this.ended;
  }

  /** Whether this process waits for the child. */
  hold(held: boolean): void {
    const { child } = this;
    for (const each of [child, child.stdin, child.stdout, child.stderr] as Partial<Reference>[])
      if (held) each.ref?.();
      else each.unref?.();
  }

  private take(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines)
      if (line.startsWith(MARK)) this.answered(JSON.parse(line.slice(MARK.length)) as Answer);
      else process.stdout.write(`${line}\n`);
  }

  private answered(answer: Answer): void {
    if (answer.id === undefined) return this.heard(answer);
    const waiter = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.error === undefined) waiter?.done();
    else waiter?.failed(new Error(answer.error));
  }
}

interface Reference {
  ref(): void;
  unref(): void;
}

class ChildServer implements RedbunServer {
  readonly port: number;
  readonly url: string;
  readonly socket: string;
  readonly closed: Promise<void>;
  readonly clock: ServerClock;

  constructor(
    private readonly conversation: Conversation,
    { port, url, socket }: NonNullable<Answer["ready"]>,
  ) {
    this.port = port;
    this.url = url;
    this.socket = socket;
    this.closed = conversation.ended;
    this.clock = {
      advance: async (milliseconds) => {
        if (!Number.isSafeInteger(milliseconds) || milliseconds < 0)
          throw new RangeError("advance takes whole milliseconds, from 0 on");
        await conversation.order({ advance: milliseconds });
      },
    };
    conversation.hold(false);
  }

  flush(): Promise<void> {
    return this.conversation.order({ flush: true });
  }

  close(): Promise<void> {
    return this.conversation.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
