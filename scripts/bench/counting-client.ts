/**
 * A client for replies of known length: as redis-benchmark it keeps `clients` connections with `pipeline` requests
 * each under way, but it only counts the bytes of what comes back. redis-benchmark makes an object of every element
 * of a reply, and takes longer over an LRANGE of 300 than the server does.
 *
 * A process of its own, started with a `Job` in JSON; it writes the seconds that the requests took.
 */
export interface Job {
  port: number;
  clients: number;
  pipeline: number;
  /** Requests in all: each connection sends its share, in whole pipelines. */
  requests: number;
  /** One request, in the protocol's form. */
  request: string;
  /** Bytes of its reply. */
  replyBytes: number;
}

async function run({ port, clients, pipeline, requests, request, replyBytes }: Job): Promise<number> {
  const batch = Buffer.from(request.repeat(pipeline), "latin1");
  const expected = replyBytes * pipeline;
  let batches = Math.ceil(requests / pipeline);
  let busy = clients;
  const done = Promise.withResolvers<void>();
  const next = (socket: Bun.Socket<{ missing: number }>) => {
    if (batches === 0) {
      if (--busy === 0) done.resolve();
      return;
    }
    batches--;
    socket.data.missing = expected;
    if (socket.write(batch) !== batch.length) done.reject(new Error("a batch does not fit the send buffer"));
  };
  const handlers: Bun.SocketHandler<{ missing: number }> = {
    data(socket, chunk) {
      const missing = (socket.data.missing -= chunk.length);
      if (missing < 0) done.reject(new Error(`a reply is longer than ${replyBytes} bytes`));
      // The collector would come for it too late: it would be memory that the system first has to clear.
      (chunk.buffer as ArrayBuffer).transfer(0);
      if (missing === 0) next(socket);
    },
    close: () => done.reject(new Error("the server closed a connection")),
    error: (_, error) => done.reject(error),
  };
  const sockets = await Promise.all(
    Array.from({ length: clients }, () =>
      Bun.connect({ hostname: "127.0.0.1", port, socket: handlers, data: { missing: 0 } }),
    ),
  );
  const start = Bun.nanoseconds();
  for (const socket of sockets) next(socket);
  await done.promise;
  return (Bun.nanoseconds() - start) / 1e9;
}

if (import.meta.main) {
  const seconds = await run(JSON.parse(process.argv[2]!) as Job);
  process.stdout.write(String(seconds));
  process.exit(0);
}
