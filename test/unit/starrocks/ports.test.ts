import assert from "node:assert/strict";
import {
  beDefaultPorts,
  bePortAliases,
  bePortSettings,
  feDefaultPorts,
  fePortSettings,
} from "../../../provider/starrocks/ports.js";
import { versionOf } from "../../../provider/starrocks/versions.js";

describe("ports", () => {
  it("writes an FE's ports", () => {
    assert.deepEqual(fePortSettings(feDefaultPorts), {
      http_port: "8030",
      rpc_port: "9020",
      query_port: "9030",
      edit_log_port: "9010",
    });
  });

  const byVersion: [string, Record<string, string>, string][] = [
    [
      "2.2.0",
      { be_port: "9060", webserver_port: "8040", heartbeat_service_port: "9050", brpc_port: "8060" },
      "be_http_port",
    ],
    [
      "3.5.7",
      {
        be_port: "9060",
        be_http_port: "8040",
        heartbeat_service_port: "9050",
        brpc_port: "8060",
        starlet_port: "9070",
      },
      "webserver_port",
    ],
  ];
  for (const [version, settings, alias] of byVersion) {
    it(`writes a BE's ports as ${version} calls them`, () => {
      assert.deepEqual(bePortSettings(beDefaultPorts, versionOf(version)), settings);
      assert.deepEqual(bePortAliases(versionOf(version)), [alias]);
    });
  }
});
