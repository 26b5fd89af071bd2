import assert from "node:assert/strict";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, rootPassword } from "../lab/lab.js";
import { Session } from "../simulator/client/session.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("another port of a node that runs", () => {
  let lab: Lab;
  let release: BuiltRelease;
  const declare = (change: (args: PlainArgs) => void = () => undefined): void =>
    lab.declare(
      lab.args(release, (args) => {
        args.backends.rollout = { soak: 1, drain: 40 };
        change(args);
      }),
    );

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 1 });
    release = await lab.release("3.5.7");
    declare();
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("is taken by a restart: http and rpc of the only FE, all others of a BE", async () => {
    declare(({ frontends, backends }) => {
      frontends.leader.ports = { http: 8031, rpc: 9021 };
      backends.ports = { be: 9061, http: 8041, brpc: 8061, starlet: 9071 };
    });
    await lab.stack.up();
    const session = new Session({ frontends: [{ host: lab.fleet.host("fe1").address }], password: rootPassword });
    const [fe] = await session.query("SHOW FRONTENDS");
    const [be] = await session.query("SHOW BACKENDS");
    session.close();
    assert.deepEqual([fe?.HttpPort, fe?.RpcPort, fe?.Alive], ["8031", "9021", "true"]);
    assert.deepEqual([be?.BePort, be?.HttpPort, be?.BrpcPort, be?.Alive], ["9061", "8041", "8061", "true"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
