/**
 * Who may be served over HTTP at all, before anybody logs in:
 *
 *   no password, and bound to an address that others can reach   nobody, as protected mode does it
 *   no password, and the request is for a name (Host)            nobody: a name that leads here may be anybody's page
 *                                                                (DNS rebinding); for an address or localhost: yes
 *   a request that another site's page has made (Origin)         never
 *
 * A password makes a name harmless: who comes by another's page does not know it, and browsers are told of no
 * credentials to send along (the page keeps them itself).
 */
export interface Situation {
  /** The addresses of console-bind. */
  readonly bind: readonly string[];
  /** There is a user as whom anybody can log in, or is from the start. */
  readonly open: boolean;
}

export interface Origin {
  readonly host: string | null;
  readonly origin: string | null;
  /** Sec-Fetch-Site, which browsers send. */
  readonly site: string | null;
}

/** Why the request is refused, or null. */
export function refusal({ bind, open }: Situation, { host, origin, site }: Origin): string | null {
  if (open && bind.some((address) => !isLoopback(address)))
    return (
      "The console is bound to an address that others can reach (console-bind) while there is a user who has no " +
      "password: set one (requirepass, ACL SETUSER), or bind it to 127.0.0.1."
    );
  if (host === null) return "The request names no host.";
  if (open && !isAddress(host))
    return `Without a password the console answers only to localhost and to addresses, not to the name ${host}.`;
  const foreign = origin !== null && hostOf(origin) !== host.toLowerCase();
  if (foreign || site === "cross-site" || site === "same-site") return "Another site's page has sent this.";
  return null;
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^-/, "").toLowerCase();
  return plain.startsWith("127.") || plain === "::1" || plain === "localhost";
}

/** "localhost:8080", "127.0.0.1", "[::1]:8080": no name server has a say in it. */
function isAddress(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name);
}

/** Host and port of "http://host:port"; null where it is no such thing ("null", other schemes). */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1]?.toLowerCase() ?? null;
}
