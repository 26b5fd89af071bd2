import assert from "node:assert/strict";
import { ensureEngine, ways } from "../../../tools/engine.mjs";
import { SetupError } from "../../../tools/lib/steps.mjs";

/** @typedef {import("../../../tools/engine.mjs").Way} Way */

const engine = { binFolder: "/engine/bin", version: "3.259.0", source: "test" };

/**
 * The ways of `ensureEngine` that end as told, and which of them were tried. Others are not there.
 *
 * @param {Readonly<Record<string, Awaited<ReturnType<Way>> | Error>>} ends
 */
const fakes = (ends) => {
  /** @type {string[]} */
  const tried = [];
  const fake = (/** @type {string} */ name) => async () => {
    tried.push(name);
    const end = ends[name];
    if (end instanceof Error) {
      throw end;
    }
    return end;
  };
  return { tried, ways: Object.fromEntries(Object.keys(ways).map((name) => [name, fake(name)])) };
};

describe("ensureEngine", () => {
  // The two ways that take long say that they go on.
  const { log } = console;
  /** @type {string[]} */
  let said = [];
  beforeEach(() => {
    said = [];
    console.log = (line) => said.push(line.replace(/\d+\.\d s/, "n s"));
  });
  afterEach(() => {
    console.log = log;
  });

  const order = [
    "PULUMI_STARROCKS_ENGINE",
    "pulumi on PATH",
    "earlier download",
    "earlier build",
    "official download",
    "build from Go modules",
  ];

  for (const [index, name] of order.entries()) {
    it(`takes ${name} when there is nothing before it, and tries nothing after it`, async () => {
      const { tried, ways } = fakes({
        "pulumi on PATH": "no pulumi on PATH",
        "official download": "no way out",
        [name]: engine,
      });
      assert.equal(await ensureEngine(ways), engine);
      assert.deepEqual(tried, order.slice(0, index + 1));
    });
  }

  it("says what was tried, why it failed, and what to do, when there is none", async () => {
    const { tried, ways } = fakes({
      "pulumi on PATH": "/usr/bin/pulumi is version 2.1.0; expected 3.x from 3.216.0 on",
      "official download": "npm error ENOTFOUND",
      "build from Go modules": new SetupError("no go on PATH"),
    });
    const error = await ensureEngine(ways).then(
      () => undefined,
      (caught) => caught,
    );
    assert.ok(error instanceof SetupError);
    assert.equal(
      error.message,
      [
        "No Pulumi engine could be had:",
        "  - pulumi on PATH: /usr/bin/pulumi is version 2.1.0; expected 3.x from 3.216.0 on",
        "  - official download: npm error ENOTFOUND",
        "  - build from Go modules: no go on PATH",
        "Install the Pulumi CLI (3.x, 3.216.0 or later) with its Node.js language host and put it on PATH,",
        "or install Go 1.25.11 or later so that it can be built here, and run the command again.",
      ].join("\n"),
    );
    assert.deepEqual(tried, order);
    assert.deepEqual(said, [
      "✗ Pulumi engine: official download  n s  npm error ENOTFOUND",
      "✗ Pulumi engine: build from Go modules  n s  no go on PATH",
    ]);
  });

  it("takes no other than the one that is wanted", async () => {
    const { tried, ways } = fakes({ PULUMI_STARROCKS_ENGINE: new SetupError("it holds no pulumi") });
    await assert.rejects(ensureEngine(ways), /^SetupError: it holds no pulumi$/);
    assert.deepEqual(tried, order.slice(0, 1));
  });

  it("does not go on after a defect", async () => {
    const { tried, ways } = fakes({ "earlier build": new TypeError("x is not a function") });
    await assert.rejects(ensureEngine(ways), TypeError);
    assert.deepEqual(tried, order.slice(0, 4));
  });
});
