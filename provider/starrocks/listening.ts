import { isIP, isIPv6 } from "node:net";
import type { Host } from "../host/types.js";
import { type ObservedProcess, processFunctions } from "./process.js";
import { groupsOf, integer, type Rec, recordsOf } from "./records.js";

/** A TCP listener on the host. */
export interface Listener {
  readonly port: number;
  /** `0.0.0.0` and `::` take the port on every address. */
  readonly address: string;
  readonly user: string;
  /** Absent when the process belongs to someone whose files we may not read. */
  readonly process?: { readonly pid: number; readonly name: string; readonly cmdline: string };
}

/**
 * Bash function: listeners on the given ports, from /proc/net (`ss` and `lsof` are not everywhere). The search for their
 * processes begins with the one that `find_process` has found; else it looks at every open file of the host, where anything
 * listens at all. Needs `processFunctions`.
 */
export const listenFunction = `
emit_listeners() {
  local wanted=' ' port local_address state user inode inodes=' ' known= name=
  for port; do printf -v port %04X "$port"; wanted="$wanted$port "; done
  while read -r _ local_address _ state _ _ _ user _ inode _; do
    [ "$state" = 0A ] || continue
    case $wanted in *" \${local_address##*:} "*) ;; *) continue ;; esac
    if [ "$user" != "$known" ]; then known=$user name=$(id -nu "$user" 2>/dev/null || echo "$user"); fi
    emit listener "$local_address"
    emit user "$name"
    emit inode "$inode"
    inodes="$inodes$inode "
  done < <(grep -hs ' 0A ' /proc/net/tcp /proc/net/tcp6)
  [ "$inodes" != ' ' ] || return 0
  # The node itself, mostly: of a busy host all open files need not be looked at then.
  [ -z "$FOUND" ] || emit_owners < <(LC_ALL=C ls -ln "/proc/$FOUND/fd/" 2>/dev/null)
  [ "$inodes" = ' ' ] || emit_owners < <(LC_ALL=C ls -ln /proc/[0-9]*/fd 2>/dev/null | grep -E '^/proc/|socket:')
}

# Owners of the sockets in "inodes", which is left with those that were not found; the first folder is that of FOUND.
emit_owners() {
  local pid=$FOUND inode line name
  while IFS= read -r line; do
    case $line in
      /proc/*/fd:) pid=\${line#/proc/}; pid=\${pid%/fd:} ;;
      *'socket:['*)
        inode=\${line##*'socket:['}
        inode=\${inode%]}
        case $inodes in *" $inode "*) ;; *) continue ;; esac
        inodes=\${inodes/ $inode / }
        emit owner "$inode"
        emit pid "$pid"
        name=
        { IFS= read -r name <"/proc/$pid/comm"; } 2>/dev/null
        read_arguments "$pid"
        emit name "$name"
        emit cmdline "\${ARGV[*]}"
        ;;
    esac
  done
}
`;

/** Reads what `emit_listeners` told. */
export const listenersOf = (records: readonly Rec[]): readonly Listener[] => {
  const owners = new Map(groupsOf(records, "owner").map((group) => [group.get("owner"), group]));
  return groupsOf(records, "listener").map((group) => {
    const [address = "", port = ""] = (group.get("listener") ?? "").split(":");
    const owner = owners.get(group.get("inode"));
    const pid = integer(owner?.get("pid"));
    return {
      port: Number.parseInt(port, 16),
      address: addressOf(address),
      user: group.get("user") ?? "",
      ...(pid === undefined
        ? {}
        : { process: { pid, name: owner?.get("name") ?? "", cmdline: owner?.get("cmdline")?.trim() ?? "" } }),
    };
  });
};

/** `0100007F` → `127.0.0.1`: words of four bytes, each in the byte order of the (little-endian) host. */
export const addressOf = (hex: string): string => {
  const octets = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex").reverse()]);
  if (octets.length !== 16) {
    return octets.join(".");
  }
  if (octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff) {
    return octets.slice(12).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((octets[2 * index] ?? 0) << 8) | (octets[2 * index + 1] ?? 0)).toString(16),
  );
  return plainAddress(groups.join(":"));
};

/** One way to write an address: `FD00:0:0::2` → `fd00::2`. A name stays as it is. */
export const plainAddress = (address: string): string =>
  isIPv6(address) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;

const listenScript = `${processFunctions}${listenFunction}
emit_listeners "$@"
`;

/** Who listens on these ports. One round trip. */
export const listening = async (host: Host, ports: readonly number[]): Promise<readonly Listener[]> => {
  if (ports.length === 0) {
    return [];
  }
  const { stdout } = await host.script(listenScript, ports.map(String), { label: "look for listeners" });
  return listenersOf(recordsOf(stdout));
};

const everywhere = new Set(["0.0.0.0", "::"]);

/** Several hosts may share a network namespace only where each has loopback addresses of its own. */
const isLoopback = (address: string): boolean => isIP(address) !== 0 && /^(127\.|::1$)/.test(plainAddress(address));

/**
 * The listeners that a node collides with: StarRocks takes its ports on every address of the host, whichever of them the
 * cluster knows the node by. Where the node runs, its own are not in its way.
 */
export const inTheWay = (
  listeners: readonly Listener[],
  address: string,
  node?: Pick<ObservedProcess, "pid" | "user">,
): readonly Listener[] =>
  listeners
    .filter((one) => !isLoopback(address) || one.address === plainAddress(address) || everywhere.has(one.address))
    .filter((one) => !node || !isOf(one, node));

/** A socket whose owner nobody may see is the node's where it is its user's. */
const isOf = ({ process, user }: Listener, node: Pick<ObservedProcess, "pid" | "user">): boolean =>
  process ? process.pid === node.pid : user === node.user;

/** `port 9060 is taken by process 123 (nginx)`. */
export const describeListener = ({ port, address, user, process }: Listener): string => {
  const at = everywhere.has(address) ? "" : ` of ${address}`;
  return process
    ? `port ${port}${at} is taken by process ${process.pid} (${process.name}) of ${user}`
    : `port ${port}${at} is taken by a process of user ${user}`;
};
