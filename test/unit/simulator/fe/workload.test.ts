import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { startWorkload, type Workload } from "../../../simulator/client/workload.js";
import { type BackendProcess, eventually, type FrontendProcess, Lab, rowOf } from "./lab.js";

describe("simulator: the workload client", function () {
  this.timeout(60_000);
  const lab = new Lab();
  let fe: FrontendProcess;
  let backends: BackendProcess[] = [];
  let workload: Workload | undefined;

  before(async () => {
    fe = await lab.found();
    backends = await lab.backends(fe, 3);
  });

  afterEach(() => workload?.abort());

  after(() => lab.close());

  const restart = async (be: BackendProcess | undefined): Promise<void> => {
    await be?.stop("SIGKILL");
    await eventually("its death", async () => rowOf(await fe.sql("SHOW BACKENDS"), be ?? fe).Alive === "false");
    be?.launch();
    await eventually("its return", async () => rowOf(await fe.sql("SHOW BACKENDS"), be ?? fe).Alive === "true");
  };

  it("loses nothing when one backend after the other restarts and is repaired", async () => {
    workload = await startWorkload({ frontends: [{ host: fe.address }], pauseMs: 10 });
    for (const be of backends) {
      await restart(be);
      await eventually(
        "the repair",
        async () => (await fe.sql("SHOW PROC '/statistic'")).at(-1)?.UnhealthyTabletNum === "0",
      );
    }
    const report = await workload.stop();
    assert.ok(report.writesAcknowledged > 20);
    assert.deepEqual(
      [report.writesLost, report.writesFailed, report.readsFailed],
      [0, 0, 0],
      JSON.stringify(report.failures),
    );
  });

  it("notices when two are down, and that data was destroyed", async () => {
    workload = await startWorkload({
      frontends: [{ host: fe.address }],
      table: "second",
      pauseMs: 10,
      verifyMs: 1000,
    });
    await eventually("some writes", async () => Number(workload?.acknowledged()) > 10);
    await Promise.all(backends.slice(1).map((be) => be.stop("SIGKILL")));
    await eventually("failures", async () => workload?.failures.some(({ kind }) => kind === "write"));
    await backends[0]?.stop("SIGKILL");
    await sleep(100);
    await assert.rejects(workload.stop(), /Expected to read workload\.second within 1000 ms/);
  });
});
