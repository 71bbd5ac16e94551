import { afterAll, beforeAll, expect, test } from "bun:test";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-module-command", "yes"]);
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

test("MODULE: there are none, and none can be loaded", async () => {
  expect(await client.call("MODULE", "LIST")).toEqual([]);
  expect(((await client.call("MODULE", "HELP")) as string[])[1]).toBe("LIST");
  const refused = new ReplyError("ERR Error loading the extension. Please check the server logs.");
  expect(await client.call("MODULE", "LOAD", "/nowhere.so")).toEqual(refused);
  expect(await client.call("MODULE", "LOADEX", "/nowhere.so", "ARGS", "1")).toEqual(refused);
  expect(await client.call("MODULE", "UNLOAD", "nothing")).toEqual(
    new ReplyError("ERR Error unloading module: no such module with that name"),
  );
});

test("MODULE LOAD is forbidden by default, LIST is not", async () => {
  const other = await startServer();
  const there = await RespClient.open(other.port);
  expect(await there.call("MODULE", "LIST")).toEqual([]);
  const refusal = (await there.call("MODULE", "LOAD", "x")) as ReplyError;
  expect(refusal.message).toStartWith("ERR MODULE command not allowed.");
  there.close();
  await other.stop();
});
