import type { Call } from "../../call/call.ts";
import { CommandError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";

/** DEBUG PROTOCOL: one reply of each type, for those who test their parsers. */

const TYPES: Readonly<Record<string, (reply: ReplyWriter) => void>> = {
  string: (reply) => reply.bulkText("Hello World"),
  integer: (reply) => reply.int(12345),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: it is the number that Redis replies with.
  double: (reply) => reply.double(3.141),
  bignum: (reply) => reply.bigNumber("1234567999999999999999999999999999999"),
  null: (reply) => reply.nil(),
  array: (reply) => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.int(i);
  },
  set: (reply) => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.int(i);
  },
  map: (reply) => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.int(i);
      reply.bool(i === 1);
    }
  },
  attrib: (reply) => {
    if (reply.resp === 3) {
      reply.attribute(1);
      reply.bulkText("key-popularity");
      reply.array(2);
      reply.bulkText("key:123");
      reply.int(90);
    }
    reply.bulkText("Some real reply following the attribute");
  },
  push: (reply) => {
    if (reply.resp < 3) throw new CommandError("ERR RESP2 is not supported by this command");
    // What is pushed by a command comes behind the command's own reply.
    reply.bulkText("Some real reply following the push reply");
    reply.push(2);
    reply.bulkText("server-cpu-usage");
    reply.int(42);
  },
  verbatim: (reply) => reply.verbatim("txt", "This is a verbatim\nstring"),
  true: (reply) => reply.bool(true),
  false: (reply) => reply.bool(false),
};

export function protocol(call: Call): void {
  const name = call.text(2).toLowerCase();
  const write = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (write === undefined)
    throw new CommandError(
      "ERR Wrong protocol type name. Please use one of the following: " +
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
    );
  write(call.reply);
}
