import assert from "node:assert/strict";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { beMemberInputs, read } from "../../../../provider/resources/inputs.js";
import { remove } from "../../../../provider/resources/member/be.js";
import { inFolder } from "../../rollout/items.js";
import { localHost } from "../../starrocks/local-host.js";
import { noting, operationOn } from "../local-cluster.js";
import { samples } from "../samples.js";

describe("the decommission of a BE", () => {
  it("is not waited for any more when the user wants to stop, and says that it goes on and how to cancel it", () =>
    inFolder(async () => {
      const { frontends, run } = operationOn([]);
      const inputs = read(beMemberInputs, samples(run.cluster).beMember);
      const row = { address: inputs.address, heartbeatPort: inputs.port, tabletNum: 7 };
      const told: string[] = [];
      frontends.ask = async () => [row] as never;
      frontends.tell = (statement) => statement(noting(told));
      const report = (): void => void run.stop("canceled");
      const limits = limitsOf({});
      await assert.rejects(remove({ inputs, host: localHost(), frontends, run, limits, report }), {
        message:
          "BE be-1 is being decommissioned, with 7 tablets left to move, and the operation was canceled. " +
          "The BE still runs and holds its tablets; the decommission goes on in the cluster. " +
          'Run `pulumi up` again to wait on, or cancel it: CANCEL DECOMMISSION BACKEND "10.0.0.21:9050".',
      });
      assert.equal(told.length, 1);
    }));
});
