import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { becomeFailure } from "../../../provider/host/become.js";
import type { Connection } from "../../../provider/host/connection.js";
import { BecomeError, LimitError } from "../../../provider/host/errors.js";
import { closeAll, hostFor } from "../../../provider/host/pool.js";
import type { Host } from "../../../provider/host/types.js";
import { until } from "../../../provider/wait.js";
import { beforeExit, Cleanup } from "./equipment/cleanup.js";
import { startServer } from "./equipment/server.js";
import { temporaryFolder } from "./equipment/ssh-keys.js";
import { type Sshd, startSshd } from "./equipment/sshd.js";

const fails = async (work: Promise<unknown>, message: RegExp): Promise<string> => {
  const error = await work.then(
    () => new Error("it worked"),
    (caught) => caught,
  );
  assert.ok(error instanceof BecomeError, String(error));
  assert.match(error.message, message);
  return error.message;
};

describe("becomeFailure", () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ["sudo: a password is required", 1, /set `become\.password`, or allow the login user NOPASSWD/],
    ["sudo: a terminal is required to read the password; …", 1, /set `become\.password`/],
    ["Sorry, try again.\nsudo: 1 incorrect password attempt", 1, /did not accept `become\.password`/],
    ["ann is not in the sudoers file.", 1, /may not use sudo/],
    ["Sorry, user ann may not run sudo on db1.", 1, /may not use sudo/],
    [
      "Sorry, user ann is not allowed to execute '/bin/bash' as starrocks on db1.",
      1,
      /may not run bash as `starrocks`/,
    ],
    ["sudo: sorry, you must have a tty to run sudo", 1, /remove `requiretty`/],
    ["sudo: unknown user: starrocks\nsudo: error initializing audit plugin sudoers_audit", 1, /no user `starrocks`/],
    ["sudo: unknown user starrocks", 1, /no user `starrocks`/],
    ['sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', 1, /cannot work there/],
    ["env: ‘sudo’: No such file or directory", 127, /sudo is not installed/],
    ["sudo: policy plugin failed session initialization", 1, /sudo refused\. It said: sudo: policy plugin/],
    ["", 1, /did not get as far as running bash/],
  ];
  for (const [said, code, message] of cases) {
    it(said || "(nothing)", () => {
      const error = becomeFailure("db1", "starrocks", said, code);
      assert.match(error.message, /^db1: cannot run commands as `starrocks`: /);
      assert.match(error.message, message);
    });
  }
});

describe("become without sudo", () => {
  it("says that sudo is not installed", async () => {
    const bin = temporaryFolder();
    for (const program of ["env", "bash"]) {
      symlinkSync(`/usr/bin/${program}`, join(bin, program));
    }
    const server = await startServer({ env: { PATH: bin } });
    try {
      await fails(hostFor({ ...server.connection, become: {} }).run(["true"]), /as `root`: sudo is not installed/);
    } finally {
      await closeAll();
      await server.stop();
    }
  });
});

/** Needs users and rights of its own, which only root can make. */
const describeAsRoot = process.getuid?.() === 0 ? describe : () => undefined;

