/**
 * One parsed command: argument i is `buf[start[i], end[i])`. Nothing is copied out of the buffer that came
 * from the socket, so a request is valid only until the buffer's next use.
 */
const MAX_IDLE_ARGS = 1024;

export class Request {
  buf: Uint8Array = new Uint8Array(0);
  start = new Int32Array(16);
  end = new Int32Array(16);
  argc = 0;

  push(start: number, end: number): void {
    if (this.argc === this.start.length) this.grow(this.argc * 2);
    this.start[this.argc] = start;
    this.end[this.argc++] = end;
  }

  grow(capacity: number): void {
    const start = new Int32Array(capacity);
    const end = new Int32Array(capacity);
    start.set(this.start.subarray(0, this.argc));
    end.set(this.end.subarray(0, this.argc));
    this.start = start;
    this.end = end;
  }

  /** Moves all offsets, when the bytes move to another place. */
  shift(by: number): void {
    for (let i = 0; i < this.argc; i++) {
      this.start[i] = this.start[i]! + by;
      this.end[i] = this.end[i]! + by;
    }
  }

  /** Gives the room of an unusually long command back. */
  trim(): void {
    if (this.start.length > MAX_IDLE_ARGS) {
      this.argc = 0;
      this.grow(16);
    }
  }

  /**
   * A request with a buffer of its own, made of these arguments. A byte lies between them: where one begins tells which
   * it is (a hint of the lookahead), also next to an empty one.
   */
  static of(args: readonly Uint8Array[]): Request {
    const request = new Request();
    let length = 0;
    for (const arg of args) length += arg.length + 1;
    request.buf = new Uint8Array(length);
    let at = 0;
    for (const arg of args) {
      request.buf.set(arg, at);
      request.push(at, at + arg.length);
      at += arg.length + 1;
    }
    return request;
  }
}
