import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { run } from "../../../tools/lib/run.mjs";

describe("run", () => {
  it("gives the exit code, stdout, and both outputs together", async () => {
    const { code, stdout, output } = await run(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert.deepEqual(
      { code, stdout, output: output.split("\n").sort() },
      { code: 3, stdout: "out\n", output: ["", "err", "out"] },
    );
  });

  it("hands on lines as they come", async () => {
    /** @type {string[]} */
    const lines = [];
    await run(["sh", "-c", "echo one; echo two"], { onLine: (line) => lines.push(line) });
    assert.deepEqual(lines, ["one", "two"]);
  });

  it("says 127 for a program that is not there", async () => {
    assert.equal((await run(["no-such-program"])).code, 127);
  });

  it("kills the program and its children at the limit", async () => {
    // It resolves when nobody holds the pipes any more: a child that lived on would do so for a minute.
    const { code, output } = await run(["sh", "-c", "sleep 60 & wait"], { limit: 200 });
    assert.equal(code, 124);
    assert.match(output, /stopped after 0.2 s/);
  });

  it("kills what a program that runs others likewise has begun", async function () {
    if (process.platform !== "linux") {
      this.skip();
    }
    const module = new URL("../../../tools/lib/run.mjs", import.meta.url);
    const nested = `import { run } from ${JSON.stringify(module)};
      await run(["sh", "-c", "echo $$; exec sleep 60"], { onLine: (line) => console.log(line) });`;
    const { stdout } = await run([process.execPath, "--input-type=module", "--eval", nested], { limit: 1500 });
    const pid = Number(stdout.trim());
    assert.ok(pid > 0, stdout);
    // Its parent has gone; whoever has it now may not have noticed its end yet.
    assert.ok(!existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")));
  });

  it("keeps the niceness that it has itself, and makes a program nicer only", async () => {
    const nicer = Math.min(getPriority() + 3, 19);
    const module = new URL("../../../tools/lib/run.mjs", import.meta.url);
    const script = `import { run } from ${JSON.stringify(module)};
      const { stdout: own } = await run(["nice"]);
      const { stdout: nice } = await run(["nice"], { niceness: ${nicer - 1} });
      const { stdout: nicest } = await run(["sh", "-c", 'until [ "$(nice)" = 19 ]; do :; done; nice'], { niceness: 19, limit: 9000 });
      console.log(JSON.stringify([own, nice, nicest].map(Number)));`;
    const { stdout, output } = await run([
      "nice",
      "-n",
      "3",
      process.execPath,
      "--input-type=module",
      "--eval",
      script,
    ]);
    assert.deepEqual(JSON.parse(stdout || "[]"), [nicer, nicer, 19], output);
  });

  it("does not wait for input", async () => {
    assert.equal((await run(["cat"])).code, 0);
  });
});
