import { latin1Bytes } from "../bytes/ascii.ts";
import { NOTIFY } from "../config/special.ts";
import type { KeyspaceListener } from "../keyspace/context.ts";
import type { Server } from "./server.ts";

/** What goes without a command that names it: everybody who would have learned it from one is told here. */
const DEL = latin1Bytes("DEL");
const HDEL = latin1Bytes("HDEL");

export function removals(server: Server): KeyspaceListener {
  return {
    localExpiry: (database, hash) => {
      if (server.replication.isReplica) server.localExpiries.note(database, hash);
    },
    expired: (database, buf, start, end) => {
      database.event(NOTIFY.expired, "expired", buf, start, end);
      server.keyWatchers.expired(database.id, buf, start, end);
      if (server.effects.active) server.effects.command(database.id, [DEL, buf.subarray(start, end)]);
    },
    flushed: () => server.tracking.flushed(),
    fieldsExpired: (database, buf, start, end, fields) => {
      server.counters.expiredFields += fields.length;
      database.event(NOTIFY.hash, "hexpired", buf, start, end);
      const { events } = database.context;
      if (events.wantsFields)
        events.emitFields(NOTIFY.hash, "hexpired", database.id, buf, start, end, fields);
      server.keyWatchers.expired(database.id, buf, start, end);
      if (server.effects.active)
        server.effects.command(database.id, [HDEL, buf.subarray(start, end), ...fields]);
    },
  };
}
