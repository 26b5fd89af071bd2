import assert from "node:assert/strict";
import { type Action, type Manner, nodeSteps, type Status } from "../../../provider/plan/node.js";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import { numbered } from "../../../provider/plan/steps.js";
import { be, fe, releases } from "./specs.js";

const next = releases["3.5.7"];
const version: Action = { type: "version", from: releases["3.5.6"], to: next, fields: [] };

/** The verbs in their order; conditional ones in brackets. */
const verbs = (action: Action, spec: NodeSpec): string =>
  nodeSteps(action, spec)
    .map(({ verb, when }) => (when === undefined ? verb : `[${verb}]`))
    .join(" ");

describe("nodeSteps", () => {
  const table: readonly { what: string; action: Action; steps: string; frontend?: string }[] = [
    { what: "nothing", action: { type: "none" }, steps: "" },
    { what: "a record", action: { type: "record", fields: ["limits"] }, steps: "" },
    { what: "a first start", action: { type: "create" }, steps: "folders [stop] switch configure start prove" },
    {
      what: "a repair",
      action: { type: "repair", status: "stopped" },
      steps: "folders [stop] switch configure [start] prove",
    },
    {
      what: "a restart",
      action: { type: "restart", fields: ["config"] },
      steps: "folders turn tablets stop configure start prove heal [rollback]",
      frontend: "folders turn stop configure start prove [rollback]",
    },
    {
      what: "a version change",
      action: version,
      steps: "folders turn tablets stop switch [configure] start prove heal [rollback]",
      frontend: "folders turn stop switch [configure] start prove [rollback]",
    },
    {
      what: "a version change with another setting",
      action: { ...version, fields: ["config"] },
      steps: "folders turn tablets stop switch configure start prove heal [rollback]",
      frontend: "folders turn stop switch configure start prove [rollback]",
    },
  ];
  for (const { what, action, steps, frontend = steps } of table) {
    it(`of ${what}: ${steps || "none"}`, () => {
      assert.equal(verbs(action, be({ release: next })), steps);
      assert.equal(verbs(action, fe({ release: next })), frontend);
    });
  }

  it("stops before it switches, and takes a turn before it stops", () => {
    for (const action of [version, { type: "restart", fields: ["config"] } as const]) {
      const order = nodeSteps(action, be({ release: next })).map(({ verb }) => verb);
      assert.ok(order.indexOf("turn") < order.indexOf("stop"));
      assert.ok(order.indexOf("stop") < order.indexOf(action.type === "version" ? "switch" : "configure"));
      assert.ok(order.indexOf("start") < order.indexOf("prove"));
    }
  });

  it("reads as sentences in a BE's version change", () => {
    assert.deepEqual(numbered(nodeSteps(version, be({ release: next, storage: ["/disk1/sr", "/disk2/sr"] }))), [
      "1. make /opt/starrocks/be and /disk1/sr, /disk2/sr where they are missing",
      "2. wait for its turn among the BEs",
      "3. wait until no tablet is worse off without it than its table's replication allows",
      "4. stop the BE 3.5.6 and prove that its process is gone",
      "5. switch /opt/starrocks/be/current from 3.5.6 to 3.5.7",
      "6. write the declared settings into /opt/starrocks/be/conf/be.conf (only if the file lost a declared setting)",
      "7. start the BE 3.5.7",
      "8. prove it: a new process, /api/health OK, Alive with 3.5.7 in SHOW BACKENDS where the cluster knows it",
      "9. wait until its tablets have caught up",
      "10. switch /opt/starrocks/be/current back to 3.5.6, start it and prove it (only if a step after the stop fails)",
    ]);
  });

  it("takes an FE back from 3.0 only where it was not started there", () => {
    const [from, to] = ["2.5.21", "3.0.9"].map((text) => ({ id: `${text}-aaaaaaaaaaaa`, version: text }));
    assert.ok(from && to);
    const way = (spec: NodeSpec) => nodeSteps({ type: "version", from, to, fields: [] }, spec).at(-1)?.when;
    assert.equal(
      way(fe({ release: to })),
      "if a step after the stop fails, and before its start: 2.5.21 cannot open its bdb then",
    );
    assert.equal(way(be({ release: to })), "if a step after the stop fails");
  });

  it("reads as sentences in an FE's first start", () => {
    assert.deepEqual(numbered(nodeSteps({ type: "create" }, fe({ metaDir: "/data/meta" }))), [
      "1. make /opt/starrocks/fe and /data/meta where they are missing",
      "2. stop the FE (only if it runs already, with another release or other settings)",
      "3. make 3.5.6 the current release of /opt/starrocks/fe",
      "4. write the declared settings into /opt/starrocks/fe/conf/fe.conf",
      "5. start the FE 3.5.6",
      "6. prove it: a new process, /api/bootstrap OK, 3.5.6 by a query through it; or waiting to be added, or for a majority",
    ]);
  });

  it("lets a canary be watched, queried and, where that is wanted, rebuilt", () => {
    const manner = { group: false, canary: { soak: 60, verify: true, rebuild: true } };
    assert.deepEqual(
      nodeSteps(version, be({ release: next }), manner)
        .slice(-4)
        .map(({ verb, when }) => (when === undefined ? verb : `[${verb}]`)),
      ["soak", "verify", "[rollback]", "[rebuild]"],
    );
  });

  it("proves a canary on which an operation failed anew, and rebuilds it where that is wanted; not one that was only seen down", () => {
    const canary = { soak: 60, verify: true, rebuild: true };
    const further = (status: Status, manner: Manner) => {
      const verbs = nodeSteps({ type: "repair", status }, be(), manner).map(({ verb }) => verb);
      return verbs.slice(verbs.indexOf("prove") + 1);
    };
    assert.deepEqual(further("failed", { group: false, canary }), ["heal", "soak", "verify", "rebuild"]);
    assert.deepEqual(further("failed", { group: false, canary: { ...canary, rebuild: false, verify: false } }), [
      "heal",
      "soak",
    ]);
    assert.deepEqual(further("failed", { group: false }), []);
    assert.deepEqual(further("stopped", { group: false, canary }), []);
  });

  it("lets a follower of a group hand leadership over before it stops", () => {
    const steps = nodeSteps(version, fe({ role: "follower", release: next }), { group: true }).map(({ verb }) => verb);
    assert.equal(steps.indexOf("handover") + 1, steps.indexOf("stop"));
    for (const role of ["leader", "observer"] as const) {
      const others = nodeSteps(version, fe({ role, release: next }), { group: true });
      assert.equal(
        others.some(({ verb }) => verb === "handover"),
        false,
      );
    }
  });

  it("names the settings' fields of a restart", () => {
    const steps = nodeSteps({ type: "restart", fields: ["config", "ports"] }, be());
    assert.ok(steps.some(({ text }) => text === "write be.conf: config, ports changed"));
  });
});
