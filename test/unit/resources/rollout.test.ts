import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { prove } from "../../../provider/resources/rollout.js";
import { StillPaused } from "../../../provider/rollout/balance.js";
import { guard } from "../../../provider/rollout/guard.js";
import type { Care } from "../../../provider/rollout/run.js";
import { localHost } from "../starrocks/local-host.js";
import { backend, leaseOf, type Operation, operationOn, topologyWith } from "./local-cluster.js";

describe("Rollout", () => {
  let folder: string;
  let before: string;
  let operations: Operation[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rollout-"));
    before = process.cwd();
    process.chdir(folder);
    operations = [];
  });
  afterEach(async () => {
    await Promise.all(operations.map(({ run }) => run.lease?.release()));
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A declared BE beside an FE that does not answer: what is proven here is never well. */
  const operation = () => {
    const places = [{ address: "127.0.0.9", home: join(folder, "fe") }];
    const mine = operationOn(places, { lease: 0.001, alive: 0.001, sql: 0.2 });
    operations.push(mine);
    const host = localHost();
    const node = mine.nodeOn(host, backend({ address: "127.0.0.8", home: join(folder, "be") }));
    return { mine, host, node, topology: topologyWith(mine, [node]) };
  };

  it("touches nothing while another operator has the cluster, and tells who that is", async () => {
    const theirs = operation();
    await guard({ ...theirs.node, node: "BE be-1", report: () => undefined });
    const { mine, host, topology } = operation();
    await assert.rejects(
      prove(topology),
      /last seen: \S+@\S+ \(process \d+, cluster local-\d+\) since \S+ is changing/,
    );
    assert.equal(host.trips, 0);
    assert.equal(mine.run.lease, undefined);
  });

  it("has the lease before it looks at a node", async () => {
    const { mine, host, topology } = operation();
    const script = host.script.bind(host);
    const looks: (boolean | undefined)[] = [];
    host.script = (...args) => {
      looks.push(mine.run.lease?.isLost);
      return script(...args);
    };
    // The FE does not run.
    await assert.rejects(prove(topology), UserError);
    assert.ok(looks.length > 0);
    assert.deepEqual([...new Set(looks)], [false]);
  });

  it("goes on with the lease of the nodes before it", async () => {
    const { mine, node, topology } = operation();
    await guard({ ...node, node: "BE be-1", report: () => undefined });
    const lease = leaseOf(mine);
    await assert.rejects(prove(topology), UserError);
    assert.equal(leaseOf(mine), lease);
    assert.equal(lease.isLost, false);
  });

  it("fails where balancing is still paused, whatever else is wrong, after another try", async () => {
    const { mine, topology } = operation();
    let tries = 0;
    mine.run.care = {
      unrestored: "Balancing is still paused.",
      now: async (): Promise<readonly string[]> => [],
      end: async () => {
        tries += 1;
      },
    } as Partial<Care> as Care;
    await assert.rejects(
      prove(topology),
      (error) => error instanceof StillPaused && /FE[\s\S]*\nBalancing is still paused\.$/.test(error.message),
    );
    assert.equal(tries, 2);
  });
});
