import assert from "node:assert/strict";
import { tellFailure } from "../lab/failure.js";
import { Lab, rootPassword } from "../lab/lab.js";
import { NodeProcesses } from "../lab/node-processes.js";
import { previewThenUp } from "../lab/story.js";
import { told } from "../lab/told.js";
import { Session } from "../simulator/client/session.js";

describe("an FE that leads and is taken out of the program", () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create({ frontends: 3, backends: 1, spares: ["fe4"] });
    lab.declare(lab.args(await lab.release("3.5.7")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const roles = async (): Promise<readonly string[]> => {
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe2").address }], password: rootPassword });
    try {
      const rows = await session.query("SHOW FRONTENDS");
      const nameOf = (address: unknown) => lab.fleet.hosts.find((host) => host.address === address)?.name;
      return rows.map(({ IP, Role, Alive }) => `${nameOf(IP)} ${Role} ${Alive}`).toSorted();
    } finally {
      session.close();
    }
  };

  it("is no new version", async () => {
    lab.declare(
      lab.args(await lab.release("4.0.1"), ({ frontends }) => {
        frontends.leader = lab.node("fe2");
        frontends.followers = [lab.node("fe3")];
      }),
    );
    const outcome = await lab.stack.preview(["--json"], { expectFailure: true });
    assert.match(Object.values(told(outcome, "error")).join("\n"), /The same program takes nodes out\./);
  });

  it("leads while its successor joins, hands leadership to the declared leader, and leaves", async () => {
    lab.declare(
      lab.args(await lab.release("3.5.7"), ({ frontends }) => {
        frontends.leader = lab.node("fe2");
        frontends.followers = [lab.node("fe3"), lab.node("fe4")];
      }),
    );
    assert.deepEqual(await roles(), ["fe1 LEADER true", "fe2 FOLLOWER true", "fe3 FOLLOWER true"]);
    await previewThenUp(lab);
    assert.deepEqual(await roles(), ["fe2 LEADER true", "fe3 FOLLOWER true", "fe4 FOLLOWER true"]);
    assert.deepEqual(Object.keys(new NodeProcesses(lab.fleet).byHost()), ["be1", "fe2", "fe3", "fe4"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
