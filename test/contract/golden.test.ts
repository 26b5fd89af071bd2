import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as handlers from "../../provider/index.js";
import * as providers from "../../sdk/providers.js";
import { assertGolden } from "../golden.js";
import { serialize } from "./harness.js";

// The state of every resource holds this text, for ever, and `delete` and `refresh` run it. A difference here is a
// change of what users have already written down: there is no reason for one but a new kind of resource.

const handlersByKind: Readonly<Record<string, object>> = { ...handlers };
const kinds = Object.entries(providers).map(([name, provider]) => ({ kind: name.replace(/Provider$/, ""), provider }));
const root = resolve(__dirname, "../../..");
const methods = ["check", "diff", "create", "update", "read", "delete"];

describe("the text of a provider", () => {
  it("is there for each kind of resource, and for no other", () => {
    const names = ["beMember", "beNode", "feMember", "feNode", "preflight", "rehearsal", "release", "rollout"];
    assert.deepEqual(kinds.map(({ kind }) => kind).sort(), names);
    assert.deepEqual(Object.keys(handlers).sort(), names);
  });

  for (const { kind, provider } of kinds) {
    describe(`of ${kind}`, () => {
      it("is byte for byte what users' states hold", async () => {
        assertGolden(`contract/golden/${kind}.txt`, await serialize(provider), { frozen: true });
      });

      it("is short, and says nothing of the machine that it was made on", async () => {
        const text = await serialize(provider);
        assert.ok(text.length < 2500, `${text.length} bytes`);
        assert.doesNotMatch(text, /(?:["'`\s(]|file:)\/[a-z]/i);
        assert.ok(!text.includes(root));
      });

      it("names only the frozen entry and the handler of its kind", async () => {
        const text = await serialize(provider);
        const imports = [...text.matchAll(/import\("([^"]+)"\)\)\.(\w+)\.(\w+)\(/g)].map(([, ...found]) =>
          found.join(" "),
        );
        assert.deepEqual(imports.sort(), methods.map((method) => `pulumi-starrocks/provider ${kind} ${method}`).sort());
        assert.equal([...text.matchAll(/\b(?:require|import)\(/g)].length, methods.length);
      });

      it("names methods that the handler has", () => {
        assert.deepEqual(Object.keys(handlersByKind[kind] ?? {}).sort(), [...methods].sort());
      });
    });
  }
});

describe("a program that is an ES module and uses the package", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
    mkdirSync(join(folder, "node_modules/@pulumi"), { recursive: true });
    symlinkSync(root, join(folder, "node_modules/pulumi-starrocks"));
    symlinkSync(join(root, "node_modules/@pulumi/pulumi"), join(folder, "node_modules/@pulumi/pulumi"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("gives the same texts", async () => {
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
    const own = await Promise.all(kinds.map(async ({ kind, provider }) => [kind, await serialize(provider)]));
    assert.deepEqual(texts, Object.fromEntries(own));
  });
});
