import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineFolder } from "../engine/binaries.js";
import { root } from "../engine/root.js";
import { start } from "../engine/running.js";

/** Everything that the quickstart starts has its temporary folder somewhere in its environment. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      const belongs = Number.isInteger(Number(pid)) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder);
      return belongs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`] : [];
    } catch {
      return [];
    }
  });

const isFleetRegistry = (name: string): boolean => name.startsWith("pulumi-starrocks-fleets-");

describe("the quickstart", () => {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "quickstart-test-")));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [moment, pattern] of [
    ["while the engine starts", /━━ up: /],
    ["while nodes are started", /BeNode quickstart-be-be\d created/],
  ] as const) {
    it(`leaves no process and no file when Ctrl-C comes ${moment}`, async () => {
      const running = start([process.execPath, join(root, "dist/test/quickstart/main.js")], {
        cwd: root,
        env: { ...process.env, TMPDIR: folder, PULUMI_STARROCKS_ENGINE: await engineFolder() },
      });
      await running.saw(pattern, 240_000);
      assert.ok(processesOf(folder).length > 1);
      running.interrupt();
      const { exitCode } = await running.ended;
      assert.equal(exitCode, undefined, "it ends by the signal");
      assert.deepEqual(processesOf(folder), []);
      assert.deepEqual(
        readdirSync(folder).filter((name) => !isFleetRegistry(name)),
        [],
      );
      assert.deepEqual(
        readdirSync(folder).flatMap((name) => readdirSync(join(folder, name))),
        [],
      );
    });
  }
});
