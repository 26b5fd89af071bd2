import { join } from "node:path";
import { quote } from "../command.js";
import { newKeyPair } from "../keys.js";
import { namespacesPossible } from "../possible.js";
import { all, type Site, type SiteOptions } from "../site.js";
import { makeDisk } from "./disk.js";
import { NamespaceHost } from "./host.js";
import { type Machine, startMachine } from "./machine.js";
import { Network } from "./network.js";

/** `starting` hears the names of the network interfaces first: all else here vanishes at once with its processes. */
export const startNamespaces = async (
  given: SiteOptions,
  starting: (interfaces: readonly string[]) => void,
): Promise<Site> => {
  const reason = namespacesPossible();
  if (reason) {
    throw new Error(`No fleet of the kind "namespaces" here: ${reason}`);
  }
  const site = { ...given, visible: [...(given.visible ?? []), ...nodeFolder()] };
  const network = new Network(site.number);
  starting(network.interfaces(site.names.length));
  const plans = site.names.map((name, index) => ({
    name,
    folder: join(site.folder, name),
    hostKey: newKeyPair(),
    cable: network.cable(index),
  }));
  const neighbours = plans.map(({ name, cable }) => `${cable.address} ${name}`);
  const hosts: NamespaceHost[] = [];
  let disks: Machine | undefined;
  const close = async () => {
    await Promise.all(hosts.map((host) => host.end()));
    await disks?.kill();
  };
  try {
    await all([
      network.start(),
      ...plans.map(({ folder, ...plan }) =>
        makeDisk(folder, { ...site, ...plan, neighbours, password: site.password }),
      ),
    ]);
    const mounted = await mountSmallDisks(
      site,
      plans.map(({ folder }) => folder),
    );
    disks = mounted;
    hosts.push(...plans.map((plan) => new NamespaceHost({ ...plan, disks: mounted, site })));
    await all(hosts.map((host) => setUp(host, site)));
    return { hosts, oneAddress: false, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const setUp = async (host: NamespaceHost, { user, folders, nofile }: SiteOptions): Promise<void> => {
  if (nofile !== undefined) {
    await host.limits({ nofile });
  }
  await host.powerOn();
  const list = folders.map(quote).join(" ");
  await host.run(list && `mkdir -p ${list} && chown ${user}: ${list}`);
};

/**
 * Small disks are memory, mounted in a mount namespace that outlives the hosts', so that their content outlives a reboot.
 * This machine's own list of mounts stays as it was.
 */
const mountSmallDisks = async ({ smallDisks = {} }: SiteOptions, folders: readonly string[]): Promise<Machine> => {
  const mounts = folders.flatMap((folder) =>
    Object.entries(smallDisks).map(([path, size]) => {
      const target = quote(join(folder, "root", path));
      return `mkdir -p ${target} && mount -t tmpfs -o mode=755,size=${size} tmpfs ${target} || exit`;
    }),
  );
  const script = ["echo $$", ...mounts, "echo ready", "while read -r line; do :; done"].join("\n");
  const disks = await startMachine("unshare", ["--mount", "bash", "-c", script]);
  await disks.line();
  disks.forget();
  return disks;
};

/** Where the Node that runs the tests is, when the hosts would not see it otherwise. */
const nodeFolder = (): string[] => {
  const folder = join(process.execPath, "..", "..");
  return folder.startsWith("/usr/") || folder === "/usr" ? [] : [folder];
};
