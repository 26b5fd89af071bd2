import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../provider/wait.js";
import { createStack, type Stack } from "./stack.js";

/** A dynamic resource that waits for a file before it is created, and a value that fails its creation. */
const toy = {
  "index.js": `
    const pulumi = require("@pulumi/pulumi");
    const provider = {
      create: async (inputs) => {
        const { existsSync } = require("node:fs");
        console.log("creating " + inputs.value);
        if (inputs.value === "bad") throw new Error("the value is bad");
        while (inputs.after && !existsSync(inputs.after)) await new Promise((resolve) => setTimeout(resolve, 20));
        return { id: "toy", outs: inputs };
      },
      diff: async (id, olds, news) => ({ changes: olds.value !== news.value }),
      update: async (id, olds, news) => ({ outs: news }),
    };
    class Toy extends pulumi.dynamic.Resource {
      constructor(name, props) { super(provider, name, props, undefined, "test", "Toy"); }
    }
    const config = new pulumi.Config();
    exports.value = new Toy("toy", { value: config.require("value"), after: config.get("after") }).value;
    exports.password = config.getSecret("password");
  `,
};

describe("createStack", () => {
  let stack: Stack | undefined;
  const create = async (options: Parameters<typeof createStack>[0]): Promise<Stack> => {
    stack = await createStack(options);
    return stack;
  };
  afterEach(() => stack?.close());

  it("previews, deploys, changes nothing the second time, updates and destroys", async () => {
    const lab = await create({ program: toy, config: { value: "one", password: { secret: "hunter2" } } });
    const preview = await lab.preview();
    assert.match(preview.stdout, /\+ .*pulumi-nodejs:dynamic\/test:Toy +toy +create/);
    const up = await lab.up();
    assert.match(up.stdout, /1 created|2 created|\+ 2/);
    assert.ok(up.events.some(({ summaryEvent }) => summaryEvent));
    assert.deepEqual(await lab.outputs(), { value: "one", password: "hunter2" });
    assert.doesNotMatch(JSON.stringify(await lab.export()), /hunter2/);
    await lab.up(["--expect-no-changes"]);
    await lab.setConfig("value", "two");
    assert.match((await lab.preview(["--diff"])).stdout, /value *: "one" => "two"/);
    await lab.destroy();
    assert.deepEqual((await lab.export()).deployment.resources, undefined);
  });

  it("throws with the output when an operation does not end as expected", async () => {
    const lab = await create({ program: toy, config: { value: "bad" } });
    await assert.rejects(lab.up(), /Expected exit code 0 of pulumi up, got .*the value is bad/s);
    const failed = await lab.up([], { expectFailure: true });
    assert.match(failed.stdout, /the value is bad/);
    await lab.setConfig("value", "good");
    await assert.rejects(lab.up([], { expectFailure: true }), /Expected a failure of pulumi up/);
  });

  it("runs a TypeScript program", async () => {
    const lab = await create({ program: { "index.ts": "export const answer: number = 42;" } });
    await lab.up();
    assert.deepEqual(await lab.outputs(), { answer: 42 });
  });

  it("kills a running engine, finds the provider that outlives it, and removes all at the end", async () => {
    const lab = await create({ program: toy, config: { value: "slow", after: "/nowhere" } });
    const running = lab.start("up", ["--skip-preview"]);
    await running.saw(/creating slow/);
    running.kill("SIGKILL");
    assert.equal((await running.ended).exitCode, undefined);
    assert.ok(lab.processes().some(({ command }) => command.includes("dynamic-provider")));
    await lab.up([], { expectFailure: true });
    await lab.cancel();
    assert.equal((await lab.export()).deployment.pending_operations?.[0]?.type, "creating");
    await lab.close();
    assert.deepEqual(lab.processes(), []);
    assert.ok(!existsSync(lab.folder));
  });

  it("interrupts as Ctrl-C does", async () => {
    const lab = await create({ program: toy, config: { value: "slow" } });
    const gate = join(lab.folder, "gate");
    await lab.setConfig("after", gate);
    const running = lab.start("up", ["--skip-preview"]);
    await running.saw(/creating slow/);
    running.interrupt();
    await until(
      async () =>
        /interrupt|cancel/i.test(running.output())
          ? { done: true, value: undefined }
          : { done: false, seen: running.output() },
      { what: "the engine to say that it was interrupted", limit: 20_000 },
    );
    lab.write({ gate: "" });
    assert.equal((await running.ended).exitCode, 1);
    assert.equal(readFileSync(gate, "utf8"), "");
  });
});
