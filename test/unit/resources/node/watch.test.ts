import assert from "node:assert/strict";
import type { Host } from "../../../../provider/host/types.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { assertNoEnd, Watch } from "../../../../provider/resources/node/watch.js";
import type { StartResult } from "../../../../provider/starrocks/start.js";
import { be } from "../../plan/specs.js";

const settings = { aws_s3_secret_key: "s3-hunter2", mem_limit: "s3-unter" };

const contextOf = (host: Host): NodeContext =>
  ({
    host,
    limits: { start: 1000 },
    secrets: ["sql-hunter2"],
    spec: be({ config: settings }),
  }) as unknown as NodeContext;

describe("Watch", () => {
  const seen = ["process.pid", "4711", "process.ticks", "12345", ""].join("\0");

  /** The process of a node, as the looks at its host see it one after the other. */
  const watchOf = (started: Partial<StartResult>, ...looks: readonly string[]): Watch => {
    const left = [...looks];
    const host = { name: "h", script: async () => ({ stdout: `${left.shift() ?? ""}logs\0\0` }) } as unknown as Host;
    return new Watch(contextOf(host), {
      ...{ did: "ran", code: 0, output: "", marks: [], at: 0 },
      ...started,
    });
  };

  it("does not take for dead what was forked and has not become the node yet, but no port is its own before", async () => {
    const watch = watchOf({}, "", "", seen, seen);
    assert.equal((await watch.look()).alive, true);
    assert.equal(await watch.alive(), false);
    assert.equal((await watch.look()).alive, true);
    assert.equal(await watch.alive(), true);
  });

  it("takes for dead what was seen and is gone, what no start script has forked, and where that failed", async () => {
    const gone = watchOf({}, seen, "");
    assert.equal((await gone.look()).alive, true);
    assert.equal((await gone.look()).alive, false);
    assert.equal((await watchOf({ did: "already running" }, "").look()).alive, false);
    assert.equal((await watchOf({ code: 1 }, "").look()).alive, false);
  });
});

describe("what is shown of a log", () => {
  const logged = "E1126 20:36:51.000 cannot use s3-hunter2 or sql-hunter2, mem_limit s3-unter";
  const shown = "E1126 20:36:51.000 cannot use [secret] or [secret], mem_limit s3-unter";
  const path = "/opt/starrocks/be/log/be.WARNING";
  const started: StartResult = { did: "ran", code: 1, output: "", marks: [{ path, size: 0 }], at: 0 };
  const hostWith = (stdout: string): Host => ({ name: "h", script: async () => ({ stdout }) }) as unknown as Host;

  it("has no password of its node and no setting that is a secret", async () => {
    const watch = new Watch(contextOf(hostWith(`0 1 90\n|${logged}\n`)), started);
    assert.deepEqual(await watch.lines(), [shown]);
    const died = await new Watch(contextOf(hostWith(`0 1 90\n|${logged}\n`)), started).died();
    assert.ok(died.message.endsWith(`:\n${shown}`), died.message);
  });

  it("nor has what a start script said", async () => {
    const watch = new Watch(contextOf(hostWith("")), { ...started, output: logged });
    assert.ok((await watch.lastWords()).endsWith(`:\n${shown}`));
  });

  it("nor has the line by which a log says that its process has failed", () => {
    const crash = "*** SIGSEGV (@0x0) received by PID 4711 *** s3-hunter2";
    assert.throws(
      () => assertNoEnd(contextOf(hostWith("")), [crash]),
      /its log says: \*\*\* SIGSEGV \(@0x0\) received by PID 4711 \*\*\* \[secret\]/,
    );
  });
});
