import type { Session } from "../call/session.ts";
import type { Server } from "./server.ts";

/** A client that sent nothing for so long keeps no buffers. */
const IDLE_MS = 2000;

/** Once a second: clients that read too slowly or say nothing are ended, buffers they do not need go. */
export function checkClients(server: Server, tick: number): void {
  const { config, clock, recentBuffers } = server;
  if (tick % Math.max(1, Math.floor(config.values.hz)) !== 0) return;
  const { timeout } = config.values;
  server.memory.sample();
  server.memory.collectInSilence();
  recentBuffers.begin(Math.floor(clock.now / 1000));
  for (const connection of server.clients.connections()) {
    recentBuffers.note(connection.queryCapacity, connection.outputBytes);
    if (connection.outputBytes > 0) server.outputLimits.check(connection);
    const idle = clock.now - connection.session.lastInteraction;
    connection.reader.trim(idle > IDLE_MS);
    if (timeout > 0 && idle > timeout * 1000 && !isWatching(connection.session)) {
      server.log.verbose("Closing idle client");
      connection.close("now");
    }
  }
}

/** It waits for what others do, for as long as that takes: it is not idle. */
function isWatching(session: Session): boolean {
  return session.monitor || session.subscribed || session.role === "replica";
}
