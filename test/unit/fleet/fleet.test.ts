import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../fleet/command.js";
import { createFleet, type Fleet, type FleetKind, namespacesPossible } from "../../fleet/fleet.js";
import { machineProcesses } from "../../fleet/processes.js";
import { sweep } from "../../fleet/registry.js";
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
      const earlier = await traces();
      const fleet = await createFleet({ kind, hosts: 2 });
      await fleet.startAgent();
      const daemon = await ssh(fleet, fleet.host("host2"), "nohup sleep 3333 > /dev/null 2>&1 & echo started");
      assert.equal(daemon.stdout, "started\n");
      const folder = join(fleet.knownHosts, "..");
      await fleet.close();
      await fleet.close();
      await gone(folder, earlier);
    });

    it("leaves nothing when its creation fails", async () => {
      const earlier = await traces();
      await assert.rejects(createFleet({ kind, hosts: ["good", "bad/name\0"] }));
      assert.deepEqual(await traces(), earlier);
    });

    for (const { how, cleansUpItself } of [
      { how: "exit", cleansUpItself: true },
      { how: "SIGINT", cleansUpItself: true },
      { how: "SIGTERM", cleansUpItself: true },
      { how: "SIGKILL", cleansUpItself: false },
    ] as const) {
      it(`leaves nothing after ${how} of its process${cleansUpItself ? "" : ", once another fleet is created"}`, async () => {
        const earlier = await traces();
        const owner = spawn(process.execPath, [join(__dirname, "owner.js"), kind], {
          stdio: ["pipe", "pipe", "inherit"],
        });
        const [folder] = await once(owner.stdout.setEncoding("utf8"), "data");
        await end(owner, how);
        if (!cleansUpItself) {
          assert.ok(existsSync(folder));
          sweep();
        }
        await gone(folder, earlier);
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

describe(`Disks of a namespaces fleet${namespacesPossible() ? " (not here)" : ""}`, function () {
  this.timeout(30_000);
  let fleet: Fleet;
  before(async function () {
    if (namespacesPossible()) {
      this.skip();
    }
    fleet = await createFleet({ kind: "namespaces", hosts: 2, smallDisks: { "/opt": "16m" } });
  });
  after(async () => fleet?.close());

  it("are each host's own", async () => {
    const [one, two] = fleet.hosts;
    await one?.writeFile("/usr/local/share/mine", "1");
    assert.equal(await two?.readFile("/usr/local/share/mine"), undefined);
    assert.ok(!existsSync("/usr/local/share/mine"));
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

/** What a fleet could leave: interfaces, network namespaces, mounts, processes. */
const traces = async () => {
  const links = process.platform === "linux" ? (await command("ip", ["-brief", "link"])).stdout : "";
  return {
    links: links.split("\n").flatMap((line) => /^f\d+(x|h\d+)?-\S+/.exec(line) ?? []),
    namespaces: process.platform === "linux" ? (await command("ip", ["netns", "list"])).stdout : "",
    mounts: existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "",
  };
};

const gone = async (folder: string, earlier: Awaited<ReturnType<typeof traces>>) => {
  assert.ok(!existsSync(folder), `${folder} is left`);
  // The kernel takes network namespaces apart a little later.
  for (let i = 0; i < 50 && (await traces()).links.length > earlier.links.length; i++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  assert.deepEqual(await traces(), earlier);
  if (process.platform === "linux") {
    const left = machineProcesses((pid) => pid !== process.pid && mentions(pid, folder));
    assert.deepEqual(left, []);
  }
};

const mentions = (pid: number, folder: string): boolean =>
  ["environ", "cmdline"].some((file) => readFileSync(`/proc/${pid}/${file}`, "latin1").includes(folder));
