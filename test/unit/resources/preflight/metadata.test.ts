import assert from "node:assert/strict";
import { limitsOf } from "../../../../provider/plan/limits.js";
import { defaultPolicy } from "../../../../provider/plan/policy.js";
import type { FeSpec } from "../../../../provider/plan/spec.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { Metadata } from "../../../../provider/resources/preflight/metadata.js";
import type { Frontends } from "../../../../provider/rollout/frontends.js";
import { Run } from "../../../../provider/rollout/run.js";
import { newestImage } from "../../../../provider/starrocks/meta-image.js";
import { fe } from "../../plan/specs.js";
import { eventually, type FrontendProcess, Lab } from "../../simulator/fe/lab.js";
import { localHost } from "../../starrocks/local-host.js";
import { LocalFrontends } from "../local-cluster.js";

describe("the image before a change of the line", function () {
  this.timeout(60_000);
  let lab: Lab;
  let frontends: Frontends;
  let fes: readonly [FrontendProcess, FrontendProcess];
  beforeEach(async () => {
    lab = new Lab();
    const leader = await lab.found({ version: "3.4.9" });
    fes = [leader, await lab.follower(leader, { version: "3.4.9" }, "OBSERVER")];
  });
  afterEach(async () => {
    for (const contact of frontends.contacts) {
      frontends.forget(contact);
    }
    await lab.close();
  });

  const metadata = (acceptHazards: readonly string[] = [], newcomers: readonly FeSpec[] = []): Metadata => {
    const release = { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" };
    const group = fes.map((process, index) =>
      fe({
        name: `fe-${index + 1}`,
        address: process.address,
        role: index === 0 ? "leader" : "observer",
        metaDir: process.file("meta"),
        release,
      }),
    );
    const specs = [...group, ...newcomers];
    const limits = limitsOf({ sql: 2, leader: 10, image: 10 });
    const contacts = specs.map((spec) => ({ ...spec, connection: {} }));
    frontends = new LocalFrontends({
      cluster: "lab",
      contacts,
      connection: { host: "127.0.0.1" },
      sql: { user: "root" },
      limits,
    });
    const run = new Run("metadata");
    run.answers = true;
    const policy = { ...defaultPolicy, acceptHazards: [...acceptHazards] };
    run.declare({ nodes: specs, policy, maxUnavailable: 1 });
    const nodes = specs.map(
      (spec): NodeContext => ({
        spec,
        host: localHost(),
        frontends,
        run,
        limits,
        position: 0,
        preflight: undefined,
        progress: () => undefined,
        urn: undefined,
        secrets: [],
      }),
    );
    const cluster = { cluster: "metadata", release, maxUnavailable: 1, policy, nodes, position: 0 };
    return new Metadata(run, { ...cluster, urn: undefined, clusterUrn: undefined });
  };
  const report = (): void => undefined;
  const repair = async (): Promise<void> => undefined;
  /** From now on it takes no image. */
  const hang = async (process: FrontendProcess): Promise<void> => {
    process.fault({ fault: "hangHttp" });
    await eventually("its HTTP server to hang", () =>
      fetch(`http://${process.address}:8030/api/bootstrap`, { signal: AbortSignal.timeout(200) }).then(
        () => false,
        () => true,
      ),
    );
  };

  it("is awaited on every FE", async () => {
    const { detail } = await metadata().writeImage(report, repair);
    assert.match(detail ?? "", /^image\.\d+ on every FE$/);
    assert.ok((await newestImage(localHost(), fes[1].file("meta"))) > 0);
  });

  it("is not awaited on an FE that this change adds to the group", async () => {
    const newcomer = fe({ name: "fe-3", address: "127.0.0.99", role: "follower", metaDir: fes[1].file("none") });
    const { detail } = await metadata([], [newcomer]).writeImage(report, repair);
    assert.match(detail ?? "", /^image\.\d+ on every FE$/);
  });

  it("is written again where it did not reach an FE: the leader sends each but once", async () => {
    await hang(fes[1]);
    const seen: string[] = [];
    const { detail } = await metadata().writeImage((text) => {
      seen.push(text);
      if (text.includes("FE fe-2 has none")) {
        fes[1].heal();
      }
    }, repair);
    assert.match(detail ?? "", /^image\.\d+ on every FE$/);
    assert.ok(
      seen.some((text) => /^image\.\d+ written, but FE fe-2 has none$/.test(text)),
      seen.join("\n"),
    );
  });

  it("that does not reach an FE stops the change before anything is stopped, unless that is accepted", async () => {
    await hang(fes[1]);
    await assert.rejects(
      metadata().writeImage(report, repair),
      /^UserError: Waited 10 s for an image of the metadata to be written by .*; last seen: image\.\d+ written, but FE fe-2 has none\. Nothing was stopped\..*acceptHazards: \["image-between-hops"\]/,
    );
    const { detail } = await metadata(["image-between-hops"]).writeImage(report, repair);
    assert.match(detail ?? "", /^image\.\d+$/);
  });
});
