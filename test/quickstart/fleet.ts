import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { createFleet, namespacesPossible } from "../fleet/fleet.js";
import type { Fleet, Host } from "../fleet/types.js";

/** Three FEs and three BEs, each on a host of its own; on one address only one FE finds room (StarRocks allows one on a host). */
export const quickstartFleet = async (options: {
  readonly real: boolean;
  readonly visible: readonly string[];
}): Promise<Fleet> => {
  // A real FE believes only addresses of network interfaces, which 127.77.0.11 is not.
  const kind = options.real && namespacesPossible() === undefined ? "namespaces" : "loopback";
  const oneAddress = process.env.QUICKSTART_ONE_ADDRESS === "1" || (options.real && kind === "loopback");
  const hosts = ["fe1", "fe2", "fe3", "be1", "be2", "be3"];
  const fleet = await createFleet({ kind, hosts, oneAddress, visible: options.visible });
  return fleet;
};

export const isFrontend = ({ name }: Host): boolean => name.startsWith("fe");

/** The hosts that get a node. */
export const hostsUsed = (fleet: Fleet): readonly Host[] =>
  fleet.hosts.filter((host) => !(fleet.oneAddress && isFrontend(host) && host.name !== "fe1"));

/** An FE or BE of the example's configuration. */
export type Node = Readonly<Record<string, unknown>> & { readonly host: string; readonly name: string };

/** The arguments of the hosts' nodes: hosts on loopback share this machine's disk, and maybe its address. */
export const nodesOf = async (fleet: Fleet, config: Readonly<Record<"fe" | "be", object>>): Promise<readonly Node[]> =>
  Promise.all(
    hostsUsed(fleet).map(async (host) => {
      const kind = isFrontend(host) ? "fe" : "be";
      return {
        host: host.address,
        name: host.name,
        connection: { port: host.port },
        deployDir: host.path("/opt/starrocks"),
        config: config[kind],
        ...(kind === "be" && { storage: [host.path("/disk1/starrocks"), host.path("/disk2/starrocks")] }),
        ...(fleet.oneAddress && { ports: await freePorts(portNames[kind]) }),
      };
    }),
  );

const portNames = {
  fe: ["http", "rpc", "query", "editLog"],
  be: ["be", "http", "heartbeat", "brpc", "starlet"],
} as const;

/** Ports of this machine that nobody has now. */
const freePorts = async (names: readonly string[]): Promise<Readonly<Record<string, number>>> => {
  const servers = await Promise.all(names.map(() => listening()));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  for (const server of servers) {
    server.close();
  }
  return Object.fromEntries(names.map((name, index) => [name, ports[index] ?? 0]));
};

const listening = async (): Promise<Server> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
};
