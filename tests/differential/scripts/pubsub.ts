/** Publish and subscribe as far as each command has one reply; messages are in tests/command/pubsub.test.ts. */
import type { Scripts } from "../lib/suite.ts";

export const PUBSUB: Scripts = {
  "asking and arguments": `
    PUBSUB
    sorted PUBSUB CHANNELS
    PUBSUB CHANNELS a b
    PUBSUB NUMSUB
    PUBSUB NUMSUB x y
    PUBSUB NUMPAT
    PUBSUB NUMPAT x
    PUBSUB SHARDCHANNELS
    PUBSUB SHARDNUMSUB x
    PUBSUB FOO
    PUBSUB HELP
    PUBLISH a
    PUBLISH a b
    SPUBLISH a b
    SPUBLISH a
    SUBSCRIBE
    SSUBSCRIBE
    PSUBSCRIBE
    UNSUBSCRIBE
    UNSUBSCRIBE nowhere
    PUNSUBSCRIBE
    PUNSUBSCRIBE nowhere*
    SUNSUBSCRIBE
    SUNSUBSCRIBE nowhere
  `,
  subscribing: `
    SUBSCRIBE a
    PING
    PING hello
    SUBSCRIBE a
    PSUBSCRIBE "p\\x00*"
    SUBSCRIBE "b\\r\\n"
    GET k
    sorted PUBSUB CHANNELS
    EVERYTHING
    SSUBSCRIBE s
    UNSUBSCRIBE a
    UNSUBSCRIBE a
    PUNSUBSCRIBE
    UNSUBSCRIBE "b\\r\\n"
    UNSUBSCRIBE
    GET k
    SUNSUBSCRIBE s
    GET k
    SSUBSCRIBE t
    SUNSUBSCRIBE t
    SUNSUBSCRIBE
    sorted PUBSUB CHANNELS
  `,
};
