import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createStack, type Stack } from "../engine/stack.js";
import { createFleet } from "../fleet/fleet.js";
import { standIns } from "./folder.js";

/** Programs that use @pulumi/command run here with a stand-in for its plugin. */
const program = (update: string) => ({
  "package.json": JSON.stringify({ dependencies: { "@pulumi/command": "*" } }),
  "index.js": `
    const command = require("@pulumi/command");
    const note = new command.local.Command("note", {
      create: "cat > note; echo created $WHO",
      update: ${JSON.stringify(update)},
      delete: "rm note",
      stdin: "by stdin",
      environment: { WHO: "you" },
    });
    exports.stdout = note.stdout;
  `,
});

/** The same on a host, whose connection is in the configuration. */
const remoteProgram = {
  "package.json": JSON.stringify({ dependencies: { "@pulumi/command": "*" } }),
  "index.js": `
    const pulumi = require("@pulumi/pulumi");
    const command = require("@pulumi/command");
    const config = new pulumi.Config();
    const connection = config.requireSecretObject("connection");
    const path = config.require("path");
    const source = new pulumi.asset.StringAsset("hello");
    const copy = new command.remote.CopyToRemote("copy", { connection, source, remotePath: path });
    const read = new command.remote.Command("read", { connection, create: 'cat "' + path + '"' }, { dependsOn: copy });
    exports.stdout = read.stdout;
  `,
};

describe("the stand-in for @pulumi/command", () => {
  it("copies a text to a host and runs a command there", async () => {
    const fleet = await createFleet({ kind: "loopback", hosts: 1 });
    const [host] = fleet.hosts;
    assert.ok(host);
    const { knownHosts, ...connection } = fleet.connection(host);
    const config = { connection: { secret: JSON.stringify(connection) }, path: join(fleet.scratch, "it's here") };
    const lab = await createStack({ program: remoteProgram, path: [standIns], config });
    try {
      await lab.up();
      assert.deepEqual(await lab.outputs(), { stdout: "hello" });
    } finally {
      await lab.close();
      await fleet.close();
    }
  });
});

describe("the stand-in for @pulumi/command on this machine", () => {
  let stack: Stack;
  before(async () => {
    stack = await createStack({ program: program("echo updated after $PULUMI_COMMAND_STDOUT"), path: [standIns] });
  });
  after(() => stack?.close());

  it("runs create, update and delete of a local command", async () => {
    const note = join(stack.folder, "note");
    await stack.up();
    assert.deepEqual(await stack.outputs(), { stdout: "created you" });
    assert.equal(readFileSync(note, "utf8"), "by stdin");
    await stack.up(["--expect-no-changes"]);
    stack.write(program("echo again after $PULUMI_COMMAND_STDOUT"));
    await stack.up();
    assert.deepEqual(await stack.outputs(), { stdout: "again after created you" });
    stack.write(program("echo it broke >&2; exit 3"));
    const failed = await stack.up([], { expectFailure: true });
    assert.match(failed.stdout, /Process exited with status 3.*it broke/s);
    await stack.destroy();
    assert.ok(!existsSync(note));
  });
});
