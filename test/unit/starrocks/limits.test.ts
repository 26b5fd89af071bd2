import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces, totalmem, userInfo } from "node:os";
import { releaseFolder } from "../../../provider/starrocks/layout.js";
import { hostFacts } from "../../../provider/starrocks/limits.js";
import { startProcess } from "../../../provider/starrocks/start.js";
import { localHost } from "./local-host.js";
import { buildToy, isRoot, nobody, openBench } from "./toy.js";

describe("hostFacts", () => {
  it("tells this machine's facts in one round trip", async () => {
    const host = localHost();
    const facts = await hostFacts(host, { paths: ["/tmp/not there/yet", "/"], ports: [1] });
    assert.equal(host.trips, 1);
    assert.deepEqual(facts.user, { name: userInfo().username, id: userInfo().uid });
    assert.match(facts.kernel, /^Linux /);
    assert.ok(facts.files.soft > 0 && facts.files.hard >= facts.files.soft);
    assert.ok(facts.processes.hard > 0 && facts.cpus > 0);
    assert.ok(Math.abs(facts.memory.totalBytes - totalmem()) < 1e6);
    assert.deepEqual(
      facts.disks.map(({ path }) => path),
      ["/tmp/not there/yet", "/"],
    );
    assert.ok(facts.disks.every(({ freeBytes, totalBytes }) => freeBytes > 0 && totalBytes >= freeBytes));
    assert.deepEqual(
      facts.missing.filter((name) => name !== "curl" && name !== "wget"),
      [],
    );
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address } of own) {
      assert.ok(facts.addresses.includes(address), `${address} is not among ${facts.addresses}`);
    }
    assert.deepEqual(facts.listeners, []);
    assert.equal(facts.killsUserProcesses, false);
  });

  it("tells in the same round trip of a node's process, and whether its release is there", async () => {
    const bench = openBench();
    try {
      const toy = buildToy(bench.folder, { version: "3.5.7" });
      const home = await bench.makeHome("be", "be", toy);
      const node = { kind: "be", home, releaseFolder: releaseFolder(bench.deployDir, toy.releaseId) } as const;
      const { process: before, staged } = await hostFacts(bench.host, { node });
      assert.deepEqual([before, staged], [undefined, true]);
      const { process } = await startProcess(bench.host, "be", home);
      const trips = bench.host.trips;
      const seen = await hostFacts(bench.host, { node: { ...node, releaseFolder: "/none" } });
      assert.equal(bench.host.trips, trips + 1);
      assert.ok(process);
      assert.deepEqual([seen.process?.pid, seen.staged], [process.pid, false]);
    } finally {
      await bench.clear();
    }
  }).timeout(30_000);

  it("tells them of the user that commands run as, and what that one lacks", async function () {
    if (!isRoot) {
      this.skip();
    }
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { disks, listeners, user } = await hostFacts(localHost(nobody), {
      paths: ["/usr/new/folder", "/etc/passwd/x", "/tmp"],
      ports: [(taken.address() as AddressInfo).port],
    });
    taken.close();
    assert.deepEqual(user, { name: "nobody", id: 65534 });
    assert.deepEqual(
      listeners.map((one) => one.user),
      ["root"],
    );
    assert.deepEqual(
      disks.map(({ closed }) => closed),
      [
        { path: "/usr", mode: "drwxr-xr-x", owner: "root" },
        { path: "/etc/passwd", mode: "-rw-r--r--", owner: "root" },
        undefined,
      ],
    );
  });
});
