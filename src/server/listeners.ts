import { chmodSync, readFileSync, rmSync } from "node:fs";
import type { SocketHandler, TCPSocketListener, TLSOptions, UnixSocketListener } from "bun";
import { systemErrorText } from "../config/errors.ts";
import type { ConfigValues } from "../config/table.ts";
import type { Connection } from "./connection.ts";

/**
 * The listening sockets: one for each bind address and port (plain and TLS), and the Unix socket. An address
 * with a leading '-' may fail where the machine does not have it.
 */

type Listener = TCPSocketListener<Connection> | UnixSocketListener<Connection>;

/** What is listened on, for the log and for INFO. */
export interface Endpoint {
  kind: "tcp" | "tls" | "unix";
  address: string;
  port: number;
}

export class Listeners {
  private open: { listener: Listener; endpoint: Endpoint }[] = [];
  private unixPath = "";

  /** Handlers by kind of socket: what a socket is belongs to its listener. */
  constructor(private readonly handlers: (kind: Endpoint["kind"]) => SocketHandler<Connection>) {}

  get endpoints(): Endpoint[] {
    return this.open.map(({ endpoint }) => endpoint);
  }

  /**
   * Listens as the configuration says; returns the TCP port. `anyPort`: port 0 stands for a free one, not for none.
   * Throws an Error whose message is a sentence; nothing stays open then.
   */
  start(values: Readonly<ConfigValues>, anyPort = false): number {
    try {
      const port = this.startTcp(values, anyPort);
      this.startTls(values);
      this.startUnix(values);
      return port;
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Moves the TCP sockets to other ports or addresses; on failure the old ones are restored. */
  restart(values: Readonly<ConfigValues>, previous: Readonly<ConfigValues>): string | null {
    this.stop();
    try {
      this.start(values);
      return null;
    } catch (error) {
      this.start(previous);
      return (error as Error).message;
    }
  }

  stop(): void {
    for (const { listener } of this.open) listener.stop(false);
    this.open = [];
    if (this.unixPath !== "") rmSync(this.unixPath, { force: true });
    this.unixPath = "";
  }

  private startTcp(values: Readonly<ConfigValues>, anyPort: boolean): number {
    if (values.port === 0 && !anyPort) return 0;
    return this.bind(values, "tcp", values.port);
  }

  private startTls(values: Readonly<ConfigValues>): void {
    if (values.tlsPort === 0) return;
    this.bind(values, "tls", values.tlsPort, tlsOptions(values));
  }

  private bind(values: Readonly<ConfigValues>, kind: "tcp" | "tls", port: number, tls?: TLSOptions): number {
    // Of port 0 the system makes a free one for the first address, which then holds for the others too.
    let actual = port;
    listenOn(values.bind, port, (where) => {
      const listener = this.listen(kind, { ...where, port: actual }, tls);
      if ("port" in listener) actual = listener.port;
      this.open.push({ listener, endpoint: { kind, address: where.hostname, port: actual } });
      return listener;
    });
    return actual;
  }

  private listen(kind: "tcp" | "tls", where: Where, tls?: TLSOptions): Listener {
    try {
      return Bun.listen<Connection>({
        ...where,
        allowHalfOpen: tls === undefined,
        socket: this.handlers(kind),
        ...(tls === undefined ? {} : { tls }),
      });
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (tls !== undefined && !/^E(?!RR_)/.test(code)) throw new TlsError((error as Error).message);
      throw error;
    }
  }

  private startUnix(values: Readonly<ConfigValues>): void {
    if (values.unixsocket === "") return;
    rmSync(values.unixsocket, { force: true });
    const listener = Bun.listen<Connection>({
      unix: values.unixsocket,
      allowHalfOpen: true,
      socket: this.handlers("unix"),
    });
    if (values.unixsocketperm !== 0) chmodSync(values.unixsocket, values.unixsocketperm);
    this.unixPath = values.unixsocket;
    this.open.push({ listener, endpoint: { kind: "unix", address: values.unixsocket, port: 0 } });
  }
}

/** A socket address for Bun.listen. */
interface Where {
  hostname: string;
  port: number;
  ipv6Only?: boolean;
}

/**
 * Listens at each of these addresses (directive bind). Throws an Error whose message is a sentence; what was opened
 * before is the caller's to close.
 */
export function listenOn<L>(addresses: readonly string[], port: number, listen: (where: Where) => L): L[] {
  // An empty bind listens nowhere; the default is spelled out in the table of directives.
  const open: L[] = [];
  for (const given of addresses) {
    const optional = given.startsWith("-");
    const address = optional ? given.slice(1) : given;
    const hostname = address === "*" ? "0.0.0.0" : address === "::*" ? "::" : address;
    try {
      open.push(listen({ hostname, port, ...(hostname.includes(":") ? { ipv6Only: true } : {}) }));
    } catch (error) {
      if (error instanceof TlsError) throw error;
      const { code = "" } = error as { code?: string };
      if (optional && code !== "EADDRINUSE") continue;
      throw new Error(`${address}:${port}: bind: ${systemErrorText(error)}`);
    }
  }
  if (open.length === 0 && addresses.length > 0)
    throw new Error(`no address of '${addresses.join(" ")}' could be bound`);
  return open;
}

/** Certificates and keys cannot be used as configured; the message is a sentence. */
export class TlsError extends Error {}

/** Reads certificates and keys; throws a TlsError where one is missing or unreadable. */
export function tlsOptions(values: Readonly<ConfigValues>): TLSOptions {
  const read = (directive: string, path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new TlsError(`Failed to load ${directive}: ${path}: ${systemErrorText(error)}`);
    }
  };
  if (values.tlsCertFile === "") throw new TlsError("No tls-cert-file configured!");
  if (values.tlsKeyFile === "") throw new TlsError("No tls-key-file configured!");
  const options: TLSOptions = {
    cert: read("tls-cert-file", values.tlsCertFile),
    key: read("tls-key-file", values.tlsKeyFile),
    requestCert: values.tlsAuthClients !== "no",
    rejectUnauthorized: values.tlsAuthClients === "yes",
  };
  if (values.tlsKeyFilePass !== "") options.passphrase = values.tlsKeyFilePass;
  if (values.tlsCaCertFile !== "") options.ca = read("tls-ca-cert-file", values.tlsCaCertFile);
  else if (values.tlsAuthClients !== "no")
    throw new TlsError(
      "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!",
    );
  if (values.tlsDhParamsFile !== "") options.dhParamsFile = values.tlsDhParamsFile;
  if (values.tlsCiphers !== "") options.ciphers = values.tlsCiphers;
  return options;
}

/** For connections to other servers (tls-cluster): the certificate to show, and whom to trust. */
export function clientTls(values: Readonly<ConfigValues>): TLSOptions {
  const own = values.tlsClientCertFile !== "";
  const { cert, key, passphrase, ca, ciphers } = tlsOptions(
    own
      ? {
          ...values,
          tlsCertFile: values.tlsClientCertFile,
          tlsKeyFile: values.tlsClientKeyFile,
          tlsKeyFilePass: values.tlsClientKeyFilePass,
        }
      : values,
  );
  const options: TLSOptions = { cert, key, rejectUnauthorized: true };
  if (passphrase !== undefined) options.passphrase = passphrase;
  if (ca !== undefined) options.ca = ca;
  if (ciphers !== undefined) options.ciphers = ciphers;
  return options;
}
