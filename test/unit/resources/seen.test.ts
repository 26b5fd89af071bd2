import assert from "node:assert/strict";
import { decide, nodeSteps } from "../../../provider/plan/node.js";
import { recordedOf } from "../../../provider/resources/node/plan.js";
import { seenOf, statusOf } from "../../../provider/resources/node/seen.js";
import type { ObservedHome } from "../../../provider/starrocks/observe.js";
import type { ObservedProcess } from "../../../provider/starrocks/process.js";
import { be, releases } from "../plan/specs.js";
import { outputsOf, sample } from "./samples.js";

const secret = "hunter2-of-the-bucket";
const spec = be({ config: { object_storage_secret_access_key: secret } });
const seen = (text: string) =>
  seenOf(
    spec,
    { current: releases["3.5.6"].id, conf: { text, sha256: "a", modifiedAt: 0 } },
    { release: spec.release },
  );

describe("what a look at a node's host tells", () => {
  it("names a setting that differs, and never a value of it", () => {
    for (const text of ["", "object_storage_secret_access_key = another-secret\n"]) {
      const { drift } = seen(text);
      assert.ok(Array.isArray(drift) && drift.includes("object_storage_secret_access_key"), String(drift));
      assert.doesNotMatch(JSON.stringify(seen(text)), /hunter2|another-secret/);
    }
  });

  const emptied: ObservedHome = { exists: true, viewComplete: false, data: [], at: 0 };
  const process: ObservedProcess = { pid: 7, startTicks: 1, startedAt: 0, user: "", cmdline: "", pidFile: "missing" };

  it("of a home without its release tells no settings: the node needs more than a conf file and a restart", () => {
    assert.equal(seenOf(spec, emptied, { release: spec.release }).drift, undefined);
    assert.equal(statusOf(emptied, { status: "running" }), "stopped");
    const action = decide({ spec, status: "stopped", drift: [] }, spec);
    assert.deepEqual(
      [
        action.type,
        nodeSteps(action, spec)
          .map(({ verb }) => verb)
          .includes("switch"),
      ],
      ["repair", true],
    );
  });

  it("of a process whose home is gone is no proof of it", () => {
    assert.equal(statusOf({ ...emptied, process }, { status: "running" }), "failed");
    assert.equal(statusOf({ ...emptied, current: releases["3.5.6"].id, process }, { status: "running" }), "running");
  });

  it("is read as an earlier release recorded it, with values", () => {
    const outputs = { ...outputsOf("beNode", sample("beNode")), drift: ["mem_limit: declared 80%, found nothing"] };
    assert.deepEqual(recordedOf("be", outputs).drift, ["mem_limit"]);
  });
});
