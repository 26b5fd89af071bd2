import { messageOf, UserError } from "../../error.js";
import type { Command, Host } from "../../host/types.js";
import { emitFunction, fieldsOf, recordsOf } from "../records.js";

/** How a process is kept from talking to the cluster whose metadata it holds. */
export interface Isolation {
  /** For people: `its own network namespace (user namespace)`. */
  readonly way: string;
  /** What goes before the command that is cut off. */
  readonly wrapper: readonly string[];
  /** The host as the user who may do so; the process itself runs as the user of all other commands. */
  readonly host: Host;
  /** The host as it is seen from within the namespace of a process: tunnels end there. */
  inside(pid: number): Host;
}

/**
 * Runs in the new namespace: brings up its loopback, sees that there is nothing else, and becomes the command. An
 * interface without an address or route (some kernels put unused tunnels everywhere) leads nowhere.
 */
const isolateScript = `
(PATH=$PATH:/usr/sbin:/sbin; exec ip link set lo up) || exit 97
while read -r name _; do
  [ "$name" = Iface ] || { echo "it has a route by $name" >&2; exit 97; }
done </proc/net/route
if [ -r /proc/net/if_inet6 ]; then
  while read -r _ _ _ _ _ name; do
    [ "$name" = lo ] || { echo "it has an address on $name" >&2; exit 97; }
  done </proc/net/if_inet6
fi
exec "$@"
`;

const namespace = (...more: readonly string[]): readonly string[] => [
  "unshare",
  "-n",
  ...more,
  "--",
  "bash",
  "--norc",
  "-c",
  isolateScript,
  "isolate",
];

/** bash's own TCP client between this stream and a port: no host lacks it, and nothing secret is in its arguments. */
const relayScript = `
exec 3<>"/dev/tcp/$1/$2" || exit 1
exec 4<&0
cat <&3 & reader=$!
{ cat <&4 >&3; kill "$reader"; } >/dev/null 2>&1 &
writer=$!
wait "$reader" 2>/dev/null
kill "$writer" 2>/dev/null
exit 0
`;

const entered =
  (host: Host, ...options: readonly string[]) =>
  (pid: number): Host => ({
    ...host,
    connect: (address, port) => {
      const enter: Command = [
        "nsenter",
        "-t",
        String(pid),
        ...options,
        "-n",
        "--",
        "bash",
        "--norc",
        "-c",
        relayScript,
      ];
      return host.stream([...enter, "relay", address, String(port)], { label: `relay to port ${port}` });
    },
  });

const tryScript = `${emitFunction}
PATH=$PATH:/usr/sbin:/sbin
for program in unshare nsenter ip; do
  command -v "$program" >/dev/null || { emit said "$program is not installed (packages util-linux and iproute2)"; exit 0; }
done
if said=$("$@" true 2>&1); then emit works 1; else emit said "\${said:-exit code $?}"; fi
`;

/** Undefined when it works; else what the host said. */
const attempt = async (host: Host, wrapper: readonly string[]): Promise<string | undefined> => {
  try {
    const { stdout } = await host.script(tryScript, wrapper, { label: "try to make a network namespace" });
    const fields = fieldsOf(recordsOf(stdout));
    return fields.has("works") ? undefined : (fields.get("said") ?? "no answer").trim();
  } catch (error) {
    if (error instanceof UserError) {
      return messageOf(error);
    }
    throw error;
  }
};

const userScript = `${emitFunction}
emit uid "$(id -u)"
emit gid "$(id -g)"
`;

/** A TCP port that must not be reachable from a host that is said to have no route to the cluster. */
export interface Forbidden {
  readonly address: string;
  readonly port: number;
}

export interface IsolationWish {
  /** The host as root, by sudo; the host itself where that is who commands run as. */
  readonly privileged: Host;
  /** The host is declared to have no route to the cluster; then that is proven of these. */
  readonly noRouteTo?: readonly Forbidden[];
}

/**
 * The way in which this host can cut a process off: a network namespace as root, in a user namespace, or by sudo. Each is
 * tried for real. Where none works, and the host is not declared to have no route to the cluster, it throws.
 */
