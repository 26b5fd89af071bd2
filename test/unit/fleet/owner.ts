import { join } from "node:path";
import { createFleet, type FleetKind } from "../../fleet/fleet.js";
import { ssh } from "./client.js";

/** A program for the tests: makes a fleet with a daemon on a host, says its folder, and waits to be ended. */
const main = async () => {
  const [kind] = process.argv.slice(2);
  const fleet = await createFleet({ kind: kind as FleetKind, hosts: 2 });
  await fleet.startAgent();
  await ssh(fleet, fleet.host("host1"), "nohup sleep 4444 > /dev/null 2>&1 & echo started");
  process.stdout.write(join(fleet.knownHosts, ".."));
  process.stdin.resume().on("end", () => process.exit(0));
};

void main();
