import assert from "node:assert/strict";
import type { Outcome } from "../engine/stack.js";
import type { Host } from "../fleet/types.js";
import { assertDone, assertFailed } from "../lab/failed.js";
import { tellFailure } from "../lab/failure.js";
import { Lab, type PlainArgs } from "../lab/lab.js";
import { NodeProcesses, nodeCommand } from "../lab/node-processes.js";
import { stateOf, told } from "../lab/told.js";
import type { BuiltRelease } from "../simulator/release.js";

describe("a cluster whose disks come and go", () => {
  let lab: Lab;
  let release: BuiltRelease;
  let frontend: Host;
  let first: Host;
  let third: Host;
  const disk1 = "/disk1/starrocks";
  const disk2 = "/disk2/starrocks";
  const disk3 = "/data/starrocks";
  const metaDir = "/opt/starrocks/fe/meta";

  before(async () => {
    lab = await Lab.create({ frontends: 1, backends: 3 });
    release = await lab.release("3.5.7");
    [frontend, first, third] = [lab.fleet.host("fe1"), lab.fleet.host("be1"), lab.fleet.host("be3")];
    assertDone(await up());
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const up = (change: (args: PlainArgs) => void = () => undefined, ...more: readonly string[]): Promise<Outcome> => {
    lab.declare(lab.args(release, change));
    return lab.stack.start("up", ["--skip-preview", ...more]).ended;
  };
  const withDisk3 = ({ backends }: PlainArgs): void => {
    Object.assign(backends.nodes[0] ?? {}, { storage: [disk1, disk2, disk3].map((path) => first.path(path)) });
  };
  const clusterId = async (): Promise<string | undefined> =>
    /clusterId=\d+/.exec((await frontend.readFile(`${metaDir}/image/VERSION`)) ?? "")?.[0];
  const exists = async (host: Host, path: string): Promise<boolean> =>
    (await host.exec(`[ -e '${host.path(path)}' ]`)).code === 0;
  /** A folder is not where it was, as when its disk is not mounted, until what this gives is called. */
  const unmount = async (host: Host, path: string): Promise<() => Promise<unknown>> => {
    const place = host.path(path);
    await host.exec(`mv '${place}' '${place}.unmounted'`);
    return () => host.exec(`rm -rf '${place}' && mv '${place}.unmounted' '${place}'`);
  };

  it("gives a BE that has run before one more disk", async () => {
    assertDone(await up(withDisk3));
    assert.ok(await first.readFile(`${disk3}/cluster_id`), "the BE uses it");
  });

  it("does not start a BE without one of its disks, and makes no folder in its place", async () => {
    await first.kill(nodeCommand);
    const mount = await unmount(first, disk2);
    assertFailed(await up(withDisk3, "--refresh"), {
      "sr-be-be1": new RegExp(
        `${first.path(disk2)} on \\S+ is missing, but BE be1 has run before: is its disk not mounted\\? Mount it and run \`pulumi up\` again`,
      ),
    });
    assert.equal(await exists(first, disk2), false);
    assert.deepEqual(await first.processes(), []);
    await mount();
    assertDone(await up(withDisk3, "--refresh"));
  });

  it("keeps the data of a BE that came back after its membership alone was removed, also when all is destroyed", async () => {
    const { deployment } = await lab.stack.export();
    const { urn = "" } = deployment.resources?.find((one) => one.urn.endsWith("::sr-be-be3-member")) ?? {};
    await lab.stack.destroy(["--target", urn, "--target-dependents"]);
    const { "sr-be-be3": node, "sr-be-be3-member": member } = await stateOf(lab.stack);
    assert.deepEqual([node, member], ["running", undefined]);

    assertDone(await up(withDisk3));
    const destroyed = await lab.stack.destroy();
    assert.deepEqual(told(destroyed, "warning"), {});
    assert.ok(await exists(third, `${disk1}/cluster_id`));
  });

  it("founds no second cluster where an FE that has run before finds its metadata gone, unless it is told to", async () => {
    const id = await clusterId();
    assert.ok(id);
    const mount = await unmount(frontend, metaDir);
    const found = await up(withDisk3);
    assertFailed(found, {
      "sr-fe-fe1": new RegExp(
        `FE fe1 has run before, but ${frontend.path(metaDir)} on \\S+ holds no metadata, .*: is its disk not mounted\\? .* set \`adopt: true\``,
      ),
    });
    assert.deepEqual(await frontend.processes(), []);
    await mount();
    assertDone(await up(withDisk3));
    assert.equal(await clusterId(), id);
  });

  it("nor where its whole home is gone, which the state knows: with `--refresh` too", async () => {
    const id = await clusterId();
    await frontend.kill(nodeCommand);
    const mount = await unmount(frontend, "/opt/starrocks/fe");
    const found = await up(withDisk3, "--refresh");
    assertFailed(found, {
      "sr-fe-fe1": /FE fe1 has run before, but \S+ on \S+ holds no metadata, .* set `adopt: true`/,
    });
    assert.deepEqual(await frontend.processes(), []);
    await mount();
    assertDone(await up(withDisk3, "--refresh"));
    assert.equal(await clusterId(), id);
  });

  it("takes a BE over under another name: its process, its data and its place in the cluster stay", async () => {
    const processes = new NodeProcesses(lab.fleet).byHost();
    const renamed = await up((args) => {
      withDisk3(args);
      Object.assign(args.backends.nodes[2] ?? {}, { name: "third", adopt: true });
    });
    assertDone(renamed);
    assert.deepEqual(new NodeProcesses(lab.fleet).byHost(), processes);
    const { "sr-be-third": node, "sr-be-third-member": member, ...others } = await stateOf(lab.stack);
    assert.deepEqual([node, member, "sr-be-be3" in others], ["running", "member", false]);
    assert.deepEqual(Object.keys(told(renamed, "warning")), ["sr-preflight"]);
    assert.ok(await exists(third, `${disk1}/cluster_id`));
    await lab.stack.refresh(["--expect-no-changes"]);
  });
});
