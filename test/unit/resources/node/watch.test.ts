import assert from "node:assert/strict";
import type { Host } from "../../../../provider/host/types.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { Watch } from "../../../../provider/resources/node/watch.js";
import type { StartResult } from "../../../../provider/starrocks/start.js";
import { be } from "../../plan/specs.js";

describe("Watch", () => {
  const seen = ["process.pid", "4711", "process.ticks", "12345", ""].join("\0");

  /** The process of a node, as the looks at its host see it one after the other. */
  const watchOf = (started: Partial<StartResult>, ...looks: readonly string[]): Watch => {
    const left = [...looks];
    const host = { name: "h", script: async () => ({ stdout: `${left.shift() ?? ""}logs\0\0` }) } as unknown as Host;
    return new Watch({ host, spec: be() } as unknown as NodeContext, {
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
