import type { Acl } from "../../acl/acl.ts";
import type { Blocking } from "../../blocking/blocking.ts";
import type { Session } from "../../call/session.ts";
import type { Tracking } from "../../push/tracking.ts";

/** What CLIENT works with. */
export interface ClientDeps {
  readonly clock: { readonly now: number };
  readonly clients: {
    sessions(): Iterable<Session>;
    get(id: number): { readonly session: Session } | undefined;
  };
  readonly keyspace: { readonly count: number };
  readonly pause: {
    start(mode: "write" | "all", until: number, now: number): void;
    stop(): void;
  };
  readonly blocking: Pick<Blocking, "unblock">;
  readonly acl: Pick<Acl, "get">;
  readonly tracking: Pick<Tracking, "enable" | "disable">;
}
