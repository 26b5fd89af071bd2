import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../provider/wait.js";
import { command, commandOrThrow } from "../../fleet/command.js";
import { createFleet, type Fleet, type FleetKind, namespacesPossible } from "../../fleet/fleet.js";
import { machineProcesses } from "../../fleet/processes.js";
import { registryFolder, sweep } from "../../fleet/registry.js";
import { ssh } from "./client.js";

const kinds: readonly { readonly kind: FleetKind; readonly reason: string | undefined }[] = [
  { kind: "loopback", reason: undefined },
  { kind: "namespaces", reason: namespacesPossible() },
];

for (const { kind, reason } of kinds) {
  describe(`A ${kind} fleet${reason ? ` (not here: ${reason})` : ""}`, function () {
    this.timeout(30_000);
    before(function () {
      if (reason) {
        this.skip();
      }
    });

    it("leaves nothing after close", async () => {
      const fleet = await createFleet({ kind, hosts: 2 });
      await fleet.startAgent();
      const daemon = await ssh(fleet, fleet.host("host2"), "nohup sleep 3333 > /dev/null 2>&1 & echo started");
      assert.equal(daemon.stdout, "started\n");
      assert.notDeepEqual(await traces(process.pid), []);
      await fleet.close();
      await fleet.close();
      await nothingLeft();
    });

    it("leaves nothing when its creation fails", async () => {
      await assert.rejects(createFleet({ kind, hosts: ["good", "bad/name\0"] }));
      await nothingLeft();
    });

    for (const { how, cleansUpItself } of [
      { how: "exit", cleansUpItself: true },
      { how: "SIGINT", cleansUpItself: true },
      { how: "SIGTERM", cleansUpItself: true },
      { how: "SIGKILL", cleansUpItself: false },
    ] as const) {
      it(`leaves nothing after ${how} of its process${cleansUpItself ? "" : ", once another fleet is created"}`, async () => {
        const owner = spawn(process.execPath, [join(__dirname, "owner.js"), kind], {
          stdio: ["pipe", "pipe", "inherit"],
        });
        const [folder] = await once(owner.stdout.setEncoding("utf8"), "data");
        await end(owner, how);
        if (!cleansUpItself) {
          assert.ok(existsSync(folder));
          sweep();
        }
        await nothingLeft(owner.pid);
      });
    }

    it("lives beside others", async () => {
      const fleets = await Promise.all([createFleet({ kind, hosts: 1 }), createFleet({ kind, hosts: 1 })]);
      const [a, b] = fleets.map((fleet) => fleet.addresses[0]);
      assert.notEqual(a, b);
      await Promise.all(
        fleets.map(async (fleet) => assert.equal((await ssh(fleet, fleet.host("host1"), "echo ok")).stdout, "ok\n")),
      );
      await Promise.all(fleets.map(async (fleet) => fleet.close()));
    });
  });
}

describe(`The switch of a namespaces fleet${namespacesPossible() ? " (not here)" : ""}`, function () {
  this.timeout(30_000);
  before(function () {
    if (namespacesPossible()) {
      this.skip();
    }
  });

  it("replaces one that a fleet of nobody has left under its number", async () => {
    const first = await createFleet({ kind: "namespaces", hosts: 1 });
    const network = first.addresses[0]?.split(".", 3) ?? [];
    await first.close();
    const left = `f${network[2]}-1`;
    await commandOrThrow("ip", ["link", "add", "name", left, "type", "bridge"]);
    await commandOrThrow("ip", ["address", "add", `${network.join(".")}.1/24`, "dev", left]);
    await commandOrThrow("ip", ["link", "set", left, "up"]);
    const fleet = await createFleet({ kind: "namespaces", hosts: 1 });
    try {
      assert.equal(fleet.addresses[0], first.addresses[0]);
      assert.equal((await ssh(fleet, fleet.host("host1"), "echo ok")).stdout, "ok\n");
      assert.ok(!existsSync(`/sys/class/net/${left}`));
    } finally {
      await fleet.close();
    }
  });
});

describe(`Disks of a namespaces fleet${namespacesPossible() ? " (not here)" : ""}`, function () {
  this.timeout(30_000);
  let fleet: Fleet;
  let visible: string;
  before(async function () {
    if (namespacesPossible()) {
      this.skip();
    }
    visible = mkdtempSync(join(homedir(), ".pulumi-starrocks-visible-"));
    chmodSync(visible, 0o755);
    fleet = await createFleet({ kind: "namespaces", hosts: 2, smallDisks: { "/opt": "16m" }, visible: [visible] });
  });
  after(async () => {
    await fleet?.close();
    if (visible) {
      rmSync(visible, { recursive: true, force: true });
    }
  });

  it("are each host's own", async () => {
    const [one, two] = fleet.hosts;
    await one?.writeFile("/usr/local/share/mine", "1");
    assert.equal(await two?.readFile("/usr/local/share/mine"), undefined);
    assert.ok(!existsSync("/usr/local/share/mine"));
  });

  it("show visible folders below root's home to the login user, as a Node may lie there", async () => {
    assert.deepEqual(await ssh(fleet, fleet.host("host1"), `ls -d ${visible}`), {
      ...{ code: 0, stdout: `${visible}\n`, stderr: "" },
    });
  });

  it("fill up, are freed, and keep their files over a reboot", async () => {
    const host = fleet.host("host1");
    await host.writeFile("/opt/starrocks/kept", "kept");
    await host.fillDisk("/opt");
    const { code, stderr } = await ssh(fleet, host, "echo more > /opt/starrocks/more");
    assert.notEqual(code, 0);
    assert.match(stderr, /No space left/);
    await host.freeDisk("/opt");
    assert.equal((await ssh(fleet, host, "echo more > /opt/starrocks/more")).code, 0);
    await host.reboot();
    assert.equal(await host.readFile("/opt/starrocks/kept"), "kept");
    await assert.rejects(host.fillDisk("/data"), /smallDisks/);
  });
});

const end = async (owner: ChildProcess, how: "exit" | NodeJS.Signals) => {
  const exited = once(owner, "exit");
  how === "exit" ? owner.stdin?.end() : owner.kill(how);
  await exited;
};

/** What a fleet of this process can leave: folders, interfaces, mounts, and other processes that know of it. */
const traces = async (owner: number): Promise<readonly string[]> => {
  const folder = `fleet-\\d+-${owner}-`;
  const links = process.platform === "linux" ? (await command("ip", ["-brief", "link"])).stdout : "";
  const mounts = existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "";
  const processes = process.platform === "linux" ? machineProcesses((pid) => pid !== owner && knows(pid, folder)) : [];
  return [
    ...readdirSync(tmpdir()).filter((name) => name.match(`^${folder}`)),
    ...readdirSync(registryFolder).filter((name) => name.match(`^${folder}`)),
    ...links.split("\n").filter((line) => line.match(`^f\\d+\\S*-${owner}\\b`)),
    ...mounts.split("\n").filter((line) => line.match(folder)),
    ...processes.map(({ command }) => command),
  ];
};

/** The kernel takes network namespaces apart a little later. */
const nothingLeft = async (owner = process.pid): Promise<true> =>
  until(
    async () => {
      const left = await traces(owner);
      return left.length === 0 ? { done: true, value: true } : { done: false, seen: left.join(", ") };
    },
    { what: "all traces to vanish", limit: 5000 },
  );

const knows = (pid: number, folder: string): boolean =>
  ["environ", "cmdline"].some((file) => readFileSync(`/proc/${pid}/${file}`, "latin1").match(folder) !== null);
