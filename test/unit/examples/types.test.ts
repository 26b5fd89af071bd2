import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../../engine/root.js";

const folder = join(root, "examples");
const examples = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const parse = (name: string): ts.ParsedCommandLine => {
  const file = join(folder, name, "tsconfig.json");
  return ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, join(folder, name));
};

describe("the examples", () => {
  it("have the right types against the package as its users see it", () => {
    const [first, ...others] = examples.map(parse);
    assert.ok(first);
    for (const { options } of others) {
      assert.deepEqual(
        { ...options, configFilePath: "" },
        { ...first.options, configFilePath: "" },
        "one compiler run for all examples needs the same options in each",
      );
    }
    const names = [first, ...others].flatMap(({ fileNames }) => fileNames);
    const program = ts.createProgram(names, first.options);
    const problems = ts.getPreEmitDiagnostics(program);
    assert.equal(
      ts.formatDiagnostics(problems, {
        ...ts.sys,
        getNewLine: () => "\n",
        getCanonicalFileName: String,
        getCurrentDirectory: () => root,
      }),
      "",
    );
  }).timeout(120_000);
});
