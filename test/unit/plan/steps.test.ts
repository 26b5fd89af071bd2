import assert from "node:assert/strict";
import { type Action, nodeSteps } from "../../../provider/plan/node.js";
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
  const table: readonly { what: string; action: Action; steps: string }[] = [
    { what: "nothing", action: { type: "none" }, steps: "" },
    { what: "a record", action: { type: "record", fields: ["limits"] }, steps: "" },
    { what: "a first start", action: { type: "create" }, steps: "folders [stop] switch configure start prove" },
    {
      what: "a repair",
      action: { type: "repair", status: "stopped" },
      steps: "folders switch configure [start] prove",
    },
    {
      what: "a restart",
      action: { type: "restart", fields: ["config"] },
      steps: "folders turn stop configure start prove",
    },
    { what: "a version change", action: version, steps: "folders turn stop switch [configure] start prove" },
    {
      what: "a version change with another setting",
      action: { ...version, fields: ["config"] },
      steps: "folders turn stop switch configure start prove",
    },
  ];
  for (const { what, action, steps } of table) {
    it(`of ${what}: ${steps || "none"}`, () => {
      assert.equal(verbs(action, be({ release: next })), steps);
      assert.equal(verbs(action, fe({ release: next })), steps);
    });
  }

  it("stops before it switches, and takes a turn before it stops", () => {
    for (const action of [version, { type: "restart", fields: ["config"] } as const]) {
      const order = nodeSteps(action, be({ release: next })).map(({ verb }) => verb);
      assert.ok(order.indexOf("turn") < order.indexOf("stop"));
      assert.ok(order.indexOf("stop") < order.indexOf(action.type === "version" ? "switch" : "configure"));
      assert.equal(order.at(-1), "prove");
    }
  });

  it("reads as sentences in a BE's version change", () => {
    assert.deepEqual(numbered(nodeSteps(version, be({ release: next, storage: ["/disk1/sr", "/disk2/sr"] }))), [
      "1. make /opt/starrocks/be and /disk1/sr, /disk2/sr where they are missing",
      "2. wait for its turn among the BEs",
      "3. stop the BE 3.5.6 and prove that its process is gone",
      "4. switch /opt/starrocks/be/current from 3.5.6 to 3.5.7",
      "5. write the declared settings into /opt/starrocks/be/conf/be.conf (only if the file lost a declared setting)",
      "6. start the BE 3.5.7",
      "7. prove it: a new process, /api/health OK, Alive with 3.5.7 in SHOW BACKENDS where the cluster knows it",
    ]);
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

  it("names the settings' fields of a restart", () => {
    const steps = nodeSteps({ type: "restart", fields: ["config", "ports"] }, be());
    assert.ok(steps.some(({ text }) => text === "write be.conf: config, ports changed"));
  });
});
