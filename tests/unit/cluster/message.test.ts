import { describe, expect, test } from "bun:test";
import {
  decode,
  type Extension,
  encodeFail,
  encodePlain,
  encodePresence,
  encodePublish,
  encodeUpdate,
  type GossipEntry,
  HEADER_LENGTH,
  type Header,
  MESSAGE_FLAG,
  type Message,
  SLOT_BYTES,
  TYPE,
} from "../../../src/cluster/message.ts";
import { seeded } from "../bytes/random.ts";

/** The bus's messages: where each thing stands, there and back, and what is no message. */

const NAME = "0123456789abcdef0123456789abcdef01234567";
const OTHER = "f".repeat(40);

function header(type: number, more: Partial<Header> = {}): Header {
  const slots = new Uint8Array(SLOT_BYTES);
  slots[0] = 0b101;
  slots[2047] = 0x80;
  return {
    type,
    port: 6379,
    otherPort: 6380,
    busPort: 16379,
    currentEpoch: 7,
    configEpoch: 5,
    offset: 2 ** 40 + 3,
    sender: NAME,
    slots,
    master: "",
    ip: "10.0.0.1",
    flags: 0x201,
    ok: true,
    messageFlags: 0,
    ...more,
  };
}

function whole(bytes: Uint8Array): Message {
  const message = decode(bytes);
  if (message === null || typeof message === "string") throw new Error(String(message));
  return message;
}

test("the header's fields stand where Redis has them", () => {
  const bytes = encodePlain(header(TYPE.mfstart, { ok: false, master: OTHER, messageFlags: 1 }));
  const view = new DataView(bytes.buffer);
  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe("RCmb");
  expect(bytes.length).toBe(2256);
  expect([view.getUint32(4), view.getUint16(8), view.getUint16(10), view.getUint16(12)]).toEqual([
    2256, 1, 6379, 8,
  ]);
  expect([view.getBigUint64(16), view.getBigUint64(24), view.getBigUint64(32)]).toEqual([
    7n,
    5n,
    2n ** 40n + 3n,
  ]);
  expect(Buffer.from(bytes.subarray(40, 80)).toString()).toBe(NAME);
  expect([bytes[80], bytes[80 + 2047]]).toEqual([5, 0x80]);
  expect(Buffer.from(bytes.subarray(2128, 2168)).toString()).toBe(OTHER);
  expect(Buffer.from(bytes.subarray(2168, 2177)).toString()).toBe("10.0.0.1\0");
  expect([view.getUint16(2246), view.getUint16(2248), view.getUint16(2250)]).toEqual([6380, 16379, 0x201]);
  expect([bytes[2252], bytes[2253]]).toEqual([1, 1]);
});

const GOSSIP: GossipEntry = {
  name: OTHER,
  pingSent: 1,
  pongReceived: 1_700_000_000,
  ip: "fe80::1",
  port: 1,
  otherPort: 2,
  busPort: 3,
  flags: 2,
};
const EXTENSIONS: Extension[] = [
  { type: "hostname", text: "host.example" },
  { type: "humanName", text: "seven77" },
  { type: "forgottenNode", name: OTHER, seconds: 59 },
  { type: "shardId", text: NAME },
];

describe("there and back", () => {
  test("PING with gossip and extensions", () => {
    for (const gossip of [[], [GOSSIP], [GOSSIP, { ...GOSSIP, name: NAME }]])
      for (const extensions of [[], EXTENSIONS.slice(0, 1), EXTENSIONS]) {
        const bytes = encodePresence(header(TYPE.ping), gossip, extensions);
        const message = whole(bytes);
        expect(message.body).toEqual({ kind: "presence", gossip, extensions });
        const flag = extensions.length > 0 ? MESSAGE_FLAG.extensions : 0;
        expect(message.header).toEqual(header(TYPE.ping, { messageFlags: flag }));
      }
  });

  test("extensions are padded to eight bytes", () => {
    const { length } = encodePresence(header(TYPE.pong), [], [{ type: "hostname", text: "12345678" }]);
    expect(length).toBe(HEADER_LENGTH + 8 + 16);
  });

  test("FAIL, PUBLISH, PUBLISHSHARD, UPDATE and those without a body", () => {
    expect(whole(encodeFail(header(TYPE.fail), OTHER)).body).toEqual({ kind: "fail", name: OTHER });
    const channel = Buffer.from("news");
    const text = Buffer.from("a\r\n\0b");
    for (const type of [TYPE.publish, TYPE.publishShard]) {
      const { body } = whole(encodePublish(header(type), channel, text));
      if (body.kind !== "publish") throw new Error(body.kind);
      expect([Buffer.from(body.channel).toString(), Buffer.from(body.message).toString()]).toEqual([
        "news",
        "a\r\n\0b",
      ]);
    }
    const { slots } = header(0);
    const update = { configEpoch: 99, name: OTHER, slots };
    expect(whole(encodeUpdate(header(TYPE.update), update)).body).toEqual({ kind: "update", ...update });
    for (const type of [TYPE.authRequest, TYPE.authAck, TYPE.mfstart])
      expect(whole(encodePlain(header(type))).body).toEqual({ kind: "nothing" });
  });
});

describe("what is no message", () => {
  test("another version is not for us", () => {
    const bytes = encodePlain(header(TYPE.authAck));
    new DataView(bytes.buffer).setUint16(8, 2);
    expect(decode(bytes)).toBeNull();
  });

  test("a length that does not fit is told", () => {
    const bytes = encodeFail(header(TYPE.fail), OTHER);
    expect(decode(bytes.subarray(0, bytes.length - 1))).toBe(
      "Received invalid fail packet of length 2295 but expected length 2296",
    );
  });

  test("extensions that lead nowhere are told", () => {
    const bytes = encodePresence(header(TYPE.ping), [], EXTENSIONS.slice(0, 1));
    const view = new DataView(bytes.buffer);
    view.setUint32(HEADER_LENGTH, 12);
    expect(decode(bytes)).toContain("without proper padding");
    view.setUint32(HEADER_LENGTH, 4096);
    expect(decode(bytes)).toContain("exceeds total packet length");
    view.setUint32(HEADER_LENGTH, 0);
    expect(decode(bytes)).toContain("without proper padding");
  });

  test("whatever comes: a message, a text, or nothing; never an exception", () => {
    const random = seeded("bus messages");
    const good = [
      encodePresence(header(TYPE.ping), [GOSSIP, GOSSIP], EXTENSIONS),
      encodePublish(header(TYPE.publish), Buffer.from("c"), Buffer.from("message")),
      encodeUpdate(header(TYPE.update), { configEpoch: 1, name: NAME, slots: header(0).slots }),
    ];
    for (let i = 0; i < 3000; i++) {
      const bytes = random.pick(good).slice();
      for (let n = random.below(6); n >= 0; n--) {
        // Mostly where the numbers are.
        const at = random.pick([random.below(80), 2210 + random.below(bytes.length - 2210)]);
        bytes[at] = random.below(256);
      }
      const cut =
        random.below(4) === 0 ? HEADER_LENGTH + random.below(bytes.length - HEADER_LENGTH) : bytes.length;
      decode(bytes.subarray(0, cut));
    }
  });
});
