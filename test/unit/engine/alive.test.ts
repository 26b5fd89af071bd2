import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { engineAlive } from "../../../provider/engine/alive.js";

describe("engineAlive", () => {
  it("does not take the missing engine of a test or script for a dead one", async () => {
    assert.equal(await engineAlive(), true);
  });

  it("is true while somebody listens at the address that the engine gave, and false afterwards", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    process.argv.push(`127.0.0.1:${port}`);
    try {
      assert.equal(await engineAlive(), true);
      server.close();
      await once(server, "close");
      assert.equal(await engineAlive(), false);
    } finally {
      process.argv.pop();
    }
  });
});
