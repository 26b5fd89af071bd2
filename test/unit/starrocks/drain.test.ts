import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { allowDrain } from "../../../provider/starrocks/drain.js";
import { versionOf } from "../../../provider/starrocks/versions.js";
import { loopback } from "./loopback.js";

const address = "127.0.0.1";

describe("allowDrain", () => {
  let server: Server;
  let asked: string[];
  let answer: string;
  beforeEach(async () => {
    asked = [];
    answer = '{"status": "OK", "msg": ""}';
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(answer);
    }).listen(0, address);
    await once(server, "listening");
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });
  const be = (version: string) => ({
    address,
    httpPort: (server.address() as AddressInfo).port,
    version: versionOf(version),
  });

  it("gives queries rounds of 10 s, rounded up", async () => {
    assert.equal(await allowDrain(loopback, be("3.5.7"), 45), true);
    assert.deepEqual(asked, ["POST /api/update_config?loop_count_wait_fragments_finish=5"]);
  });

  it("asks nothing of a version that would not wait", async () => {
    assert.equal(await allowDrain(loopback, be("3.3.9"), 45), false);
    assert.deepEqual(asked, []);
  });

  it("fails when the BE refuses, whatever its HTTP status", async () => {
    answer = '{"status": "BAD", "msg": "set loop_count_wait_fragments_finish failed"}';
    await assert.rejects(
      allowDrain(loopback, be("3.5.7"), 45),
      /did not take loop_count_wait_fragments_finish = 5.*failed/,
    );
  });
});
