import { startRedbun } from "./inside.ts";
import type { Directives, RedbunServer } from "./redbun.d.ts";

/**
 * `redbun test-server`: a server inside a test, for programs that cannot have it in their own process (child.ts). Its
 * parent speaks to it in lines of JSON, on standard input and output:
 *
 *   >  {"port":0,"maxmemory":"1mb"}         the directives; the first line
 *   <  @redbun {"ready":{"port":40123,"url":"redis://127.0.0.1:40123","socket":""}}     or {"failed":"why"}, and it ends
 *   >  {"id":1,"flush":true}                or "advance":1000
 *   <  @redbun {"id":1}                     or {"id":1,"error":"why"}
 *
 * At the end of its input it closes the server and ends: a parent that dies, however it dies, takes it along. Other
 * lines of its output are the log, where a directive asks for one.
 */
export const MARK = "@redbun ";

interface Order {
  readonly id: number;
  readonly flush?: true;
  readonly advance?: number;
}

/** Runs until the end of the input, or of the server. */
export async function serveTests(): Promise<void> {
  const lines = linesOf(Bun.stdin.stream());
  const { value: first } = await lines.next();
  if (first === undefined) return;
  let server: RedbunServer;
  try {
    server = await startRedbun(JSON.parse(first) as Directives);
  } catch (error) {
    say({ failed: textOf(error) });
    process.exit(1);
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void server.close());
  // The server may be ended by a client, and the input be open still.
  void server.closed.then(() => process.exit(0));
  const { port, url, socket } = server;
  say({ ready: { port, url, socket } });
  for await (const line of lines) await obey(server, JSON.parse(line) as Order);
  await server.close();
}

async function obey(server: RedbunServer, { id, flush, advance }: Order): Promise<void> {
  try {
    if (flush) await server.flush();
    if (advance !== undefined) await server.clock.advance(advance);
    say({ id });
  } catch (error) {
    say({ id, error: textOf(error) });
  }
}

function say(message: object): void {
  process.stdout.write(`${MARK}${JSON.stringify(message)}\n`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") yield line;
  }
  return undefined;
}
