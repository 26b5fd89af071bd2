import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../../../provider/host/types.js";
import { limitsOf } from "../../../../provider/plan/limits.js";
import type { FeSpec } from "../../../../provider/plan/spec.js";
import { takeBack, whatNow } from "../../../../provider/resources/node/back.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { FeWork } from "../../../../provider/resources/node/fe.js";
import type { KindWork } from "../../../../provider/resources/node/kind-work.js";
import { type ClusterRows, Frontends } from "../../../../provider/rollout/frontends.js";
import { type Care, Run } from "../../../../provider/rollout/run.js";
import { observeProcess } from "../../../../provider/starrocks/process.js";
import type { Frontend } from "../../../../provider/starrocks/show.js";
import { stopProcess } from "../../../../provider/starrocks/stop.js";
import { until } from "../../../../provider/wait.js";
import { fe } from "../../plan/specs.js";
import { type Bench, buildToy, openBench } from "../../starrocks/toy.js";
import { leader } from "./bench.js";

const old = { id: "3.4.9-aaaaaaaaaaaa", version: "3.4.9" };
const next = { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" };

describe("the work on an FE", () => {
  /** A host on which nothing may be done. */
  const untouched = new Proxy({ name: "fe-2" } as Host, {
    get: (target, key) => {
      if (key !== "name") {
        throw new Error(`${String(key)} was called`);
      }
      return target.name;
    },
  });
  const contextOf = (rows: ClusterRows | undefined): NodeContext<FeSpec> => {
    const limits = limitsOf({});
    const contacts = [1, 2, 3].map((number) => ({
      ...fe({ name: `fe-${number}`, address: `10.0.0.1${number}`, role: number === 1 ? "leader" : "follower" }),
      connection: {},
    }));
    const frontends = new Frontends({
      cluster: "lab",
      contacts,
      connection: { host: "none" },
      sql: { user: "root" },
      limits,
    });
    Object.assign(frontends, { rows: async () => rows, rowsSoon: async () => rows });
    return {
      spec: fe({ name: "fe-2", address: "10.0.0.12", role: "follower", release: next }),
      host: untouched,
      frontends,
      run: new Run("fe-work"),
      limits,
      position: 0,
      preflight: undefined,
      progress: () => undefined,
      urn: undefined,
      secrets: [],
    };
  };
  const rowOf = (number: number, more: Partial<Frontend> = {}): Frontend => ({
    ...leader,
    name: `fe-${number}`,
    address: `10.0.0.1${number}`,
    role: number === 1 ? "leader" : "follower",
    version: "3.4.9-aaaaaaa",
    ...more,
  });
  const group = (...frontends: readonly Frontend[]): ClusterRows => ({ frontends, backends: [] });

  it("counts another FE that is down", async () => {
    const work = new FeWork(contextOf(group(rowOf(1), rowOf(2), rowOf(3, { alive: false }))));
    assert.deepEqual(await work.down(), ["FE 10.0.0.13"]);
  });

  it("counts one that has no process, though its row still says Alive", async () => {
    const context = contextOf(group(rowOf(1), rowOf(2), rowOf(3)));
    const asked: unknown[] = [];
    context.run.care = {
      gone: async (...args: readonly unknown[]) => {
        asked.push(args);
        return [fe({ name: "fe-3", address: "10.0.0.13", role: "follower" })];
      },
    } as unknown as Care;
    assert.deepEqual(await new FeWork(context).down(), ["FE 10.0.0.13"]);
    assert.deepEqual(asked, [["fe", "FE fe-2"]]);
  });

  it("counts the majority that would be missed although every FE is Alive: one has not joined", async () => {
    const work = new FeWork(contextOf(group(rowOf(1), rowOf(2), rowOf(3, { join: false }))));
    assert.deepEqual(await work.down(), [
      "only 1 of the 2 voting FEs needed would remain (FE 10.0.0.11); FE 10.0.0.13 is not alive or has not joined",
    ]);
  });

  it("counts nobody where the group goes on without it", async () => {
    assert.deepEqual(await new FeWork(contextOf(group(rowOf(1), rowOf(2), rowOf(3)))).down(), []);
  });

  const led = (value: boolean): KindWork => ({ led: async () => value }) as KindWork;
  const goBack = (rows: ClusterRows, work: KindWork) => {
    const context = contextOf(rows);
    const before = { spec: { ...context.spec, release: old }, conf: undefined, opened: true };
    return takeBack(context, work, before, () => undefined);
  };

  it("is not taken back from a minor jump once it has led, or one of the new version leads; nothing is done then", async () => {
    await assert.rejects(
      goBack(group(rowOf(1), rowOf(2), rowOf(3)), led(true)),
      /^UserError: It is not taken back to 3\.4\.9: it has led the group with 3\.5\.7/,
    );
    await assert.rejects(
      goBack(group(rowOf(1, { version: "3.5.7-bbbbbbb" }), rowOf(2), rowOf(3)), led(false)),
      /^UserError: It is not taken back to 3\.4\.9: the group's leader runs 3\.5\.7-bbbbbbb/,
    );
  });

  it("is told how to go on where its bdb was opened by 3.0: upwards, or with new metadata where others lead", async () => {
    const context = contextOf(group(rowOf(1), rowOf(2), rowOf(3)));
    const at = (version: string) => ({ id: `${version}-aaaaaaaaaaaa`, version });
    const failing = { ...context, spec: { ...context.spec, release: at("3.0.9") } };
    const toldOf = (opened: boolean) =>
      whatNow(failing, { spec: { ...context.spec, release: at("2.5.21") }, conf: undefined, opened }, undefined);
    const told = await toldOf(true);
    assert.match(
      told,
      /^FE fe-2 is left as it is\. Declare a repaired build of 3\.0\.9\. Or, while the other FEs have a leader, /,
    );
    assert.match(
      told,
      new RegExp(`stop it, move ${context.spec.metaDir} on fe-2 aside, .* joins its group anew \\(--helper\\)`),
    );
    assert.equal(await toldOf(false), "Nothing of its metadata was moved or removed.");
  });

  describe("on a host", function () {
    this.timeout(30_000);
    let bench: Bench;
    beforeEach(() => {
      bench = openBench();
    });
    afterEach(() => bench.clear());

    /** The toy's Java, which tells its version too. */
    const prepareJava = (): void => {
      const bin = join(bench.javaHome, "bin");
      renameSync(join(bin, "java"), join(bin, "fe"));
      writeFileSync(
        join(bin, "java"),
        `#!/bin/bash\nif [ "$1" = -version ]; then echo 'openjdk version "17.0.12"' >&2; exit; fi\nexec -a java '${join(bin, "fe").replaceAll("'", "'\\''")}' "$@"\n`,
      );
      writeFileSync(join(bin, "javac"), "#!/bin/bash\n");
      for (const name of ["java", "javac"]) {
        chmodSync(join(bin, name), 0o755);
      }
    };

    it("passes --helper on its first start alone: with metadata it is of its group already", async () => {
      const toy = buildToy(bench.folder, { version: "3.5.7" });
      const home = await bench.makeHome("fe", "fe", toy);
      prepareJava();
      const metaDir = join(bench.folder, "meta");
      const context: NodeContext<FeSpec> = {
        ...contextOf(group(rowOf(1))),
        host: bench.host,
        spec: fe({
          ...{ name: "fe-2", address: "10.0.0.12", role: "follower", javaHome: bench.javaHome },
          ...{ home, deployDir: bench.deployDir, metaDir, release: { id: toy.releaseId, version: toy.version } },
        }),
      };
      Object.assign(context.frontends, { ask: async () => [rowOf(1)] });
      let work = new FeWork(context);
      const startedWith = async (): Promise<string> => {
        work = new FeWork(context);
        assert.equal(work.opened, false);
        await work.start();
        return until(
          async () => {
            const process = await observeProcess(bench.host, "fe", home);
            return process ? { done: true, value: process.cmdline } : { done: false, seen: "no process" };
          },
          { what: "the FE to run", limit: 10_000 },
        );
      };
      assert.match(await startedWith(), / --helper 10\.0\.0\.11:9010$/);
      assert.equal(work.opened, true);
      await stopProcess(bench.host, "fe", home, { graceful: false, timeoutSeconds: 10 });
      mkdirSync(join(metaDir, "image"), { recursive: true });
      writeFileSync(join(metaDir, "image/VERSION"), "clusterId=1\n");
      assert.match(await startedWith(), /StarRocksFE$/);
    });
  });
});
