import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs, type PlainNode } from "../lab/lab.js";
import { previewThenUp } from "../lab/story.js";
import { stateOf, told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("folders that a program declares otherwise later", () => {
  let lab: Lab;
  let release: BuiltRelease;

  before(async () => {
    lab = await Lab.create({ frontends: 3, backends: 3 });
    release = await lab.release("3.5.7");
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const nodesOf = ({ backends, frontends }: PlainArgs): readonly PlainNode[] => [
    frontends.leader,
    ...(frontends.followers ?? []),
    ...backends.nodes,
  ];
  const declare = (change: (args: PlainArgs) => void = () => undefined): void => lab.declare(lab.args(release, change));
  const place = (name: string, path: string): string => lab.fleet.host(name).path(path);

  /** The second FE and the second BE, elsewhere on their hosts. */
  const elsewhere = (args: PlainArgs): void => {
    for (const node of nodesOf(args)) {
      if (node.name === "fe2") {
        Object.assign(node, { home: place("fe2", "/srv/fe"), metaDir: place("fe2", "/data/meta") });
      } else if (node.name === "be2") {
        node.deployDir = place("be2", "/srv/starrocks");
      }
    }
  };
  const without = ({ backends, frontends }: PlainArgs): void => {
    frontends.followers = (frontends.followers ?? []).filter(({ name }) => name !== "fe2");
    backends.nodes = backends.nodes.filter(({ name }) => name !== "be2");
  };

  it("may be corrected where a first deployment failed for them", async () => {
    // On the last host only: all others have the release there already.
    mkdirSync(place("fe1", "/wrong"), { recursive: true });
    writeFileSync(place("fe1", "/wrong/starrocks"), "a file");
    declare((args) => {
      for (const node of nodesOf(args)) {
        node.deployDir = place(String(node.name), "/wrong/starrocks");
      }
    });
    const failed = await lab.stack.start("up", ["--skip-preview", "--continue-on-error"]).ended;
    assert.match(told(failed, "error")["sr-release-fe-fe1"] ?? "", /cannot create directory|Not a directory/);
    assert.equal((await stateOf(lab.stack))["sr-release-be-be1"], "staged");
    declare();
    const { plan, restarted } = await previewThenUp(lab);
    assert.equal(plan?.match(/: stage and verify$/gm)?.length, 6, plan);
    assert.equal(restarted.length, 6);
    await lab.stack.preview(["--expect-no-changes"]);
  });

  it("are refused on nodes that are there, with the way to do it", async () => {
    declare(elsewhere);
    const refused = await lab.stack.start("preview").ended;
    const errors = told(refused, "error");
    assert.match(errors["sr-be-be2"] ?? "", /deployDir: cannot change .* Remove this BE with one `pulumi up`/);
  });

  it("change in two updates, as the refusal says", async () => {
    declare(without);
    await previewThenUp(lab);
    declare(elsewhere);
    const { restarted } = await previewThenUp(lab);
    assert.deepEqual(restarted, ["be2", "fe2"]);
    assert.ok(existsSync(place("be2", "/srv/starrocks/be/conf/be.conf")));
    assert.ok(existsSync(place("fe2", "/data/meta/image/VERSION")));
    await lab.stack.refresh(["--expect-no-changes"]);
    await lab.stack.preview(["--expect-no-changes"]);
  });
});
