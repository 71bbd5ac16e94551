import type { Server as HttpServer } from "bun";
import { listenOn } from "../server/listeners.ts";
import type { Server } from "../server/server.ts";
import { ask, type Login, type Peer } from "./ask.ts";
import { refusal } from "./guard.ts";
import { exposition, QUESTIONS } from "./metrics.ts";
import { page } from "./page.ts";
import { Refusal } from "./reply.ts";
import { tunnel, type Visit } from "./tunnel.ts";

/**
 * HTTP beside RESP (directives console-port and console-bind):
 *
 *   GET /          the page, which brings its own client and asks through /resp
 *   GET /resp      a WebSocket that carries RESP
 *   GET /metrics   for Prometheus; user and password, where there is one, by Basic authentication
 *   GET /healthz   200 when the data set is there, 503 while it is being loaded
 *
 * Whoever asks is a client like others, with the rights of who logs in. While nobody does, there is a listening socket
 * and nothing else: no timer, nothing that commands would notice.
 */
export class Console {
  private open: HttpServer<Visit>[] = [];

  constructor(private readonly server: Server) {
    const { config, log } = server;
    config.onApply(["console-port", "console-bind"], () => {
      const before = this.open;
      this.open = [];
      for (const each of before) each.stop(true);
      const reason = this.start();
      if (reason === null) return null;
      log.warning(`Could not open the console: ${reason}`);
      return "Unable to listen on this port. Check server logs.";
    });
    server.closers.push(() => this.stop());
  }

  /** The ports in use, as they were taken. */
  get ports(): number[] {
    return this.open.map(({ port = 0 }) => port);
  }

  /** Listens where the configuration wants it; the reason why that cannot be, or null. */
  start(): string | null {
    const { consolePort, consoleBind } = this.server.config.values;
    if (consolePort === 0) return null;
    const handler = tunnel(this.server);
    try {
      listenOn(consoleBind, consolePort, ({ hostname, port }) => {
        const http = Bun.serve<Visit>({
          hostname,
          port,
          fetch: (request, http) => this.answer(request, http),
          websocket: handler,
          error: () => text(500, "Something went wrong in the console"),
          development: false,
          // Nobody has anything to send here but through the WebSocket.
          maxRequestBodySize: 16 * 1024,
        });
        this.open.push(http);
        return http;
      });
      return null;
    } catch (error) {
      this.stop();
      return (error as Error).message;
    }
  }

  private stop(): void {
    for (const each of this.open) each.stop(true);
    this.open = [];
  }

  private async answer(request: Request, http: HttpServer<Visit>): Promise<Response | undefined> {
    const { server } = this;
    const { pathname } = new URL(request.url);
    // It tells nothing that an open port does not.
    if (pathname === "/healthz") return this.health();
    const { headers } = request;
    const refused = refusal(
      { bind: server.config.values.consoleBind, open: server.acl.all().some(({ isOpen }) => isOpen) },
      { host: headers.get("host"), origin: headers.get("origin"), site: siteOf(request, pathname) },
    );
    if (refused !== null) return text(403, refused);
    if (request.method !== "GET" && request.method !== "HEAD") return text(405, "Only GET");
    if ((pathname === "/metrics" || pathname === "/resp") && this.isFull())
      return text(503, "max number of clients reached");
    const { address = "", port = 0 } = http.requestIP(request) ?? {};
    switch (pathname) {
      case "/":
        return page();
      case "/metrics":
        return this.metrics({ address, port }, headers.get("authorization"));
      case "/resp":
        return http.upgrade(request, { data: { peer: { address, port }, connection: null } })
          ? undefined
          : text(426, "Here is a WebSocket");
      default:
        return text(404, "Nothing here: / /metrics /healthz");
    }
  }

  /** Visitors count as the clients that they are. */
  private isFull(): boolean {
    const { clients, config, counters } = this.server;
    if (clients.count < config.values.maxclients) return false;
    counters.rejectedConnections++;
    return true;
  }

  private health(): Response {
    const { loading } = this.server;
    return loading === null || loading.serving ? text(200, "ok") : text(503, "loading");
  }

  private async metrics(peer: Peer, authorization: string | null): Promise<Response> {
    const login = authorization === null ? null : basicLogin(authorization);
    if (login === undefined) return unauthorized("Only Basic authentication is known here");
    const replies = await ask(this.server, peer, login, QUESTIONS);
    if (replies instanceof Refusal) return unauthorized(replies.message);
    const [info] = replies;
    if (typeof info !== "string") {
      const { message } = info instanceof Refusal ? info : { message: "no INFO" };
      if (message.startsWith("NOAUTH")) return unauthorized(message);
      return text(message.startsWith("NOPERM") ? 403 : 503, message);
    }
    return new Response(exposition(replies, this.server.config.values.databases), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
    });
  }
}

/** Following a link to the page is no attack; what answers with data is to be asked by nobody else's page. */
function siteOf(request: Request, pathname: string): string | null {
  return pathname === "/" && request.headers.get("origin") === null
    ? null
    : request.headers.get("sec-fetch-site");
}

/** Undefined: it is none. Without a user the default user is meant, as with AUTH. */
function basicLogin(authorization: string): Login | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const [, user = "", password = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  return { user: user === "" ? "default" : user, password };
}

function unauthorized(reason: string): Response {
  const response = text(401, reason);
  response.headers.set("www-authenticate", 'Basic realm="redbun", charset="UTF-8"');
  return response;
}

function text(status: number, content: string): Response {
  return new Response(`${content}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}
