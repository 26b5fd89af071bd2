import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransientError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { type Contact, Frontends } from "../../../provider/rollout/frontends.js";
import { guard, guardRemoval } from "../../../provider/rollout/guard.js";
import { Run } from "../../../provider/rollout/run.js";
import { localHost } from "../starrocks/local-host.js";

/** FEs whose hosts are folders of this machine, or cannot be reached. */
class LocalFrontends extends Frontends {
  cut: readonly string[] = [];

  override hostOf({ name }: Contact): Host {
    const local = localHost();
    const script: Host["script"] = (...args) =>
      this.cut.includes(name)
        ? Promise.reject(new TransientError(`${name}: connection refused`))
        : local.script(...args);
    return { ...local, name, script };
  }
}

describe("guard", () => {
  let folder: string;
  let before: string;
  let runs: Run[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "guard-"));
    before = process.cwd();
    process.chdir(folder);
    runs = [];
  });
  afterEach(async () => {
    await Promise.all(runs.map(({ lease }) => lease?.release()));
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  const operation = (stack: string, names: readonly string[] = ["fe-1", "fe-2", "fe-3"]) => {
    const run = new Run("sr");
    runs.push(run);
    const limits = limitsOf({ lease: 0.001 });
    const frontends = new LocalFrontends({
      cluster: run.cluster,
      contacts: names.map((name, index) => ({
        name,
        address: `10.0.0.${index + 1}`,
        role: "follower",
        ports: { http: 8030, rpc: 9020, query: 9030, editLog: 9010 },
        home: join(folder, name),
        metaDir: join(folder, name, "meta"),
        connection: {},
      })),
      connection: { host: "127.0.0.1" },
      sql: { user: "root" },
      limits,
    });
    const urn = `urn:pulumi:${stack}::analytics::starrocks:index:Cluster::sr`;
    return { run, frontends, limits, urn, report: () => undefined };
  };

  it("takes one lease for all nodes of an operation", async () => {
    const mine = operation("dev");
    await Promise.all(["BE be-1", "BE be-2"].map((node) => guard({ ...mine, node })));
    await guard({ ...mine, node: "FE fe-1" });
    mine.run.lease?.assertHeld();
    await assert.rejects(
      guard({ ...operation("prod"), node: "BE be-1" }),
      /stack dev of analytics, cluster sr\) since/,
    );
  });

  it("tells once in full why the others were not touched", async () => {
    await guard({ ...operation("dev"), node: "BE be-1" });
    const theirs = operation("prod");
    await assert.rejects(guard({ ...theirs, node: "BE be-1" }), /stack dev/);
    await assert.rejects(guard({ ...theirs, node: "BE be-2" }), {
      message: "BE be-2 was not touched: this operation has no lease on the cluster.",
    });
  });

  it("lets nothing begin when the lease was lost", async () => {
    const mine = operation("dev");
    await guard({ ...mine, node: "BE be-1" });
    await mine.run.lease?.release();
    await assert.rejects(guard({ ...mine, node: "BE be-2" }), /The right to change this cluster was lost/);
    await assert.rejects(mine.run.assertGoing("BE be-2"), /The right to change this cluster was lost/);
  });

  it("removes nodes of a cluster whose FE hosts are gone, and notes that nobody was kept out", async () => {
    const mine = operation("dev");
    mine.frontends.cut = ["fe-2", "fe-3"];
    await assert.rejects(guard({ ...mine, node: "BE be-1" }), /Expected 2 of 3 FE hosts/);
    await guardRemoval({ ...mine, node: "BE be-1" });
    await guardRemoval({ ...mine, node: "BE be-2" });
    assert.match(readFileSync(mine.run.journal.path, "utf8"), /BE be-2 is removed without a lease/);
  });

  it("does not remove what another operator changes", async () => {
    await guard({ ...operation("dev"), node: "BE be-1" });
    await assert.rejects(guardRemoval({ ...operation("prod"), node: "BE be-1" }), /stack dev/);
  });

  it("has nothing to keep for a node that knows no FE", async () => {
    await guard({ ...operation("dev", []), node: "BE be-1" });
  });
});
