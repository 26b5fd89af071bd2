import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as handlers from "../../provider/index.js";
import { type Kind, providerText } from "../../sdk/providers.js";
import { assertGolden } from "../golden.js";
import { type Provider, startProvider } from "./harness.js";

// The state of every resource holds this text, for ever, and `delete` and `refresh` run it. A difference here is a
// change of what users have already written down: there is no reason for one but a new kind of resource.

const kinds: readonly Kind[] = [
  "beMember",
  "beNode",
  "feMember",
  "feNode",
  "preflight",
  "rehearsal",
  "release",
  "rollout",
];
const handlersByKind: Readonly<Record<string, object>> = { ...handlers };
const root = resolve(__dirname, "../../..");
const methods = ["check", "diff", "create", "update", "read", "delete"];

/** A program's folder with the package installed, for whatever runs in it. */
const installed = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
  mkdirSync(join(folder, "node_modules/@pulumi"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/pulumi-starrocks"));
  symlinkSync(join(root, "node_modules/@pulumi/pulumi"), join(folder, "node_modules/@pulumi/pulumi"));
  return folder;
};

describe("the text of a provider", () => {
  let folder: string;
  let provider: Provider;
  before(async () => {
    folder = installed();
    provider = await startProvider({ text: providerText("beNode"), folder });
  });
  after(async () => {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("names handlers of the frozen entry, all of them", () => {
    assert.deepEqual(Object.keys(handlers).sort(), kinds);
  });

  for (const kind of kinds) {
    describe(`of ${kind}`, () => {
      it("is byte for byte what users' states hold", () => {
        assertGolden(`contract/golden/${kind}.txt`, providerText(kind), { frozen: true });
      });

      it("names methods that the handler has", () => {
        assert.deepEqual(Object.keys(handlersByKind[kind] ?? {}).sort(), [...methods].sort());
      });

      for (const [which, path] of [
        ["is", `${kind}.txt`],
        ["was in earlier states", `earlier/${kind}.txt`],
      ] as const) {
        it(`runs the handler in Pulumi's provider process, as it ${which}`, async () => {
          const text = readFileSync(join(root, "test/contract/golden", path), "utf8");
          const { failures } = await provider.with(text).check({}, { noSuchArgument: "x" });
          assert.match(failures.map(({ reason }) => reason).join("\n"), /unknown argument `noSuchArgument`/);
        });
      }
    });
  }
});

describe("a program that is an ES module and uses the package", () => {
  let folder: string;
  before(() => {
    folder = installed();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("gives the same texts", () => {
    const program = join(folder, "index.mjs");
    writeFileSync(
      program,
      `import pulumi from "@pulumi/pulumi";
      import * as starrocks from "pulumi-starrocks";
      const texts = {};
      await pulumi.runtime.setMocks({
        newResource: ({ name, inputs }) => (texts[name] = inputs.__provider, { id: name, state: inputs }),
        call: () => ({}),
      });
      const made = Object.entries({
        beMember: "BeMember", beNode: "BeNode", feMember: "FeMember", feNode: "FeNode",
        preflight: "Preflight", rehearsal: "Rehearsal", release: "Release", rollout: "Rollout",
      }).map(([name, type]) => new starrocks[type](name, {}));
      await Promise.all(made.map(({ id }) => new Promise((resolve) => id.apply(resolve))));
      console.log(JSON.stringify(texts));`,
    );
    const texts = JSON.parse(execFileSync(process.execPath, [program], { cwd: folder, encoding: "utf8" })) as object;
    assert.deepEqual(texts, Object.fromEntries(kinds.map((kind) => [kind, providerText(kind)])));
  });
});
