import { createStack, type Stack } from "../../engine/stack.js";
import type { Lab } from "../../lab/lab.js";
import type { BuiltRelease } from "../../simulator/release.js";
import { standIns } from "../../stand-ins/folder.js";
import type { Contender } from "./contender.js";
import { archiveOn, commands, nodesOf, portLimit } from "./nodes.js";

/** The archive to every host, then one command a node, each after the one before. */
const program = `
const pulumi = require("@pulumi/pulumi");
const command = require("@pulumi/command");
let before = [];
for (const { name, connection, archive, path, script } of JSON.parse(require("node:fs").readFileSync("nodes.json", "utf8"))) {
  const source = new pulumi.asset.FileAsset(archive);
  const copy = new command.remote.CopyToRemote("copy-" + name, { connection, source, remotePath: path });
  before = [new command.remote.Command(name, { connection, create: script, triggers: [path] }, { dependsOn: [copy, ...before] })];
}
`;

export const commandProgram = (lab: Lab): Contender & { readonly close: () => Promise<void> } => {
  let stack: Stack | undefined;
  const close = async (): Promise<void> => {
    await stack?.close();
    stack = undefined;
  };
  const prepare = async (release: BuiltRelease): Promise<void> => {
    const nodes = nodesOf(lab).map((node) => {
      const { knownHosts, ...connection } = lab.fleet.connection(node.host);
      const steps = [
        commands.unpack(node, release),
        commands.stop(node),
        commands.swap(node, release),
        commands.start(node, lab.jdk),
        commands.listening(node, portLimit),
      ];
      const path = archiveOn(node, release);
      return { name: node.host.name, connection, archive: release.archive, path, script: steps.join(" && ") };
    });
    await close();
    stack = await createStack({
      program: {
        "package.json": JSON.stringify({ dependencies: { "@pulumi/command": "*" } }),
        "index.js": program,
        "nodes.json": JSON.stringify(nodes),
      },
      path: [standIns],
    });
  };
  return {
    name: "@pulumi/command",
    note: "with a stand-in of this repository for its plugin (test/stand-ins); waits for each node's port",
    prepare,
    upgrade: async () => {
      if (!stack) {
        throw new Error("prepare comes first");
      }
      const { exitCode, stdout } = await stack.start("up", ["--skip-preview"]).ended;
      return { exitCode: exitCode ?? 1, output: stdout };
    },
    close,
  };
};
