import assert from "node:assert/strict";
import { realHosts } from "../fleet/fleet.js";
import { watchAvailability } from "../lab/availability.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { previewThenUp } from "../lab/story.js";
import { Session } from "../simulator/client/session.js";
import { startWorkload } from "../simulator/client/workload.js";
import type { JavaVersion } from "../simulator/jdk.js";

interface Line {
  readonly versions: readonly [first: string, ...later: string[]];
  readonly java: JavaVersion;
  /** What the second FE is. */
  readonly second: "followers" | "observers";
  /** Of the first version: is it one whose SHOW FRONTENDS has IsMaster, and how it calls the BE's HTTP port. */
  readonly isMaster: boolean;
  readonly httpPort: "webserver_port" | "be_http_port";
}

/** Lines that no other test of a whole cluster runs. */
const lines: readonly Line[] = [
  {
    // No CREATE IMAGE, BEs that stop by SIGKILL, whose LastStartTime a quick restart does not move; then over two major versions.
    versions: ["2.3.18", "2.5.13", "3.0.8"],
    ...{ java: 8, second: "observers", isMaster: true, httpPort: "webserver_port" },
  },
  {
    versions: ["3.1.9", "3.1.14", "3.2.11"],
    ...{ java: 11, second: "followers", isMaster: false, httpPort: "be_http_port" },
  },
  { versions: ["4.0.0", "4.0.1"], java: 17, second: "followers", isMaster: false, httpPort: "be_http_port" },
];

for (const { versions, java, second, isMaster, httpPort } of lines) {
  describe(`a small cluster from ${versions.join(" to ")}`, () => {
    let lab: Lab;
    let processes: NodeProcesses;
    const [first, ...later] = versions;
    const login = () => ({
      frontends: ["fe1", "fe2"].map((name) => ({ host: lab.fleet.host(name).address })),
      password: rootPassword,
    });
    const declare = async (version: string): Promise<void> =>
      lab.declare(
        lab.args(await lab.release(version), (args) => {
          args.frontends = { leader: lab.node("fe1"), [second]: [lab.node("fe2")] };
        }),
      );

    before(async () => {
      lab = await Lab.create({ kind: realHosts(), frontends: 2, backends: 2, java });
      processes = new NodeProcesses(lab.fleet);
    });
    afterEach(tellFailure(() => lab));
    after(() => lab?.close());

    it(`is created with ${first}, and a second preview is empty`, async () => {
      await declare(first);
      await previewThenUp(lab);
      assert.deepEqual(Object.keys(processes.byHost()), ["be1", "be2", "fe1", "fe2"]);
      await lab.stack.preview(["--expect-no-changes"]);
      const session = new Session(login());
      const rows = await session.query("SHOW FRONTENDS");
      session.close();
      assert.ok(rows.every((row) => isMaster === "IsMaster" in row));
      const conf = await lab.fleet.host("be1").readFile("/opt/starrocks/be/conf/be.conf");
      assert.match(conf ?? "", new RegExp(`^ *${httpPort} *= *8040$`, "m"));
    });

    for (const version of later) {
      it(`goes to ${version} under a client: one node down at most, no write lost`, async () => {
        await declare(version);
        const workload = await startWorkload({ ...login(), replicationNum: 2 });
        const availability = await watchAvailability(lab, login());
        const { restarted } = await previewThenUp(lab);
        const { mostWithoutProcess, stopped } = await availability();
        const { writesAcknowledged, writesLost } = await workload.stop();
        assert.deepEqual(restarted, ["be1", "be2", "fe1", "fe2"]);
        assert.equal(mostWithoutProcess, 1, stopped.join(" "));
        assert.deepEqual(stopped, ["be1", "be2", "fe2", "fe1"]);
        assert.ok(writesAcknowledged > 10, `${writesAcknowledged} writes acknowledged`);
        assert.equal(writesLost, 0);
        const session = new Session(login());
        const members = [...(await session.query("SHOW FRONTENDS")), ...(await session.query("SHOW BACKENDS"))];
        session.close();
        assert.deepEqual(
          members.map(({ Alive, Version }) => `${Alive} ${String(Version).replace(/-[0-9a-f]{7}$/, "")}`),
          Array.from({ length: 4 }, () => `true ${version}`),
        );
        await lab.stack.preview(["--expect-no-changes"]);
      });
    }

    it("is destroyed", async () => {
      await lab.stack.destroy();
      assert.deepEqual(processes.byHost(), {});
    });
  });
}
