import assert from "node:assert/strict";
import { showBackends, showComputeNodes, showFrontends } from "../../../provider/starrocks/show.js";
import type { Row } from "../../../provider/starrocks/sql.js";
import { session } from "./session.js";

/** Literally from a 3.5.7. */
const leader: Row = {
  Id: "1",
  Name: "10.77.0.11_9010_1795380225560",
  IP: "10.77.0.11",
  EditLogPort: "9010",
  HttpPort: "8030",
  QueryPort: "9030",
  RpcPort: "9020",
  Role: "LEADER",
  ClusterId: "1316123523",
  Join: "true",
  Alive: "true",
  ReplayedJournalId: "211",
  LastHeartbeat: "2026-11-22 20:55:00",
  IsHelper: "true",
  ErrMsg: "",
  StartTime: "2026-11-22 20:53:21",
  Version: "3.5.8-e58b001",
};

const justAdded: Row = {
  ...leader,
  Role: "FOLLOWER",
  QueryPort: "0",
  RpcPort: "0",
  Join: "false",
  Alive: "false",
  ReplayedJournalId: "0",
  LastHeartbeat: "NULL",
  StartTime: "NULL",
  Version: "NULL",
};

const backend: Row = {
  BackendId: "10004",
  IP: "10.77.0.21",
  HeartbeatPort: "9050",
  BePort: "9060",
  HttpPort: "8040",
  BrpcPort: "8060",
  LastStartTime: "2026-11-22 20:50:00",
  LastHeartbeat: "2026-11-22 20:55:00",
  Alive: "true",
  SystemDecommissioned: "false",
  ClusterDecommissioned: "false",
  TabletNum: "86",
  ErrMsg: "",
  Version: "3.5.7-d2da301",
  Location: "",
  StatusCode: "OK",
};

describe("show", () => {
  describe("showFrontends", () => {
    it("reads a leader", async () => {
      assert.deepEqual(await showFrontends(session([leader])), [
        {
          name: "10.77.0.11_9010_1795380225560",
          address: "10.77.0.11",
          editLogPort: 9010,
          httpPort: 8030,
          queryPort: 9030,
          rpcPort: 9020,
          role: "leader",
          join: true,
          alive: true,
          replayedJournalId: 211,
          lastHeartbeat: "2026-11-22 20:55:00",
          errMsg: "",
          startTime: "2026-11-22 20:53:21",
          version: "3.5.8-e58b001",
          clusterId: "1316123523",
        },
      ]);
    });

    it("reads the text NULL as absent", async () => {
      const [row] = await showFrontends(session([justAdded]));
      assert.ok(row && !("startTime" in row) && !("version" in row) && !("lastHeartbeat" in row));
      assert.equal(row?.queryPort, 0);
    });

    const roles: [Row, string][] = [
      [{ Role: "LEADER" }, "leader"],
      [{ Role: "MASTER" }, "leader"],
      [{ Role: "FOLLOWER", IsMaster: "true" }, "leader"],
      [{ Role: "FOLLOWER", IsMaster: "false" }, "follower"],
      [{ Role: "FOLLOWER" }, "follower"],
      [{ Role: "OBSERVER" }, "observer"],
      [{ Role: "UNKNOWN" }, "unknown"],
    ];
    for (const [columns, role] of roles) {
      it(`reads ${JSON.stringify(columns)} as ${role}`, async () => {
        const [row] = await showFrontends(session([{ ...leader, ...columns }]));
        assert.equal(row?.role, role);
      });
    }

    it("says which column it missed", async () => {
      await assert.rejects(showFrontends(session([{ Host: "h" }])), /Expected a column Name .* got the columns Host/);
    });
  });

  describe("showBackends", () => {
    it("reads a row", async () => {
      assert.deepEqual(await showBackends(session([backend])), [
        {
          id: "10004",
          address: "10.77.0.21",
          heartbeatPort: 9050,
          bePort: 9060,
          httpPort: 8040,
          brpcPort: 8060,
          alive: true,
          decommissioned: false,
          tabletNum: 86,
          errMsg: "",
          lastStartTime: "2026-11-22 20:50:00",
          lastHeartbeat: "2026-11-22 20:55:00",
          version: "3.5.7-d2da301",
          statusCode: "OK",
        },
      ]);
    });

    it("sees either kind of decommission", async () => {
      for (const column of ["SystemDecommissioned", "ClusterDecommissioned"]) {
        assert.equal((await showBackends(session([{ ...backend, [column]: "true" }])))[0]?.decommissioned, true);
      }
    });

    it("reads an old version's columns", async () => {
      const { StatusCode: _, Location: __, ...old } = backend;
      const [row] = await showBackends(session([{ ...old, Cluster: "default_cluster" }]));
      assert.ok(row && !("statusCode" in row));
    });

    it("reads compute nodes, which have no tablets", async () => {
      const { BackendId: id = null, TabletNum: _, ...rest } = backend;
      const sql = session([{ ...rest, ComputeNodeId: id }]);
      assert.equal((await showComputeNodes(sql))[0]?.tabletNum, 0);
      assert.deepEqual(sql.asked, ["SHOW COMPUTE NODES"]);
    });
  });
});
