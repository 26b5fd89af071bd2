import assert from "node:assert/strict";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { beMemberInputs, read } from "../../../../provider/resources/inputs.js";
import { remove } from "../../../../provider/resources/member/be.js";
import { SqlError } from "../../../../provider/starrocks/sql.js";
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

  it("that the cluster refuses says what else can be done", () =>
    inFolder(async () => {
      const { frontends, run } = operationOn([]);
      const inputs = read(beMemberInputs, samples(run.cluster).beMember);
      const answer = "It will cause insufficient BE number if these BEs are decommissioned.";
      frontends.ask = async () => [{ address: inputs.address, heartbeatPort: inputs.port, tabletNum: 7 }] as never;
      frontends.tell = (statement) =>
        statement({
          ...noting([]),
          query: () => Promise.reject(new SqlError(`DECOMMISSION failed: ${answer}`, "", answer)),
        });
      const limits = limitsOf({});
      await assert.rejects(remove({ inputs, host: localHost(), frontends, run, limits, report: () => undefined }), {
        message:
          `"ALTER SYSTEM DECOMMISSION BACKEND '10.0.0.21:9050'" on fe-1 failed: ${answer} BE be-1 stays as it is. Declare it again; or add another BE first, ` +
          "or lower replication_num of the tables that need it (and default_replication_num), then run `pulumi up` again.",
      });
    }));
});
