import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { feMemberInputs, read } from "../../../../provider/resources/inputs.js";
import { assertMayJoin } from "../../../../provider/resources/member/fe.js";
import { type HomeMarker, writeHomeMarker } from "../../../../provider/starrocks/marker.js";
import { localHost } from "../../starrocks/local-host.js";
import { operationOn } from "../local-cluster.js";
import { samples } from "../samples.js";

describe("an FE that was dropped from its group", () => {
  it("is not added again with the metadata that it had there, and the error says what works", async () => {
    const home = mkdtempSync(join(tmpdir(), "dropped-"));
    try {
      const { frontends, run } = operationOn([]);
      const host = localHost();
      const metaDir = join(home, "meta");
      const { feMember: sample } = samples(run.cluster);
      const inputs = read(feMemberInputs, { ...sample, name: "fe-2", role: "follower", home, metaDir });
      const member = { inputs, host, frontends, run, limits: limitsOf({}), report: () => undefined };
      const marker: HomeMarker = { schema: 1, cluster: run.cluster, node: "fe-2", kind: "fe", releases: [] };
      await writeHomeMarker(host, home, { ...marker, left: { how: "dropped", at: "2026-11-26" } });
      await assertMayJoin(member);
      mkdirSync(join(metaDir, "image"), { recursive: true });
      writeFileSync(join(metaDir, "image/VERSION"), "clusterId=7\n");
      await assert.rejects(assertMayJoin(member), {
        message:
          /^FE fe-2 was dropped from its group \(2026-11-26\), .*never joins again\. Nothing was added\. Remove this FE with one `pulumi up` .* declare it again in the next/,
      });
      await writeHomeMarker(host, home, marker);
      await assertMayJoin(member);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
