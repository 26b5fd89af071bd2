import { isIP, isIPv4 } from "node:net";
import { quote } from "../host/quote.js";
import type { NodeKind } from "./layout.js";
import type { Disk, HostFacts } from "./limits.js";
import { plainAddress } from "./listening.js";
import { bytes } from "./records.js";

export interface HostWishes {
  /** Kinds of node on this host. */
  readonly kinds: readonly NodeKind[];
  /** The node's identity in the cluster; it goes into `priority_networks` when it is an IP address. */
  readonly address?: string;
  /** Set when the user wrote `priority_networks` himself; the address then need not be one of the host's. */
  readonly priorityNetworks?: string;
  /** Open files without which a BE of this host refuses to start; be.conf's `min_file_descriptor_number`. Default 60000. */
  readonly leastFiles?: number;
  /** The host downloads its release itself. */
  readonly downloads?: boolean;
  /** Free bytes wanted on each path's disk, and what for; a path that was not among those of `hostFacts` is left out. */
  readonly space?: readonly { readonly path: string; readonly bytes: number; readonly purpose: string }[];
}

export interface HostProblems {
  /** A node would not start or not join. */
  readonly errors: readonly string[];
  /** StarRocks recommends otherwise. */
  readonly warnings: readonly string[];
}

/** A BE aborts below this (`min_file_descriptor_number`); its start script raises the soft limit as far as the hard one allows. */
const leastFiles = 60_000;

/** Wanted, seen, what to do; thresholds of StarRocks' page "environment configurations". */
export const hostProblems = (facts: HostFacts, wishes: HostWishes): HostProblems => ({
  errors: [
    ...programErrors(facts, wishes),
    ...fileErrors(facts, wishes),
    ...addressErrors(facts, wishes),
    ...folderErrors(facts),
    ...spaceErrors(facts, wishes),
  ],
  warnings: [...limitWarnings(facts, wishes), ...kernelWarnings(facts, wishes), ...sessionWarnings(facts)],
});

const hasBackend = ({ kinds }: HostWishes): boolean => kinds.some((kind) => kind !== "fe");

const programErrors = ({ missing }: HostFacts, { downloads }: HostWishes): readonly string[] => {
  const needed = missing.filter((name) => name !== "curl" && name !== "wget");
  const noDownload = downloads && missing.includes("curl") && missing.includes("wget");
  return [
    ...(needed.length === 0
      ? []
      : [`Expected these programs on the host, but they are missing: ${needed.join(", ")}. Install them.`]),
    ...(noDownload
      ? ["Expected curl or wget for `release.url`, but both are missing. Install one, or use `release.archive`."]
      : []),
  ];
};

const fileErrors = ({ files, user }: HostFacts, wishes: HostWishes): readonly string[] =>
  hasBackend(wishes) && files.hard < (wishes.leastFiles ?? leastFiles)
    ? [
        `Expected user ${user.name} to be allowed at least ${wishes.leastFiles ?? leastFiles} open files, as a BE refuses to start with less; ` +
          `the hard limit is ${files.hard}. Add "${user.name} - nofile 655350" to /etc/security/limits.d/starrocks.conf; ` +
          "it takes effect with the next SSH connection.",
      ]
    : [];

const addressErrors = ({ addresses }: HostFacts, { address, priorityNetworks }: HostWishes): readonly string[] => {
  if (address === undefined || isIP(address) === 0 || priorityNetworks !== undefined || addresses.length === 0) {
    return [];
  }
  const loopback = isIPv4(address) && address.startsWith("127.");
  return loopback || addresses.includes(plainAddress(address))
    ? []
    : [
        `Expected the host to have the address ${address}, under which the cluster would know the node; it has ${addresses.join(", ")}. ` +
          "Set `address` to one of them (`connection.host` may differ), or set `priority_networks`.",
      ];
};

const folderErrors = ({ disks, user }: HostFacts): readonly string[] =>
  disks.flatMap(({ path, closed }) => {
    // Whoever is given a folder makes those below it.
    const isBelow = (other: Disk): boolean => other.closed?.path === closed?.path && path.startsWith(`${other.path}/`);
    if (!closed || disks.some(isBelow)) {
      return [];
    }
    const isFolder = closed.mode.startsWith("d");
    const why = isFolder ? `belongs to ${closed.owner} (${closed.mode})` : "is no folder";
    const advice = isFolder
      ? `Run on the host: sudo install -d -o ${user.name} ${quote(path)}.`
      : "Choose another path.";
    return [`Expected user ${user.name} to be able to write ${path}, but ${closed.path} ${why}. ${advice}`];
  });

const spaceErrors = ({ disks }: HostFacts, { space = [] }: HostWishes): readonly string[] =>
  space.flatMap((wish) => {
    const disk = disks.find(({ path }) => path === wish.path);
    return disk && disk.freeBytes < wish.bytes
      ? [
          `Expected ${bytes(wish.bytes)} free for ${wish.purpose} at ${wish.path}, but ${disk.mount} has ${bytes(disk.freeBytes)} ` +
            `of ${bytes(disk.totalBytes)} left. Free some space, or choose another path.`,
        ]
      : [];
  });

const limitWarnings = ({ files, processes, user }: HostFacts, wishes: HostWishes): readonly string[] => {
  const advice = (item: string, value: number): string =>
    `Add "${user.name} - ${item} ${value}" to /etc/security/limits.d/starrocks.conf.`;
  return [
    ...(files.hard < leastFiles && !hasBackend(wishes)
      ? [`User ${user.name} may open ${files.hard} files; StarRocks recommends 655350. ${advice("nofile", 655_350)}`]
      : []),
    ...(processes.hard < 65_535
      ? [
          `User ${user.name} may have ${processes.hard} processes and threads; StarRocks wants 65535. ${advice("nproc", 65_535)}`,
        ]
      : []),
  ];
};

const kernelWarnings = (facts: HostFacts, wishes: HostWishes): readonly string[] => {
  if (!hasBackend(wishes)) {
    return [];
  }
  const { overcommit, maxMapCount, swappiness, hugePages } = facts.kernelSettings;
  return [
    ...(facts.avx2 === false ? ["The CPU has no AVX2; a BE built for it (all downloads for x86) does not run."] : []),
    ...(overcommit !== undefined && overcommit !== 1
      ? [`vm.overcommit_memory is ${overcommit}, StarRocks recommends 1: sysctl -w vm.overcommit_memory=1.`]
      : []),
    ...(maxMapCount !== undefined && maxMapCount < 262_144
      ? [`vm.max_map_count is ${maxMapCount}, StarRocks recommends 262144: sysctl -w vm.max_map_count=262144.`]
      : []),
    ...(facts.swapBytes > 0 && swappiness !== 0
      ? [
          `The host swaps (${bytes(facts.swapBytes)}), StarRocks recommends not to: swapoff -a, or sysctl -w vm.swappiness=0.`,
        ]
      : []),
    ...(hugePages === "always"
      ? [
          "Transparent huge pages are always on, StarRocks recommends madvise: " +
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled.",
        ]
      : []),
  ];
};

const sessionWarnings = ({ killsUserProcesses, user }: HostFacts): readonly string[] =>
  killsUserProcesses
    ? [
        "systemd-logind has KillUserProcesses=yes and would end a node when the SSH session that started it closes. " +
          `Run: sudo loginctl enable-linger ${user.name}.`,
      ]
    : [];
