import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../engine/root.js";
import { createStack, type Stack } from "../engine/stack.js";
import { createFleet, type Fleet, type Host, namespacesPossible } from "../fleet/fleet.js";
import { quick, rootPassword } from "../lab/lab.js";
import { buildJdk } from "../simulator/jdk.js";
import { buildRelease } from "../simulator/release.js";
import { standIns } from "../stand-ins/folder.js";

const impossible = namespacesPossible();
const example = join(root, "examples/host-preparation");
const hugePages = "/sys/kernel/mm/transparent_hugepage";
const calls = "/var/log/calls";
const backends = ["be1", "be2", "be3"];
const names = ["fe1", ...backends];

/** The example's files, with a BE that starts on machines whose own limit of open files is lower than the script's. */
const program = (): Readonly<Record<string, string>> => {
  const files = readdirSync(example).map((name) => [name, readFileSync(join(example, name), "utf8")] as const);
  const group = "backends: { ";
  return Object.fromEntries(
    files.map(([name, text]) => [
      name,
      name === "index.ts" ? text.replace(group, `${group}config: { min_file_descriptor_number: "1024" }, `) : text,
    ]),
  );
};

/** A host as its installer leaves it: no StarRocks user, no JDK, huge pages always on, swap in use. */
const makeFresh = async (host: Host, jdk: string): Promise<void> => {
  const note = `echo "\${0##*/} $*" >> ${calls}`;
  await host.exec(`rm -rf /usr/lib/jvm; mount -t tmpfs tmpfs ${hugePages}
    for file in enabled defrag; do echo '[always] madvise never' > ${hugePages}/$file; done
    printf 'UUID=1 / ext4 defaults 0 1\\nUUID=2 none swap sw 0 0\\n' > /etc/fstab; touch /run/swaps`);
  await Promise.all(["java", "javac"].map((name) => host.removeProgram(name)));
  // What would change the kernel of this machine, or ask its mirrors.
  await host.addProgram("sysctl", `#!/bin/bash\n${note}\n`);
  await host.addProgram("swapon", "#!/bin/bash\n[ ! -e /run/swaps ] || echo /dev/sdb partition 1G\n");
  await host.addProgram("swapoff", `#!/bin/bash\n${note}\nrm /run/swaps\n`);
  const install = `case "$*" in install*) mkdir -p /usr/lib/jvm; cp -a ${jdk} /usr/lib/jvm/java-17-openjdk-amd64 ;; esac`;
  await host.addProgram("apt-get", `#!/bin/bash\n${note}\n${install}\n`);
};

describe(`the example host-preparation, on fresh hosts${impossible ? ` (not here: ${impossible})` : ""}`, function () {
  this.timeout(300_000);
  let fleet: Fleet;
  let stack: Stack | undefined;
  let folder: string;
  const host = (name: string) => fleet.host(name);
  const on = async (name: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await host(name).exec(command);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  before(async function () {
    if (impossible) {
      this.skip();
    }
    folder = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-starrocks-preparation-")));
    chmodSync(folder, 0o755);
    const jdk = join(folder, "jdk");
    await buildJdk({ directory: jdk, version: 17 });
    fleet = await createFleet({
      ...{ kind: "namespaces", hosts: names, user: "admin", folders: [], visible: [folder] },
    });
    await Promise.all(fleet.hosts.map((one) => makeFresh(one, jdk)));
    const { archive, sha256, version } = await buildRelease({
      ...{ version: "3.5.7", directory: folder, fe: { options: quick } },
    });
    stack = await createStack({
      program: program(),
      path: [standIns],
      config: {
        frontends: JSON.stringify([host("fe1").address]),
        backends: JSON.stringify(backends.map((name) => host(name).address)),
        release: JSON.stringify({ version, archive, sha256 }),
        adminUser: "admin",
        publicKey: readFileSync(`${fleet.key.path}.pub`, "utf8").trim(),
        knownHosts: fleet.knownHosts,
        privateKey: { secret: fleet.key.content },
        rootPassword: { secret: rootPassword },
      },
    });
  });
  after(async () => {
    await stack?.close();
    await fleet?.close();
    if (folder) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("makes the user that the cluster then logs in as, and starts a cluster", async () => {
    await stack?.up();
    for (const name of names) {
      assert.equal((await on(name, "stat -c '%U %a' /home/starrocks/.ssh/authorized_keys")).trim(), "starrocks 600");
      assert.equal((await on(name, "stat -c %U /opt/starrocks")).trim(), "starrocks");
      const [uid] = (await on(name, "id -u starrocks")).split("\n");
      const nodes = (await host(name).processes()).filter(({ command }) =>
        /starrocks-fe\.jar|starrocks_be/.test(command),
      );
      assert.ok(nodes.length > 0 && nodes.every((node) => String(node.uid) === uid), JSON.stringify(nodes));
    }
  });

  it("sets limits, kernel settings, huge pages and swap, and installs the JDK on frontends only", async () => {
    for (const name of names) {
      assert.match(await on(name, "cat /etc/security/limits.d/90-starrocks.conf"), /^starrocks - nofile 655350$/m);
      assert.match(await on(name, "cat /etc/sysctl.d/90-starrocks.conf"), /^vm\.overcommit_memory = 1$/m);
      assert.equal(await on(name, `sort -u ${hugePages}/*`), "madvise\n");
      assert.match(await on(name, "cat /etc/fstab"), /^UUID=1 .*\n#UUID=2 none swap /);
      const called = (await on(name, `cat ${calls}`)).trimEnd().split("\n");
      assert.deepEqual(called, [
        "sysctl --quiet --load /etc/sysctl.d/90-starrocks.conf",
        "swapoff --all",
        ...(name === "fe1" ? ["apt-get update -qq", "apt-get install -y -qq openjdk-17-jdk-headless"] : []),
      ]);
    }
  });

  it("changes nothing when it runs again, and keeps keys that others have added", async () => {
    const keys = "/home/starrocks/.ssh/authorized_keys";
    // What the kernel says once it was told.
    await on(
      "fe1",
      `for file in ${hugePages}/*; do echo 'always [madvise] never' > $file; done; echo ssh-ed25519 AAAA other >> ${keys}`,
    );
    const before = await on("fe1", `cat ${keys}; stat -c %y ${keys}`);
    const key = readFileSync(`${fleet.key.path}.pub`, "utf8").trim();
    const script = readFileSync(join(example, "prepare.sh"), "utf8");
    const args = ["starrocks", key, "17", "/opt/starrocks"].map((text) => `'${text}'`).join(" ");
    const { code, stdout, stderr } = await host("fe1").exec(`bash -s -- ${args}`, { stdin: script });
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
    assert.equal(await on("fe1", `cat ${keys}; stat -c %y ${keys}`), before);
  });

  it("is left alone by a second up", async () => {
    await stack?.up(["--expect-no-changes"]);
  });
});
