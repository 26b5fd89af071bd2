import assert from "node:assert/strict";
import { ownAddressProblems } from "../../../../provider/resources/node/own-address.js";
import { be, fe } from "../../plan/specs.js";

describe("ownAddressProblems", () => {
  const addresses: readonly { key: string; value: string; address?: string; reason: RegExp | undefined }[] = [
    { key: "priority_networks", value: "10.0.0.0/8", reason: undefined },
    { key: "priority_networks", value: "192.168.0.0/16; 10.0.0.11", reason: undefined },
    { key: "priority_networks", value: "fd00::/8", address: "fd00::5", reason: undefined },
    { key: "priority_networks", value: "192.168.0.0/16", address: "fe-1.example", reason: undefined },
    {
      key: "priority_networks",
      value: "192.168.0.0/16;10.0.0.12/32",
      reason: /does not contain 10\.0\.0\.11, the node's `address`/,
    },
    { key: "priority_networks", value: "0.0.0.0/0", address: "fd00::5", reason: /does not contain fd00::5/ },
    { key: "priority_networks", value: "10.0.0.0/33", reason: /separated by `;`, got `10\.0\.0\.0\/33`/ },
    { key: "priority_networks", value: "10.0.0.0/8,192.168.0.0/16", reason: /separated by `;`/ },
    { key: "priority_networks", value: "", reason: /separated by `;`/ },
    { key: "frontend_address", value: "10.0.0.11", reason: undefined },
    { key: "frontend_address", value: "10.0.0.12", reason: /^10\.0\.0\.12 is not 10\.0\.0\.11/ },
    { key: "frontend_address", value: "fe-1.example", reason: /expected an IP address, got `fe-1\.example`/ },
  ];
  for (const { key, value, address = "10.0.0.11", reason } of addresses) {
    it(`${reason ? "refuses" : "takes"} ${key} "${value}" for ${address}`, () => {
      const found = ownAddressProblems(fe({ address, config: { [key]: value } }));
      const properties = found.map(({ property }) => property);
      assert.deepEqual(properties, reason ? [`config.${key}`] : []);
      assert.match(found[0]?.reason ?? "", reason ?? /^$/);
    });
  }

  it("leaves a BE's `frontend_address` alone, which it does not read", () => {
    assert.deepEqual(ownAddressProblems(be({ config: { frontend_address: "10.0.0.99" } })), []);
  });
});
