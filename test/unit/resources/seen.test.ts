import assert from "node:assert/strict";
import { recordedOf } from "../../../provider/resources/node/plan.js";
import { seenOf } from "../../../provider/resources/node/seen.js";
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

  it("is read as an earlier release recorded it, with values", () => {
    const outputs = { ...outputsOf("beNode", sample("beNode")), drift: ["mem_limit: declared 80%, found nothing"] };
    assert.deepEqual(recordedOf("be", outputs).drift, ["mem_limit"]);
  });
});
