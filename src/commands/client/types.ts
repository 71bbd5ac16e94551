import type { Call } from "../../call/call.ts";
import type { Session } from "../../call/session.ts";
import { CommandError } from "../../resp/errors.ts";

/** Client types; "slave" and "replica" are the same, and so are "master" and Valkey's "primary". */
const TYPES = ["normal", "slave", "replica", "pubsub", "master", "primary"] as const;
export type ClientType = (typeof TYPES)[number];

export function clientTypeArgument(call: Call, i: number): ClientType {
  const name = call.text(i).toLowerCase();
  const type = TYPES.find((each) => each === name);
  if (type === undefined) throw new CommandError(`ERR Unknown client type '${call.text(i)}'`);
  return type;
}

export function isOfType(session: Session, type: ClientType): boolean {
  if (session.role === "replica") return type === "slave" || type === "replica";
  if (session.role === "master") return type === "master" || type === "primary";
  return type === (session.subscribed ? "pubsub" : "normal");
}
