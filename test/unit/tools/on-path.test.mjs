import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineGiven, engineOnPath } from "../../../tools/engine/on-path.mjs";
import { SetupError } from "../../../tools/lib/steps.mjs";

describe("engines that the machine has", () => {
  /** @type {string} */
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const install = (/** @type {string} */ program, text = "") => {
    writeFileSync(join(folder, program), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, program), 0o755);
  };
  const installAll = (/** @type {string} */ version) => {
    install("pulumi", `echo ${version}`);
    install("pulumi-language-nodejs");
    install("pulumi-resource-pulumi-nodejs");
  };

  it("takes one that is new enough and complete", async () => {
    installAll("v3.259.0");
    assert.deepEqual(await engineOnPath(`/nowhere::${folder}`), {
      binFolder: folder,
      version: "3.259.0",
      source: "PATH",
    });
  });

  const refused = /** @type {const} */ ([
    ["v3.215.0", "is version 3.215.0; expected 3.x from 3.216.0 on"],
    ["v4.0.0", "is version 4.0.0; expected 3.x from 3.216.0 on"],
    ["nonsense", "does not run"],
  ]);
  for (const [version, reason] of refused) {
    it(`says why it does not take one that says ${version}`, async () => {
      installAll(version);
      assert.equal(await engineOnPath(folder), `${join(folder, "pulumi")} ${reason}`);
    });
  }

  it("says what is missing beside the CLI", async () => {
    install("pulumi", "echo v3.259.0");
    install("pulumi-language-nodejs");
    assert.match(String(await engineOnPath(folder)), /has no pulumi-resource-pulumi-nodejs beside it or on PATH$/);
  });

  it("says that there is none", async () => {
    assert.equal(await engineOnPath(folder), "no pulumi on PATH");
  });

  it("takes the one of a folder that is given", async () => {
    installAll("v3.259.0");
    assert.deepEqual(await engineGiven(folder), {
      binFolder: folder,
      version: "3.259.0",
      source: "PULUMI_STARROCKS_ENGINE",
    });
    assert.equal(await engineGiven(""), undefined);
  });

  it("refuses a folder that is given and has none, or one that is too old", async () => {
    await assert.rejects(engineGiven(folder), new SetupError(`PULUMI_STARROCKS_ENGINE: no pulumi in ${folder}`));
    installAll("v3.215.0");
    await assert.rejects(
      engineGiven(folder),
      /^SetupError: PULUMI_STARROCKS_ENGINE: .*pulumi is version 3\.215\.0; expected/,
    );
  });
});
