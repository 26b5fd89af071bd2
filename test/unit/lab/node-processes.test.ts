import assert from "node:assert/strict";
import { until } from "../../../provider/wait.js";
import { createFleet, type Fleet, type FleetKind, namespacesPossible } from "../../fleet/fleet.js";
import { NodeProcesses } from "../../lab/node-processes.js";

const kinds: readonly { readonly kind: FleetKind; readonly reason: string | undefined }[] = [
  { kind: "loopback", reason: undefined },
  { kind: "namespaces", reason: namespacesPossible() },
];

for (const { kind, reason } of kinds) {
  describe(`the processes of nodes on a ${kind} fleet${reason ? ` (not here: ${reason})` : ""}`, function () {
    this.timeout(30_000);
    let fleet: Fleet;

    before(async function () {
      if (reason) {
        this.skip();
      }
      fleet = await createFleet({ kind, hosts: ["be1", "be2"] });
    });
    after(async () => fleet?.close());

    it("are seen on their hosts, those of a rebooted one too", async () => {
      const host = fleet.host("be1");
      const processes = new NodeProcesses(fleet);
      const hosts = () => processes.look().filter(({ host }) => fleet.hosts.some(({ name }) => name === host));
      const start = async () => {
        await host.exec("(exec -a /opt/starrocks/be/lib/starrocks_be sleep 1000) > /dev/null 2>&1 &");
        return until(
          async () => {
            const [one] = hosts();
            return one ? { done: true, value: one } : { done: false, seen: "none" };
          },
          { what: "the process to be seen", limit: 5000 },
        );
      };
      const first = await start();
      assert.equal(first.host, "be1");
      await host.reboot();
      assert.deepEqual(hosts(), []);
      const second = await start();
      assert.deepEqual([second.host, hosts().length], ["be1", 1]);
      assert.notEqual(second.pid, first.pid);
    });
  });
}
