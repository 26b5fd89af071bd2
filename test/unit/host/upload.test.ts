import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../provider/error.js";
import { LimitError, UnreachableError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import type { Host } from "../../../provider/host/types.js";
import { until } from "../../../provider/wait.js";
import { Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { temporaryFolder } from "./equipment/ssh-keys.js";
import { type Sshd, startSshd } from "./equipment/sshd.js";

const digestOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

describe("upload", function () {
  this.timeout(120_000);
  const cleanup = new Cleanup();
  let sshd: Sshd;
  let host: Host;
  let folder: string;
  let local: string;
  let sha256: string;

  before(async () => {
    // Its configuration has no SFTP: it is not needed.
    sshd = await startSshd();
    cleanup.add(sshd.stop);
    cleanup.add(closeAll);
    host = hostFor(sshd.connection);
  });
  after(cleanup.run);

  beforeEach(() => {
    folder = temporaryFolder();
    local = join(folder, "local");
    writeFileSync(local, Buffer.alloc(5_000_000, "some content, not all of it alike; "));
    sha256 = digestOf(local);
  });

  const target = () => join(folder, "new/sub", "it's here.tar.gz");

  it("sends a file, makes its folder, and reports progress", async () => {
    const seen: (readonly [number, number])[] = [];
    const result = await host.upload(local, target(), {
      sha256,
      onProgress: (sent, total) => seen.push([sent, total]),
    });
    assert.equal(result, "sent");
    assert.equal(digestOf(target()), sha256);
    assert.equal(statSync(target()).mode & 0o777, 0o644);
    assert.deepEqual(seen.at(-1), [5_000_000, 5_000_000]);
    assert.equal(readdirSync(join(folder, "new/sub")).length, 1);
  });

  it("sends nothing when the file is there already, and replaces another one", async () => {
    await host.upload(local, target(), { sha256 });
    assert.equal(await host.upload(local, target(), { sha256: sha256.toUpperCase() }), "present");
    writeFileSync(target(), Buffer.alloc(5_000_000));
    assert.equal(await host.upload(local, target(), { sha256 }), "sent");
    assert.equal(digestOf(target()), sha256);
  });

  it("sends the same file once when asked twice at once", async () => {
    const results = await Promise.all([1, 2, 3].map(() => host.upload(local, target(), { sha256 })));
    assert.deepEqual(results, ["sent", "present", "present"]);
  });

  it("sends an empty file", async () => {
    truncateSync(local, 0);
    assert.equal(await host.upload(local, target(), { sha256: digestOf(local) }), "sent");
    assert.equal(statSync(target()).size, 0);
  });

  it("refuses a file with another digest, names both, and leaves nothing", async () => {
    const wrong = "0".repeat(64);
    await assert.rejects(host.upload(local, target(), { sha256: wrong }), (error) => {
      assert.ok(error instanceof UserError);
      assert.ok(
        error.message.includes(`arrived with sha256 ${sha256}, expected ${wrong}; it was removed`),
        error.message,
      );
      return true;
    });
    assert.deepEqual(readdirSync(join(folder, "new/sub")), []);
  });

  it("keeps the file that was there when the new one fails", async () => {
    mkdirSync(join(folder, "new/sub"), { recursive: true });
    writeFileSync(target(), "old");
    await assert.rejects(host.upload(local, target(), { sha256: "0".repeat(64) }));
    assert.equal(readFileSync(target(), "utf8"), "old");
  });

  it("says which local file cannot be read", async () => {
    await assert.rejects(
      host.upload(join(folder, "none"), target(), { sha256 }),
      /Cannot read the file to upload: ENOENT/,
    );
  });

  it("refuses a folder as target", async () => {
    mkdirSync(target(), { recursive: true });
    await assert.rejects(host.upload(local, target(), { sha256 }), /upload .*is a directory/s);
  });

  it("removes what interrupted uploads left, not what is under way", async () => {
    mkdirSync(join(folder, "new/sub"), { recursive: true });
    const { pid } = spawn("true");
    const stale = [`${target()}.part-abc.${pid ?? 0}99999`, `${target()}.part-abc`];
    const others = [`${target()}.part-abc.${process.pid}`, join(folder, "new/sub/other.part-abc.99999999")];
    for (const path of [...stale, ...others]) {
      writeFileSync(path, "");
    }
    await host.upload(local, target(), { sha256 });
    assert.deepEqual(stale.filter(existsSync), []);
    assert.deepEqual(others.filter(existsSync), others);
  });

  it("leaves nothing, and the old file, when the connection is lost half-way; then works again", async () => {
    truncateSync(local, 200_000_000);
    const digest = digestOf(local);
    const server = await startServer();
    cleanup.add(server.stop);
    cleanup.add(closeAll);
    const fragile = hostFor(server.connection);
    const path = target();
    const parts = () => (existsSync(join(folder, "new/sub")) ? readdirSync(join(folder, "new/sub")) : []);
    const onProgress = () => {
      for (const client of server.clients) {
        client.end();
      }
    };
    await assert.rejects(fragile.upload(local, path, { sha256: digest, onProgress }), UnreachableError);
    await until(
      async () => (parts().length === 0 ? { done: true, value: 0 } : { done: false, seen: String(parts()) }),
      {
        what: "the part to be removed",
        limit: 10_000,
        every: 20,
      },
    );
    assert.equal(await fragile.upload(local, path, { sha256: digest }), "sent");
  });

  it("is ended when all of it takes longer than its limit, and leaves nothing", async () => {
    truncateSync(local, 500_000_000);
    const path = target();
    const slow = host.upload(local, path, { sha256: "0".repeat(64), limit: 200 });
    await assert.rejects(slow, (error) => {
      assert.ok(error instanceof LimitError, String(error));
      assert.match(error.message, /`upload .*` was ended after 0\.\d s: its limit is 0\.2 s/s);
      return true;
    });
    const parts = () => readdirSync(join(folder, "new/sub"));
    await until(
      async () => (parts().length === 0 ? { done: true, value: 0 } : { done: false, seen: String(parts()) }),
      { what: "the part to be removed", limit: 10_000, every: 20 },
    );
  });

  describe("onto a host where hashing takes long", () => {
    /** Hashes 5 MB in six seconds, with half of that as the limit of a command. */
    const slow = async (hash: string): Promise<Host> => {
      const bin = temporaryFolder();
      const programs = { openssl: "exit 1", sha256sum: hash };
      for (const [name, text] of Object.entries(programs)) {
        writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
      }
      const server = await startServer({ env: { PATH: `${bin}:${process.env.PATH}` } });
      cleanup.add(server.stop);
      cleanup.add(closeAll);
      return hostFor({ ...server.connection, commandLimit: 3 });
    };
    const steadily =
      "{ for piece in 1 2 3 4 5; do sleep 1.2; dd bs=1M count=1 status=none; done; cat; } | /usr/bin/sha256sum";
    const endedBy = async (uploading: Promise<unknown>, limit: string): Promise<void> => {
      await assert.rejects(uploading, (error) => {
        assert.ok(error instanceof LimitError, String(error));
        assert.ok(error.message.endsWith(`its limit is ${limit}.`), error.message);
        return true;
      });
    };

    it("is not ended by the limit of a command, neither after the upload nor where the file is there already", async () => {
      const host = await slow(steadily);
      assert.equal(await host.upload(local, target(), { sha256, limit: 60_000 }), "sent");
      assert.equal(await host.upload(local, target(), { sha256, limit: 60_000 }), "present");
    });

    it("is ended by its own limit, where the file is there already, too", async () => {
      const host = await slow(steadily);
      mkdirSync(join(folder, "new/sub"), { recursive: true });
      writeFileSync(target(), readFileSync(local));
      await endedBy(host.upload(local, target(), { sha256, limit: 4000 }), "4 s");
    });

    it("is ended where nothing of the file is read any more, and leaves nothing", async () => {
      const host = await slow("sleep 20");
      await endedBy(host.upload(local, target(), { sha256, limit: 60_000 }), "3 s");
      const parts = () => readdirSync(join(folder, "new/sub"));
      await until(
        async () => (parts().length === 0 ? { done: true, value: 0 } : { done: false, seen: String(parts()) }),
        { what: "the part to be removed", limit: 30_000, every: 20 },
      );
    });
  });

  it("goes on while the connection changes its keys", async () => {
    const rekeying = await startSshd(["RekeyLimit 1M"]);
    cleanup.add(rekeying.stop);
    cleanup.add(closeAll);
    truncateSync(local, 30_000_000);
    assert.equal(await hostFor(rekeying.connection).upload(local, target(), { sha256: digestOf(local) }), "sent");
  });

  describe("onto a full disk", () => {
    const fake = async (name: string, text: string): Promise<Host> => {
      const bin = temporaryFolder();
      writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
      const server = await startServer({ env: { PATH: `${bin}:${process.env.PATH}` } });
      cleanup.add(server.stop);
      cleanup.add(closeAll);
      return hostFor(server.connection);
    };

    it("sends nothing when there is too little room", async () => {
      const full = await fake(
        "df",
        'if [ "$1" = -k ]; then echo Avail; echo 100; else echo Filesystem; echo /dev/full; fi',
      );
      await assert.rejects(full.upload(local, target(), { sha256 }), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /no room for .* \(5 MB\); nothing of it was kept\..*\nFilesystem\n\/dev\/full/);
        return true;
      });
    });

    it("ends early and removes the part when the disk becomes full", async () => {
      const text = 'head -c 1000000; echo "cat: write error: No space left on device" >&2; exit 1';
      const full = await fake("cat", text);
      await assert.rejects(full.upload(local, target(), { sha256 }), /no room for .*\n.*Filesystem/s);
      assert.deepEqual(readdirSync(join(folder, "new/sub")), []);
    });

    if (process.getuid?.() === 0) {
      it("says the same of a real one", async () => {
        const mount = temporaryFolder();
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "none", mount]);
        cleanup.add(() => void execFileSync("umount", [mount]));
        await assert.rejects(host.upload(local, join(mount, "file"), { sha256 }), /no room for .*Filesystem/s);
        assert.deepEqual(readdirSync(mount), []);
      });
    }
  });

  it("takes the same memory whatever the size of the file", async () => {
    truncateSync(local, 300_000_000);
    writeFileSync(join(folder, "warm"), "");
    truncateSync(join(folder, "warm"), 60_000_000);
    const pool = join(__dirname, "../../../provider/host/pool.js");
    const text = `
      const { hostFor } = require(${JSON.stringify(pool)});
      (async () => {
        const host = hostFor(${JSON.stringify(sshd.connection)});
        await host.upload(${JSON.stringify(join(folder, "warm"))}, ${JSON.stringify(join(folder, "warmed"))}, { sha256: ${JSON.stringify(digestOf(join(folder, "warm")))} });
        const before = process.memoryUsage().rss;
        let most = before;
        const timer = setInterval(() => { most = Math.max(most, process.memoryUsage().rss); }, 10);
        await host.upload(${JSON.stringify(local)}, ${JSON.stringify(target())}, { sha256: ${JSON.stringify(digestOf(local))} });
        clearInterval(timer);
        console.log(JSON.stringify((most - before) / 1e6));
      })();`;
    const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "inherit"], timeout: 100_000 });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, "close");
    assert.equal(code, 0);
    assert.ok(Number(output) < 30, `memory grew by ${output} MB`);
  });
});
