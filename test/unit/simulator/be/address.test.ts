import assert from "node:assert/strict";
import { chooseAddress } from "../../../simulator/be/settings/address.js";

describe("simulator: priority_networks", () => {
  const addresses = ["127.0.0.1", "10.0.0.5", "192.168.1.5", "::1"];
  for (const [networks, address, matched] of [
    ["", "10.0.0.5", true],
    ["192.168.0.0/16", "192.168.1.5", true],
    ["172.16.0.0/12;192.168.1.5/32", "192.168.1.5", true],
    ["172.16.0.0/12", "10.0.0.5", false],
    ["127.0.0.9/32", "127.0.0.9", true],
  ] as const) {
    it(`\`${networks}\` gives ${address}`, () => {
      assert.deepEqual(chooseAddress(networks, addresses), { ok: true, address, matched });
    });
  }

  it("falls back to loopback on a host with nothing else", () => {
    assert.deepEqual(chooseAddress("", ["127.0.0.1", "::1"]), { ok: true, address: "127.0.0.1", matched: true });
  });

  it("refuses what is not a network", () => {
    assert.deepEqual(chooseAddress("10.0.0.0/99", addresses), { ok: false, wrongNetwork: "10.0.0.0/99" });
  });
});
