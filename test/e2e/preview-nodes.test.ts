import assert from "node:assert/strict";
import { assertGolden } from "../golden.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { previewThenUp, type Told } from "../lab/story.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("preview says what up will do: one more node, and changed settings", () => {
  let lab: Lab;
  let release: BuiltRelease;
  const changes: ((args: PlainArgs) => void)[] = [];

  /** Declares what was declared before, with one more change, and does it. */
  const change = async (what: (args: PlainArgs) => void): Promise<Told> => {
    changes.push(what);
    lab.declare(
      lab.args(release, (args) => {
        for (const each of changes) {
          each(args);
        }
      }),
    );
    return previewThenUp(lab);
  };
  const golden = (name: string, plan: string | undefined): void =>
    assertGolden(`e2e/golden/${name}.txt`, `${lab.plain(plan ?? "")}\n`);

  before(async () => {
    lab = await Lab.create({ backends: 2, spares: ["be3", "fe4"] });
    release = await lab.release("3.5.7");
    lab.declare(lab.args(release));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  it("of one more BE: only that is started", async () => {
    const { plan, restarted } = await change(({ backends }) => backends.nodes.push(lab.node("be3")));
    golden("one-more-be", plan);
    assert.deepEqual(restarted, ["be3"]);
  });

  it("of one more observer FE: only that is started, although every node knows the FEs", async () => {
    const { plan, restarted } = await change((args) => {
      args.frontends.observers = [lab.node("fe4")];
    });
    golden("one-more-fe", plan);
    assert.deepEqual(restarted, ["fe4"]);
  });

  it("of a changed setting of one BE: only that is restarted", async () => {
    const { plan, restarted } = await change(({ backends }) => {
      backends.nodes[1] = { ...lab.node("be2"), config: { write_buffer_size: "209715200" } };
    });
    golden("setting-of-one-be", plan);
    assert.deepEqual(restarted, ["be2"]);
    const conf = await lab.fleet.host("be2").readFile("/opt/starrocks/be/conf/be.conf");
    assert.match(conf ?? "", /^write_buffer_size = 209715200$/m);
  });

  it("of a changed setting of all FEs: observers, followers, the leader", async () => {
    const { plan, restarted } = await change(({ frontends }) => {
      frontends.config = { qe_max_connection: "2048" };
    });
    golden("setting-of-all-fes", plan);
    assert.deepEqual(restarted, ["fe1", "fe2", "fe3", "fe4"]);
  });

  it("of nothing: it says nothing", async () => {
    const { plan, restarted } = await change(() => undefined);
    assert.equal(plan, undefined);
    assert.deepEqual(restarted, []);
  });
});
