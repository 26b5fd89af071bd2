import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CommandError, UnreachableError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import type { Host } from "../../../provider/host/types.js";
import { Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { temporaryFolder } from "./equipment/ssh-keys.js";
import { startSshd } from "./equipment/sshd.js";

describe("files", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  let host: Host;
  let folder: string;

  before(async () => {
    const sshd = await startSshd();
    cleanup.add(sshd.stop);
    cleanup.add(closeAll);
    host = hostFor(sshd.connection);
  });
  after(cleanup.run);
  beforeEach(() => {
    folder = temporaryFolder();
  });

  const contents: readonly string[] = [
    "",
    "a",
    "a\n",
    "\n\n",
    "no end\nof line",
    "Zürich 東京 🦀\r\n\t$HOME 'x'\\",
    "x".repeat(2_000_000),
  ];
  for (const content of contents) {
    it(`come back as they were written: ${JSON.stringify(content.slice(0, 30))} (${content.length})`, async () => {
      const path = join(folder, "a file's name");
      await host.writeFile(path, content);
      assert.equal(readFileSync(path, "utf8"), content);
      assert.equal(await host.readFile(path), content);
    });
  }

  it("that do not exist are undefined", async () => {
    writeFileSync(join(folder, "file"), "");
    for (const path of [join(folder, "none"), join(folder, "none/none"), join(folder, "file/none"), "-n"]) {
      assert.equal(await host.readFile(path), undefined);
    }
  });

  it("that cannot be read are errors", async () => {
    await assert.rejects(host.readFile(folder), (error) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.message, /`read \/.*` failed with exit code 1\.\nstderr:\n.*Is a directory/);
      return true;
    });
  });

  it("larger than 16 MiB are refused", async () => {
    const path = join(folder, "large");
    writeFileSync(path, "");
    truncateSync(path, 16 * 1024 * 1024 + 1);
    await assert.rejects(host.readFile(path), /larger than 16 MiB/);
  });

  it("get the wanted mode, 0644 by default", async () => {
    await host.writeFile(join(folder, "open"), "");
    await host.writeFile(join(folder, "closed"), "", { mode: 0o600 });
    await host.writeFile(join(folder, "program"), "", { mode: 0o755 });
    const modes = ["open", "closed", "program"].map((name) => statSync(join(folder, name)).mode & 0o7777);
    assert.deepEqual(modes, [0o644, 0o600, 0o755]);
  });

  it("keep the mode and the group that they have, where that is wanted", async () => {
    const path = join(folder, "file");
    const modes: number[] = [];
    for (const before of [undefined, 0o600, 0o660]) {
      if (before !== undefined) {
        chmodSync(path, before);
      }
      await host.writeFile(path, "secret", { mode: 0o640, keep: true });
      modes.push(statSync(path).mode & 0o7777);
    }
    assert.deepEqual(modes, [0o640, 0o600, 0o660]);
    // Who may give a file another group than that of new ones: root, any.
    const [group = 0] = process.getuid?.() === 0 ? [1] : (process.getgroups?.() ?? []);
    chownSync(path, -1, group);
    await host.writeFile(path, "secret", { mode: 0o640, keep: true });
    assert.equal(statSync(path).gid, group);
  });

  it("are replaced as a whole, and leave nothing beside them", async () => {
    const path = join(folder, "file");
    await host.writeFile(path, "old");
    const { ino } = statSync(path);
    await host.writeFile(path, "new");
    assert.equal(readFileSync(path, "utf8"), "new");
    assert.notEqual(statSync(path).ino, ino);
    assert.deepEqual(readdirSync(folder), ["file"]);
  });

  it("take the place of a link, not of what it leads to", async () => {
    writeFileSync(join(folder, "target"), "kept");
    symlinkSync("target", join(folder, "link"));
    await host.writeFile(join(folder, "link"), "new");
    assert.equal(readFileSync(join(folder, "target"), "utf8"), "kept");
  });

  it("never take the place of a folder", async () => {
    const path = join(folder, "folder");
    mkdirSync(path);
    await assert.rejects(host.writeFile(path, "x"), CommandError);
    assert.deepEqual(readdirSync(folder), ["folder"]);
    assert.deepEqual(readdirSync(path), []);
  });

  it("are left alone when the connection is lost half-way", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    const server = await startServer({
      env: { PATH: `${folder}/bin:${process.env.PATH}` },
    });
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    // The first `cat` tells us that writing has begun, then takes what comes.
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/cat"), `#!/bin/sh\necho begun >&2\nexec /bin/cat\n`, { mode: 0o755 });
    const fragile = hostFor(server.connection);
    await fragile.run(["true"]);
    const writing = fragile.writeFile(path, "x".repeat(20_000_000));
    setImmediate(function drop() {
      const begun = readdirSync(folder).some((name) => name.startsWith("file.new-"));
      if (!begun) {
        return void setImmediate(drop);
      }
      for (const client of server.clients) {
        client.end();
      }
    });
    await assert.rejects(writing, UnreachableError);
    assert.equal(readFileSync(path, "utf8"), "old");
  });
});
