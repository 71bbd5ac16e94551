import { expect, test } from "bun:test";
import { BusLink } from "../../../src/cluster/link.ts";
import { encodePlain, encodePublish, SLOT_BYTES, TYPE } from "../../../src/cluster/message.ts";
import { seeded } from "../bytes/random.ts";

/** Messages out of chunks that are cut anywhere. */

function message(size: number): Uint8Array {
  const header = {
    type: size < 0 ? TYPE.mfstart : TYPE.publish,
    port: 1,
    otherPort: 0,
    busPort: 2,
    currentEpoch: 1,
    configEpoch: 1,
    offset: 0,
    sender: "a".repeat(40),
    slots: new Uint8Array(SLOT_BYTES),
    master: "",
    ip: "",
    flags: 1,
    ok: true,
    messageFlags: 0,
  };
  if (size < 0) return encodePlain(header);
  return encodePublish(header, Buffer.from("c"), new Uint8Array(size).fill(size & 0xff));
}

function listen(): { link: BusLink; got: string[]; complaints: string[] } {
  const got: string[] = [];
  const complaints: string[] = [];
  const link = new BusLink(true, {
    message: (_link, bytes) => got.push(Buffer.from(bytes).toString("base64")),
    opened() {},
    garbage: (_link, why) => complaints.push(why),
    closed() {},
  });
  return { link, got, complaints };
}

test("messages come whole however they are cut", () => {
  const random = seeded("bus link");
  const messages = [-1, 0, 10_000, 3, -1, 200_000, -1].map(message);
  const stream = Buffer.concat(messages);
  const expected = messages.map((bytes) => Buffer.from(bytes).toString("base64"));
  for (const most of [1, 7, 100, 5000, 300_000]) {
    const { link, got } = listen();
    for (let at = 0; at < stream.length; ) {
      const length = 1 + random.below(most);
      link.received(stream.subarray(at, at + length));
      at += length;
    }
    expect(got).toEqual(expected);
  }
});

test("what is no message ends the connection", () => {
  for (const garbage of ["GET / HTTP/1.1\r\n", "RCmb\0\0\0\x01....", "RCmb\xff\xff\xff\xff"]) {
    for (const cut of [0, 1, 5]) {
      const { link, got, complaints } = listen();
      const bytes = Buffer.from(garbage, "latin1");
      link.received(bytes.subarray(0, cut));
      link.received(bytes.subarray(cut));
      expect([link.closed, got.length, complaints.length]).toEqual([true, 0, 1]);
    }
  }
});