export const findIsolation = async (host: Host, { privileged, noRouteTo }: IsolationWish): Promise<Isolation> => {
  const { stdout } = await host.script(userScript, []);
  const user = fieldsOf(recordsOf(stdout));
  const [uid = "", gid = ""] = [user.get("uid"), user.get("gid")];
  const inUserNamespace = {
    way: "a network namespace of its own, in a user namespace",
    wrapper: namespace("-r"),
    host,
    inside: entered(host, "-U", "--preserve-credentials"),
  };
  const asUser = ["setpriv", "--reuid", uid, "--regid", gid, "--init-groups", "--"];
  const ways: readonly Isolation[] =
    uid === "0"
      ? [{ way: "a network namespace of its own", wrapper: namespace(), host, inside: entered(host) }, inUserNamespace]
      : [
          inUserNamespace,
          {
            way: "a network namespace of its own, by sudo",
            wrapper: [...namespace(), ...asUser],
            host: privileged,
            inside: entered(privileged),
          },
        ];
  const refusals: string[] = [];
  for (const way of ways) {
    const refusal = await attempt(way.host, way.wrapper);
    if (refusal === undefined) {
      return way;
    }
    refusals.push(`${way.way}: ${refusal}`);
  }
  if (noRouteTo) {
    return withoutRoute(host, noRouteTo);
  }
  throw new UserError(
    `${host.name} cannot cut a process off from its networks, and without that a copy of the metadata could talk to the cluster it was taken from.\n` +
      `${refusals.map((refusal) => `  ${refusal}`).join("\n")}\n` +
      "Allow the run user sudo or user namespaces there, name another host with `rehearsal.host`, or one that has no route to the cluster with `rehearsal.isolated: true`.",
  );
};

/** Seconds that a packet may take on its way to a host that answers. */
const reachLimit = 3;

// A refused connection is an answer: there is a route. Only silence and the network's own word prove that there is none; a
// name that is not known, or a program that is missing, proves nothing.
const reachScript = `${emitFunction}
limit=$1; shift
knock() {
  local said code
  said=$(LC_ALL=C timeout "$limit" bash --norc -c 'exec 3<>"/dev/tcp/$1/$2"' knock "$1" "$2" 2>&1); code=$?
  [ "$code" = 0 ] && { emit open "$1:$2"; return; }
  case $said in
    *refused* | *'reset by peer'*) emit open "$1:$2" ;;
    *'No route to host'* | *'Network is unreachable'* | *'Connection timed out'*) ;;
    *) [ "$code" = 124 ] || emit unproven "$1:$2 (\${said##*: })" ;;
  esac
}
while [ $# -gt 0 ]; do knock "$1" "$2" & shift 2; done
wait
`;

const withoutRoute = async (host: Host, forbidden: readonly Forbidden[]): Promise<Isolation> => {
  const targets = forbidden.flatMap(({ address, port }) => [address, String(port)]);
  const { stdout } = await host.script(reachScript, [String(reachLimit), ...targets], {
    label: "try to reach the cluster",
  });
  const targetsThat = (what: string): readonly string[] =>
    recordsOf(stdout).flatMap(([key, target]) => (key === what ? [target] : []));
  const reached = targetsThat("open");
  if (reached.length > 0) {
    throw new UserError(
      `${host.name} is declared as \`isolated\`, but it reaches the cluster: ${reached.join(", ")}. ` +
        "A copy of the metadata must not run where it can talk to the cluster. Take another host, or cut that route.",
    );
  }
  const unproven = targetsThat("unproven");
  if (unproven.length > 0) {
    throw new UserError(
      `${host.name} is declared as \`isolated\`, and it could not be proven that it has no route to ${unproven.join(", ")}: ` +
        "wanted is silence, or that the network says so. Make that host know the name or address, or take another host.",
    );
  }
  return { way: "a host without a route to the cluster", wrapper: [], host, inside: () => host };
};

const apartScript = `${emitFunction}
emit own "$(readlink /proc/self/ns/net)"
emit its "$(readlink "/proc/$1/ns/net")"
`;

/**
 * Proves of a process that it is in another network namespace than everything else on the host; false while that cannot
 * be read, as of one that has just ended.
 */
export const assertApart = async ({ host, wrapper }: Isolation, pid: number): Promise<boolean> => {
  if (wrapper.length === 0) {
    return true;
  }
  const { stdout } = await host.script(apartScript, [String(pid)]);
  const fields = fieldsOf(recordsOf(stdout));
  const [own, its] = [fields.get("own"), fields.get("its")];
  if (!own || !its) {
    return false;
  }
  if (own === its) {
    throw new UserError(
      `Process ${pid} on ${host.name} should be in a network namespace of its own, but is in that of the host, ${its}.`,
    );
  }
  return true;
};
