import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limitsOf } from "../../../provider/plan/limits.js";
import { feMemberInputs, read } from "../../../provider/resources/inputs.js";
import { works } from "../../../provider/resources/member/fe.js";
import { inspectHosts } from "../../../provider/resources/preflight/inspect.js";
import { roleProblem } from "../../../provider/resources/role.js";
import { survey } from "../../../provider/resources/survey.js";
import type { Frontend } from "../../../provider/starrocks/show.js";
import { localHost } from "../starrocks/local-host.js";
import { frontend, operationOn, topologyWith } from "./local-cluster.js";
import { leader } from "./node/bench.js";
import { samples } from "./samples.js";

const problem =
  /FE fe-2 is in its group as a follower, declared is an observer: StarRocks changes no FE's role\. Remove this FE with one `pulumi up` .*declare it in the new role in the next/;

describe("the role of an FE in its group", () => {
  const row: Frontend = { ...leader, address: "10.0.0.12", role: "follower" };

  it("is what it was added as; a leader is a follower, and nobody's role is known during an election", () => {
    assert.equal(roleProblem({ name: "fe-2", role: "leader" }, row), undefined);
    assert.equal(roleProblem({ name: "fe-2", role: "follower" }, { ...row, role: "leader" }), undefined);
    assert.equal(roleProblem({ name: "fe-2", role: "observer" }, { ...row, role: "unknown" }), undefined);
    assert.match(roleProblem({ name: "fe-2", role: "observer" }, row) ?? "", problem);
    assert.match(
      roleProblem({ name: "fe-2", role: "follower" }, { ...row, role: "observer" }) ?? "",
      /as an observer, declared is a follower/,
    );
  });

  const cluster = () => {
    const operation = operationOn([]);
    const { frontends, nodeOn, run } = operation;
    frontends.rows = async () => ({ frontends: [row], backends: [] });
    frontends.ask = async () => [row] as never;
    frontends.tell = () => assert.fail("nothing is changed");
    const home = mkdtempSync(join(tmpdir(), "role-"));
    const spec = frontend({ address: "10.0.0.12", home }, { name: "fe-2", role: "observer", adopt: true });
    const topology = topologyWith(operation, [nodeOn(localHost(), spec)]);
    const { feMember: sample } = samples(run.cluster);
    const inputs = read(feMemberInputs, { ...sample, home, name: "fe-2", address: "10.0.0.12", role: "observer" });
    const member = { inputs, host: localHost(), frontends, run, limits: limitsOf({}), report: () => undefined };
    return { home, topology, member };
  };

  it("is seen before an FE is adopted, before it is added, and at the end", async () => {
    const { home, member, topology } = cluster();
    try {
      await assert.rejects(
        inspectHosts(topology, () => undefined),
        problem,
      );
      await assert.rejects(async () => works(member).add?.({ verb: "add", text: "" }), problem);
      await assert.rejects(
        survey(topology, () => undefined),
        problem,
      );
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
