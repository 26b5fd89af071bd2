import assert from "node:assert/strict";
import { assertDone, assertFailed } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab } from "../lab/lab.js";

describe("nodes whose logs are elsewhere", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create({ frontends: 2, backends: 1 });
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const up = async () => {
    const release = await lab.release("3.5.7");
    lab.declare(
      lab.args(release, (args) => {
        Object.assign(args.limits as object, { start: 20 });
        args.frontends.config = { ...args.frontends.config, LOG_DIR: `\${STARROCKS_HOME}/out` };
        args.backends.config = { ...args.backends.config, sys_log_dir: `\${STARROCKS_HOME}/glog` };
      }),
    );
    return lab.stack.start("up", ["--skip-preview", "--continue-on-error"]).ended;
  };

  it("are watched there: a BE's last words are told", async () => {
    const be = lab.fleet.host("be1");
    await be.writeFile(
      "/opt/starrocks/be/sim/fault.json",
      JSON.stringify({ fault: "dieAtStart", message: "bad_alloc" }),
    );
    assertFailed(await up(), { "sr-be-be1": /\/be\/glog and \S+\/be\/log\):\n[\s\S]*bad_alloc/ });
    await be.exec(`rm ${be.path("/opt/starrocks/be/sim/fault.json")}`);
  });

  it("are watched there: a follower is seen to wait to be added", async () => {
    assertDone(await up());
    const fe = lab.fleet.host("fe2");
    assert.ok(await fe.readFile("/opt/starrocks/fe/out/fe.out"));
    assert.ok(await fe.readFile("/opt/starrocks/fe/log/fe.log"));
  });
});