describeAsRoot("become by sudo", function () {
  this.timeout(60_000);
  const cleanup = new Cleanup();
  const suffix = randomBytes(4).toString("hex");
  const login = `srl${suffix}`;
  const user = `sru${suffix}`;
  const password = "correct horse 'battery'";
  const sudoersFile = `/etc/sudoers.d/starrocks-test-${suffix}`;
  let sshd: Sshd;
  let connection: Connection;

  const sudoers = (...lines: string[]) => {
    writeFileSync(
      sudoersFile,
      `${lines.map((line) => line.replaceAll("LOGIN", login).replaceAll("USER", user)).join("\n")}\n`,
    );
    chmodSync(sudoersFile, 0o440);
  };

  const hostAs = (become: Connection["become"] = { user }): Host => hostFor({ ...connection, become });

  const removeUsers = () => {
    rmSync(sudoersFile, { force: true });
    for (const name of [login, user]) {
      try {
        execFileSync("userdel", ["-rf", name], { stdio: "ignore" });
      } catch {
        // It was not made, or has gone.
      }
    }
  };

  before(async () => {
    cleanup.add(removeUsers);
    beforeExit(removeUsers);
    for (const name of [login, user]) {
      execFileSync("useradd", ["-m", "-s", "/bin/bash", name]);
      chmodSync(`/home/${name}`, 0o700);
    }
    execFileSync("chpasswd", { input: `${login}:${password}\n` });
    sshd = await startSshd();
    chmodSync(sshd.folder, 0o711);
    cleanup.add(sshd.stop);
    cleanup.add(closeAll);
    connection = { ...sshd.connection, user: login };
  });
  after(cleanup.run);

  const asks = ["LOGIN ALL=(USER) ALL", "Defaults:LOGIN timestamp_timeout=0", "Defaults:LOGIN lecture=always"];
  const ways: readonly (readonly [string, readonly string[], Connection["become"]])[] = [
    ["without a password", ["LOGIN ALL=(USER) NOPASSWD: ALL"], { user }],
    ["with a password that sudo does not ask for", ["LOGIN ALL=(USER) NOPASSWD: ALL"], { user, password }],
    ["with a password that sudo asks for, and its lecture", asks, { user, password, method: "sudo" }],
    ["with a password that sudo asks for, as its file ends", asks, { user, password: `${password}\n` }],
    [
      "with a password that sudo asks for only once",
      ["LOGIN ALL=(USER) ALL", "Defaults:LOGIN timestamp_timeout=60, timestamp_type=global"],
      { user, password },
    ],
    ["with a terminal between", [...asks, "Defaults:LOGIN use_pty"], { user, password }],
  ];

  for (const [way, lines, become] of ways) {
    describe(way, () => {
      let host: Host;

      before(() => {
        sudoers(...lines);
        host = hostAs(become);
      });

      it("commands run as the user, in its home, with nothing else in their output", async () => {
        const result = await host.script('id -un; pwd; echo "$HOME"; echo err >&2', []);
        assert.deepEqual(result, { code: 0, stdout: `${user}\n/home/${user}\n/home/${user}\n`, stderr: "err\n" });
      });

      it("stdin holds the data and never the password", async () => {
        for (const stdin of ["data", "a\nb\n", ""]) {
          assert.equal((await host.run(["cat"], { stdin })).stdout, stdin);
        }
        assert.equal((await host.run(["cat"])).stdout, "");
      });

      it("many run at once", async () => {
        const results = await Promise.all(
          Array.from({ length: 12 }, (_, index) => host.run(["cat"], { stdin: `${index}` })),
        );
        assert.deepEqual(
          results.map(({ stdout }) => Number(stdout)),
          results.map((_, index) => index),
        );
      });

      it("arguments, folder and variables reach it unchanged", async () => {
        const words = ["it's", "$HOME", "a\nb", "`id`"];
        const { stdout } = await host.run(["printf", "%s|", ...words], { cwd: "/tmp" });
        assert.equal(stdout, `${words.join("|")}|`);
        assert.equal((await host.run(["printenv", "A"], { env: { A: "it's" } })).stdout, "it's\n");
        assert.equal((await host.run(["pwd"], { cwd: "/tmp" })).stdout, "/tmp\n");
      });

      it("files are the user's, also where the login user may not go", async () => {
        const path = `/home/${user}/closed/file`;
        await host.run(["mkdir", "-p", "-m", "0700", `/home/${user}/closed`]);
        await host.writeFile(path, "content\n", { mode: 0o600 });
        assert.equal(await host.readFile(path), "content\n");
        assert.equal((await host.run(["stat", "-c", "%U %a", path])).stdout, `${user} 600\n`);
        assert.equal(await host.readFile(`/home/${user}/closed/none`), undefined);
        await assert.rejects(hostFor(connection).readFile(path), /Permission denied/);
      });

      it("uploads are the user's", async () => {
        const local = join(temporaryFolder(), "local");
        writeFileSync(local, Buffer.alloc(3_000_000, "line of an archive\n"));
        const [sha256 = ""] = execFileSync("sha256sum", [local], { encoding: "utf8" }).split(" ");
        const path = `/home/${user}/closed/releases/archive`;
        await host.run(["rm", "-f", path]);
        assert.equal(await host.upload(local, path, { sha256 }), "sent");
        assert.equal(await host.upload(local, path, { sha256 }), "present");
        assert.equal((await host.run(["stat", "-c", "%U", path])).stdout, `${user}\n`);
      });

      it("scripts longer than an argument run too", async () => {
        const text = `${"# long and 'quoted'\n".repeat(10_000)}id -un; cat`;
        assert.equal((await host.script(text, [])).stdout, `${user}\n`);
      });

      it("a command is ended at its limit, though the login user could not kill it", async () => {
        await assert.rejects(host.run(["sleep", "77777"], { limit: 300 }), LimitError);
        // The host kills it when the channel closes, which a busy machine does a moment later.
        const runs = (): boolean => spawnSync("pgrep", ["-f", "sleep 77777"]).status === 0;
        await until(async () => (runs() ? { done: false, seen: "it runs" } : { done: true, value: undefined }), {
          what: "the command to end",
          limit: 5000,
        });
      });
    });
  }

  it("without a password, when sudo asks for one: says what to do", async () => {
    sudoers(...asks);
    await fails(hostAs().run(["true"]), /sudo asks for a password: set `become\.password`/);
  });

  it("with a wrong password: says so, once, and does not show it", async () => {
    sudoers(...asks);
    const message = await fails(
      hostAs({ user, password: "wrong horse" }).run(["true"]),
      /did not accept `become\.password`/,
    );
    assert.doesNotMatch(message, /horse/);
  });

  it("when the login user is not in sudoers", async () => {
    sudoers("Defaults:LOGIN lecture=never");
    await fails(hostAs({ user, password }).run(["true"]), /the login user may not use sudo/);
  });

  it("when the login user may become somebody else only", async () => {
    sudoers("LOGIN ALL=(root) NOPASSWD: /bin/true");
    await fails(hostAs({ user, password }).run(["true"]), /may not run bash as|may not use sudo/);
  });

  it("when sudo wants a terminal", async () => {
    sudoers("LOGIN ALL=(USER) NOPASSWD: ALL", "Defaults:LOGIN requiretty");
    await fails(hostAs().run(["true"]), /remove `requiretty`/);
  });

  it("when there is no such user", async () => {
    sudoers("LOGIN ALL=(ALL) NOPASSWD: ALL");
    await fails(hostAs({ user: `${user}x` }).run(["true"]), /there is no user `sru[0-9a-f]+x` on the host/);
  });

  it("can be left aside for a command", async () => {
    sudoers();
    assert.equal((await hostAs().run(["id", "-un"], { become: false })).stdout, `${login}\n`);
  });

  it("is not needed for oneself", async () => {
    sudoers();
    assert.equal((await hostAs({ user: login }).run(["id", "-un"])).stdout, `${login}\n`);
  });

  it("shows the password to nobody on the host", async () => {
    sudoers(...asks);
    const { stdout } = await hostAs({ user, password }).script(
      "cat /proc/[0-9]*/cmdline /proc/self/environ | tr '\\0' ' '",
      [],
      {
        accept: "any",
      },
    );
    assert.match(stdout, /sudo -S/);
    assert.doesNotMatch(stdout, /battery/);
  });

  it("works with a login shell that is not bash", async () => {
    sudoers(...asks);
    execFileSync("usermod", ["-s", "/bin/dash", login]);
    await closeAll();
    const { stdout } = await hostAs({ user, password }).script('id -un; echo "$1"', ["it's $HOME"]);
    assert.equal(stdout, `${user}\nit's $HOME\n`);
    assert.equal((await hostFor(connection).run(["cat"], { stdin: "x" })).stdout, "x");
  });
});
