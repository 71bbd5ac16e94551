// Listening, clients and TLS.

import { bool, choice, integer, memory, memoryOrPercent, octal, string } from "../kinds.ts";
import { INT_MAX, LONG_MAX, UINT_MAX } from "../numbers.ts";
import { bindAddresses, bufferLimits } from "../special.ts";

const MB = 1024 * 1024;
const FIXED = { immutable: true } as const;
const UNSET = { emptyIsUnset: true } as const;
const TLS_FILE = { emptyIsUnset: true, volatile: true } as const;

export const networkDirectives = [
  integer("port", 6379, 0, 65535),
  bindAddresses("bind", ["*", "-::*"]),
  string("bind-source-addr", "", UNSET),
  string("unixsocket", "", { immutable: true, emptyIsUnset: true }),
  octal("unixsocketperm", 0, 0o777, FIXED),
  integer("tcp-backlog", 511, 0, INT_MAX, FIXED),
  integer("tcp-keepalive", 300, 0, INT_MAX),
  integer("socket-mark-id", 0, 0, UINT_MAX, FIXED),
  bool("protected-mode", true),
  integer("io-threads", 1, 1, 128, FIXED),
  bool("io-threads-do-reads", false, FIXED),
  // redbun's own: metrics and a page over HTTP (console/). 0: off.
  integer("console-port", 0, 0, 65535),
  bindAddresses("console-bind", ["127.0.0.1"]),
  // And this: whether replies to many clients go out by one system call, where the system can (host/send-ring.ts).
  bool("io-uring", true),

  integer("maxclients", 10_000, 1, UINT_MAX),
  integer("timeout", 0, 0, INT_MAX),
  memoryOrPercent("maxmemory-clients", 0, LONG_MAX),
  bufferLimits("client-output-buffer-limit", {
    normal: { hard: 0, soft: 0, seconds: 0 },
    replica: { hard: 256 * MB, soft: 64 * MB, seconds: 60 },
    pubsub: { hard: 32 * MB, soft: 8 * MB, seconds: 60 },
  }),
  memory("client-query-buffer-limit", 1024 * MB, MB, LONG_MAX),
  memory("proto-max-bulk-len", 512 * MB, MB, LONG_MAX),
  integer("tracking-table-max-keys", 1_000_000, 0, LONG_MAX),

  integer("tls-port", 0, 0, 65535),
  integer("tls-session-cache-size", 20 * 1024, 0, INT_MAX),
  integer("tls-session-cache-timeout", 300, 0, INT_MAX),
  bool("tls-cluster", false),
  bool("tls-replication", false),
  choice("tls-auth-clients", "yes", ["no", "yes", "optional"]),
  bool("tls-prefer-server-ciphers", false),
  bool("tls-session-caching", true),
  string("tls-cert-file", "", TLS_FILE),
  string("tls-key-file", "", TLS_FILE),
  string("tls-key-file-pass", "", UNSET),
  string("tls-client-cert-file", "", TLS_FILE),
  string("tls-client-key-file", "", TLS_FILE),
  string("tls-client-key-file-pass", "", UNSET),
  string("tls-dh-params-file", "", TLS_FILE),
  string("tls-ca-cert-file", "", TLS_FILE),
  string("tls-ca-cert-dir", "", TLS_FILE),
  string("tls-protocols", "", UNSET),
  string("tls-ciphers", "", UNSET),
  string("tls-ciphersuites", "", UNSET),
] as const;
