import assert from "node:assert/strict";
import {
  beDefaultPorts,
  bePortAliases,
  bePortSettings,
  bePortUses,
  feDefaultPorts,
  fePortSettings,
  fePortUses,
  httpPortProblems,
  portProblems,
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

  it("lets an FE and a BE share a host with their defaults", () => {
    const uses = [...fePortUses("h1", "FE fe-1", feDefaultPorts), ...bePortUses("h1", "BE be-1", beDefaultPorts)];
    assert.deepEqual(portProblems(uses), []);
  });

  it("names both sides of a collision", () => {
    const uses = [
      ...fePortUses("h1", "FE fe-1", feDefaultPorts),
      ...bePortUses("h1", "BE be-1", { ...beDefaultPorts, be: 9030 }),
      ...bePortUses("h2", "BE be-2", { ...beDefaultPorts, be: 9030 }),
    ];
    assert.deepEqual(portProblems(uses), [
      "Port 9030 of h1 is claimed twice: ports.query of FE fe-1 and ports.be of BE be-1. Give one of them another.",
    ]);
  });

  for (const port of [0, 65536, 80.5, Number.NaN]) {
    it(`refuses ${port}`, () => {
      const [problem] = portProblems([{ host: "h1", node: "FE fe-1", argument: "ports.http", port }]);
      assert.match(problem ?? "", /ports\.http of FE fe-1 to be a port from 1 to 65535/);
    });
  }

  it("wants one HTTP port for all frontends", () => {
    const other = { ...feDefaultPorts, http: 8031 };
    assert.deepEqual(httpPortProblems([]), []);
    assert.deepEqual(
      httpPortProblems([
        { node: "fe-1", ports: feDefaultPorts },
        { node: "fe-2", ports: feDefaultPorts },
      ]),
      [],
    );
    assert.match(
      httpPortProblems([
        { node: "fe-1", ports: feDefaultPorts },
        { node: "fe-2", ports: other },
      ])[0] ?? "",
      /8031 on fe-2 and 8030 on fe-1/,
    );
  });
});
