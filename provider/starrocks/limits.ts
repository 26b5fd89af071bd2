import type { Host } from "../host/types.js";
import { kindLayouts, type NodeKind, sealFile } from "./layout.js";
import { ensuredPrograms, hostScript } from "./limits-script.js";
import { type Listener, listenersOf, plainAddress } from "./listening.js";
import { type ObservedProcess, processArguments, processOf } from "./process.js";
import { fieldsOf, groupsOf, integer, listArguments, recordsOf } from "./records.js";
import { sealOf } from "./seal.js";

/** What a host is like for the user that commands run as. `"unlimited"` is Infinity; what could not be read is absent. */
export interface HostFacts {
  readonly user: { readonly name: string; readonly id: number };
  /** `Linux 5.15.0-1 x86_64`. */
  readonly kernel: string;
  readonly os?: string;
  /** Open files (`ulimit -n`). */
  readonly files: { readonly soft: number; readonly hard: number };
  /** Processes and threads (`ulimit -u`). */
  readonly processes: { readonly soft: number; readonly hard: number };
  readonly cpus: number;
  readonly avx2?: boolean;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly swapBytes: number;
  readonly disks: readonly Disk[];
  readonly missing: readonly string[];
  /** Addresses of the host, loopback included. */
  readonly addresses: readonly string[];
  readonly listeners: readonly Listener[];
  readonly kernelSettings: {
    readonly overcommit?: number;
    readonly maxMapCount?: number;
    readonly swappiness?: number;
    /** The chosen word of /sys/kernel/mm/transparent_hugepage/enabled. */
    readonly hugePages?: string;
  };
  /** systemd ends what a user started over SSH when the last session closes (`KillUserProcesses=yes`, no lingering). */
  readonly killsUserProcesses: boolean;
}

/** What the same look tells of a node on the host. */
export interface NodeFacts {
  readonly process?: ObservedProcess;
  /** Whether its part of the release is there and verified. */
  readonly staged: boolean;
}

/** What facts are asked for beside those of the host itself. */
export interface HostQuestion {
  /** They need not exist: their nearest folder that does counts. */
  readonly paths?: readonly string[];
  readonly ports?: readonly number[];
  readonly node?: { readonly kind: NodeKind; readonly home: string; readonly releaseFolder: string };
}

export interface Disk {
  /** As asked. */
  readonly path: string;
  readonly mount: string;
  readonly type: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What keeps the user from making or filling the path: it, or the nearest thing above it that exists. */
  readonly closed?: { readonly path: string; readonly mode: string; readonly owner: string };
}

/** Facts of a host in one round trip. */
export const hostFacts = async (
  host: Host,
  { node, paths = [], ports = [] }: HostQuestion = {},
): Promise<HostFacts & NodeFacts> => {
  const part = node && kindLayouts[node.kind].part;
  const of = node ? [...processArguments(node.kind, node.home), `${node.releaseFolder}/${part}/${sealFile}`] : [];
  const { stdout } = await host.script(
    hostScript,
    [...listArguments(of), ...listArguments(ensuredPrograms), ...listArguments(paths), ...ports.map(String)],
    { label: "look at the host" },
  );
  const records = recordsOf(stdout);
  const fields = fieldsOf(records);
  const process = processOf(records);
  const number = (key: string): number | undefined => integer(fields.get(key)?.trim());
  const limit = (key: string): number =>
    fields.get(key) === "unlimited" ? Number.POSITIVE_INFINITY : (number(key) ?? 0);
  const kilobytes = (key: string): number => (number(key) ?? 0) * 1024;
  const hugePages = /\[(\w+)\]/.exec(fields.get("thp") ?? "")?.[1];
  const os = fields.get("os");
  const cpuFlags = fields.get("avx2");
  return {
    user: { name: fields.get("run.user") ?? "", id: number("uid") ?? -1 },
    kernel: fields.get("kernel") ?? "",
    ...(os ? { os } : {}),
    files: { soft: limit("files.soft"), hard: limit("files.hard") },
    processes: { soft: limit("processes.soft"), hard: limit("processes.hard") },
    cpus: number("cpus") ?? 0,
    ...(cpuFlags === undefined || cpuFlags === "" ? {} : { avx2: cpuFlags === "yes" }),
    memory: { totalBytes: kilobytes("MemTotal"), availableBytes: kilobytes("MemAvailable") },
    swapBytes: kilobytes("SwapTotal"),
    disks: groupsOf(records, "disk").map(diskOf),
    missing: records.filter(([key]) => key === "missing").map(([, name]) => name),
    addresses: [...new Set(records.filter(([key]) => key === "address").map(([, address]) => plainAddress(address)))],
    listeners: listenersOf(records),
    kernelSettings: withoutAbsent({
      overcommit: number("overcommit"),
      maxMapCount: number("map_count"),
      swappiness: number("swappiness"),
      hugePages,
    }),
    killsUserProcesses: fields.get("kills") === "yes",
    ...(process && { process }),
    staged: sealOf(fields.get("seal")).some((seal) => seal.part === part),
  };
};

const diskOf = (group: ReadonlyMap<string, string>): Disk => {
  const [total, free, type = "", ...mount] = (group.get("df") ?? "").trim().split(/\s+/);
  const closed = group.get("closed");
  const [mode = "", owner = ""] = (group.get("mode") ?? "").split(" ");
  return {
    path: group.get("disk") ?? "",
    mount: mount.join(" "),
    type,
    freeBytes: (integer(free) ?? 0) * 1024,
    totalBytes: (integer(total) ?? 0) * 1024,
    ...(closed !== undefined && { closed: { path: closed, mode, owner } }),
  };
};

const withoutAbsent = <T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
