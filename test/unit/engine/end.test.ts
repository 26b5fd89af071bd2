import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { eventually } from "../simulator/fe/lab.js";

const end = join(__dirname, "../../../provider/engine/end.js");

/** What a provider process does of its own accord: it serves, so it never ends by itself. */
const program = (text: string): string => `
  const { onEnd, untilEnd, isEnding } = require(${JSON.stringify(end)});
  const { setTimeout: delay } = require("node:timers/promises");
  const say = (text) => require("node:fs").writeSync(1, text + "\\n");
  setInterval(() => undefined, 1000);
  ${text}
  say("ready");
`;

interface Child {
  readonly process: ChildProcess;
  output: string;
  readonly gone: Promise<unknown[]>;
}

const start = async (text: string, ...args: readonly string[]): Promise<Child> => {
  const child = spawn(process.execPath, ["-e", program(text), "--", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const started: Child = { process: child, output: "", gone: once(child, "close") };
  child.stdout.on("data", (data) => {
    started.output += String(data);
  });
  await eventually("the child", async () => started.output.includes("ready"));
  return started;
};

describe("onEnd", function () {
  this.timeout(30_000);

  const children: Child[] = [];
  const run = async (...args: Parameters<typeof start>): Promise<Child> => {
    const child = await start(...args);
    children.push(child);
    return child;
  };
  afterEach(() => {
    for (const { process: child } of children.splice(0)) {
      child.kill("SIGKILL");
    }
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`runs the last hook first on ${signal}, once, and ends as it would have`, async () => {
      const child = await run(`
        onEnd(async () => say("lease"));
        const forget = onEnd(async () => say("forgotten"));
        onEnd(async () => { throw new Error("not reached"); });
        onEnd(async () => { say("ending " + isEnding()); await delay(300); say("balance"); });
        forget();
      `);
      child.process.kill(signal);
      await eventually("its end to begin", async () => child.output.includes("ending true"));
      child.process.kill(signal);
      assert.deepEqual(await child.gone, [null, signal]);
      assert.equal(child.output, "ready\nending true\nbalance\nlease\n");
    });
  }

  it("does not wait for ever", async () => {
    const child = await run(`onEnd(() => new Promise(() => undefined));`);
    const started = performance.now();
    child.process.kill("SIGINT");
    assert.deepEqual(await child.gone, [null, "SIGINT"]);
    assert(performance.now() - started < 5000, "SIGKILL comes after 5 s");
  });

  it("lets work come to its end when the engine is gone, then runs the hooks and ends", async () => {
    const engine = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const child = await run(
      `
        onEnd(async () => say("hook"));
        untilEnd(async () => {
          while (!isEnding()) { await delay(50); }
          say("a node is started again");
          await delay(300);
          say("it runs");
        });
        untilEnd(() => Promise.reject(new Error("failed"))).catch(() => undefined);
      `,
      `127.0.0.1:${port}`,
    );
    // A few looks at the living engine.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(child.output, "ready\n");
    engine.forceShutdown();
    assert.deepEqual(await child.gone, [1, null]);
    assert.equal(child.output, "ready\na node is started again\nit runs\nhook\n");
  });

  it("has no opinion where there is no engine", async () => {
    const child = await run(`onEnd(async () => say("hook")); setTimeout(() => say("alive"), 2500);`);
    await eventually("some looks", async () => child.output.includes("alive"));
    assert.equal(child.output, "ready\nalive\n");
  });
});
