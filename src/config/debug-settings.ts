// What DEBUG sets for tests: not part of the configuration, gone with the process. Whoever is concerned reads it.

export class DebugSettings {
  /** SET-DISABLE-DENY-SCRIPTS: scripts may call what they otherwise may not. */
  disableDenyScripts = false;
  /** SET-SKIP-CHECKSUM-VALIDATION: RESTORE and loading take what they get. */
  skipChecksums = false;
  /** QUICKLIST-PACKED-THRESHOLD: bytes from which on a list element gets a node of its own; 0: the default. */
  packedThreshold = 0;
  /** AOF-FLUSH-SLEEP: microseconds to wait before a flush. */
  aofFlushSleep = 0;
}
