/**
 * A socket under the test's control: sends bytes as they are, reads or stops reading as told, and sees how the
 * connection ends. For tests of what clients do wrong.
 */
import type { Socket, TLSOptions } from "bun";

export interface Target {
  port?: number;
  hostname?: string;
  unix?: string;
  tls?: TLSOptions;
}

/** How long a test waits for an event that should come at once, in milliseconds. */
const PATIENCE = 20_000;

export class RawClient {
  private socket!: Socket<undefined>;
  private chunks: Buffer[] = [];
  private unsent: { bytes: Uint8Array; at: number; done: () => void }[] = [];
  private readonly watchers = new Set<() => void>();
  private readonly ending = Promise.withResolvers<void>();
  /** Bytes received so far. */
  count = 0;
  isClosed = false;
  /** Resolves when the connection is gone, however it ended. */
  readonly closed: Promise<void> = this.ending.promise;
  /** Whether received bytes are kept for `text`; where not, only `count` grows and `onData` is called. */
  keep = true;
  onData: (chunk: Uint8Array) => void = () => {};

  static async open(target: number | Target): Promise<RawClient> {
    const client = new RawClient();
    const {
      port,
      hostname = "127.0.0.1",
      unix,
      tls,
    } = typeof target === "number" ? { port: target } : (target as Target);
    // What is written before the handshake is done may be lost when the server closes soon after.
    const { promise: shaken, resolve: shake } = Promise.withResolvers<void>();
    const socket = {
      handshake: () => shake(),
      data: (_: Socket<undefined>, chunk: Buffer) => client.take(chunk),
      drain: () => client.flush(),
      close: () => {
        client.finish();
        shake();
      },
      error: () => {
        client.finish();
        shake();
      },
    };
    client.socket =
      unix !== undefined
        ? await Bun.connect({ unix, socket })
        : await Bun.connect({ hostname, port: port!, socket, ...(tls === undefined ? {} : { tls }) });
    if (tls !== undefined) await shaken;
    return client;
  }

  /** Resolves when the kernel has taken everything. */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    if (this.isClosed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.unsent.push({ bytes, at: 0, done: resolve });
    if (this.unsent.length === 1) this.flush();
    return promise;
  }

  /** Sends a command as a multibulk. */
  command(...args: string[]): Promise<void> {
    return this.send(`*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`);
  }

  /** What has been received, one character a byte. */
  get text(): string {
    const whole = Buffer.concat(this.chunks);
    this.chunks = [whole];
    return whole.toString("latin1");
  }

  /** Takes what has been received out. */
  takeText(): string {
    const { text } = this;
    this.chunks = [];
    this.count = 0;
    return text;
  }

  /** Waits until what has been received satisfies the test; gives it. The connection's end is a failure. */
  async until(test: (text: string) => boolean, what = "the expected bytes"): Promise<string> {
    await this.wait(() => test(this.text), what);
    return this.text;
  }

  /** Waits until exactly this has been received, and takes it out. */
  async expect(text: string): Promise<void> {
    await this.wait(() => this.count >= text.length, JSON.stringify(text.slice(0, 200)));
    const got = this.takeText();
    if (got !== text)
      throw new Error(
        `received ${JSON.stringify(got.slice(0, 500))}, not ${JSON.stringify(text.slice(0, 500))}`,
      );
  }

  untilCount(bytes: number): Promise<void> {
    return this.wait(() => this.count >= bytes, `${bytes} bytes`);
  }

  /** What has been received by the time the server closes the connection. */
  async rest(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the connection stays open; received ${this.text}`)),
        PATIENCE,
      );
    });
    await Promise.race([this.closed, late]);
    clearTimeout(timer);
    return this.text;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  /** Resets the connection: the server gets no orderly end. */
  terminate(): void {
    this.socket.terminate();
  }

  private flush(): void {
    while (this.unsent.length > 0 && !this.isClosed) {
      const first = this.unsent[0]!;
      const written = this.socket.write(first.bytes, first.at, first.bytes.length - first.at);
      if (written < 0) return;
      first.at += written;
      if (first.at < first.bytes.length) return;
      this.unsent.shift();
      first.done();
    }
  }

  private take(chunk: Uint8Array): void {
    this.count += chunk.length;
    if (this.keep) this.chunks.push(Buffer.from(chunk));
    this.onData(chunk);
    for (const look of this.watchers) look();
  }

  private finish(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const { done } of this.unsent.splice(0)) done();
    this.ending.resolve();
    for (const look of this.watchers) look();
  }

  private wait(test: () => boolean, what: string): Promise<void> {
    if (test()) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = (): void => {
      clearTimeout(timer);
      this.watchers.delete(look);
    };
    const fail = (why: string): void => {
      done();
      reject(
        new Error(`${why} while waiting for ${what}; received ${JSON.stringify(this.text.slice(-500))}`),
      );
    };
    const look = (): void => {
      if (test()) {
        done();
        resolve();
      } else if (this.isClosed) fail("the connection ended");
    };
    const timer = setTimeout(() => fail("nothing more came"), PATIENCE);
    this.watchers.add(look);
    look();
    return promise;
  }
}
