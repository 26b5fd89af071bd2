import assert from "node:assert/strict";
import { judge, type Known } from "../../../simulator/be/service/heartbeat.js";
import { featuresOf } from "../../../simulator/be/settings/build.js";
import type { MasterInfo } from "../../../simulator/thrift/structs.js";

const info: MasterInfo = {
  networkAddress: { hostname: "10.0.0.1", port: 9020 },
  clusterId: 7,
  epoch: 5,
  token: "t",
  backendIp: "10.0.0.21",
  nodeType: 0,
};
const known: Known = { isComputeNode: false, localhost: "10.0.0.21", master: info, clusterId: 7 };

describe("simulator: which FE a BE follows", () => {
  const cases: readonly (readonly [string, Partial<MasterInfo>, Partial<Known>, string])[] = [
    ["an older epoch", { epoch: 4 }, {}, "Out-dated epoch"],
    ["another token", { token: "u" }, {}, "Unmatched token"],
    ["another cluster", { clusterId: 8 }, {}, "Unmatched cluster id"],
    ["another cluster after a restart", { clusterId: 8 }, { master: undefined }, "Unmatched cluster id"],
    ["another address", { backendIp: "10.0.0.22" }, {}, "FE saved address not match backend address"],
    [
      "an FE that calls itself localhost",
      { networkAddress: { hostname: "127.0.0.1", port: 9020 } },
      {},
      "FE heartbeat with localhost ip but BE is not deployed on the same machine",
    ],
    ["a BE that is a CN", {}, { isComputeNode: true }, "expect to be BE but actually CN,Unmatched node type!"],
    ["a CN that is a BE", { nodeType: 1 }, {}, "expect to be CN but actually BE,Unmatched node type!"],
  ];
  for (const [name, change, state, message] of cases) {
    it(`refuses ${name}`, () => {
      const verdict = judge({ ...info, ...change }, { ...known, ...state }, featuresOf("3.5.7"));
      assert.deepEqual(verdict, { kind: "refuse", message });
    });
  }

  it("accepts its own leader, a newer epoch, and anyone when it has no cluster yet", () => {
    for (const [change, state] of [
      [{}, {}],
      [{ epoch: 6 }, {}],
      [
        { clusterId: 99, token: "x", epoch: 1 },
        { master: undefined, clusterId: undefined },
      ],
    ] as const) {
      assert.deepEqual(judge({ ...info, ...change }, { ...known, ...state }, featuresOf("3.5.7")), { kind: "accept" });
    }
  });

  it("looks up the name that an FE uses for it", () => {
    const verdict = judge({ ...info, backendIp: "be1.test" }, known, featuresOf("3.5.7"));
    assert.deepEqual(verdict, { kind: "resolve", name: "be1.test" });
  });

  it("has other words in 2.3", () => {
    const old = (change: Partial<MasterInfo>) => judge({ ...info, ...change }, known, featuresOf("2.3.0"));
    assert.deepEqual(old({ clusterId: 8 }), { kind: "refuse", message: "invalid cluster id. ignore." });
    assert.deepEqual(old({ backendIp: "10.0.0.22" }), {
      kind: "refuse",
      message: "actual backend local ip: 10.0.0.21",
    });
  });
});
