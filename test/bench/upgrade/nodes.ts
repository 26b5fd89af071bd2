import { posix } from "node:path";
import { quote } from "../../fleet/command.js";
import type { Host } from "../../fleet/types.js";
import type { Lab } from "../../lab/lab.js";
import type { BuiltRelease } from "../../simulator/release.js";

/** A node as those see it who change it without this package. */
export interface BenchNode {
  readonly kind: "fe" | "be";
  readonly host: Host;
  readonly home: string;
  /** Answers once the process serves: a BE's heartbeat, an FE's MySQL protocol. */
  readonly port: number;
}

/** BEs first, then the FEs with the leader last: the order that StarRocks' documentation asks for. */
export const nodesOf = (lab: Lab): readonly BenchNode[] =>
  [...lab.fleet.hosts]
    .sort((a, b) => rank(a.name) - rank(b.name))
    .map((host) => {
      const kind = host.name.startsWith("be") ? "be" : "fe";
      const home = posix.join(host.path("/opt/starrocks"), kind);
      return { kind, host, home, port: kind === "be" ? 9050 : 9030 };
    });

const rank = (name: string): number => {
  const number = Number(name.slice(2));
  return name.startsWith("be") ? number : 1000 + (number === 1 ? 1000 : number);
};

/** Where they unpack a release on a host. */
export const unpacked = ({ home }: BenchNode, release: BuiltRelease): string =>
  posix.join(posix.dirname(home), `unpacked-${release.sha256.slice(0, 12)}`);

export const archiveOn = (node: BenchNode, release: BuiltRelease): string => `${unpacked(node, release)}.tar.gz`;

/** Bash, as the documentation of StarRocks has it for people: stop, replace `bin` and `lib`, start. */
export const commands = {
  unpack: (node: BenchNode, release: BuiltRelease): string =>
    `mkdir -p ${unpacked(node, release)} && tar -xzf ${archiveOn(node, release)} -C ${unpacked(node, release)} --strip-components 1`,
  stop: ({ home, kind }: BenchNode): string => `bash ${home}/bin/stop_${kind}.sh${kind === "be" ? " --graceful" : ""}`,
  /** With `lib` alone, `bin` stays as it is. */
  swap: (node: BenchNode, release: BuiltRelease, folders: readonly string[] = ["bin", "lib"]): string =>
    folders
      .map((name) => {
        const place = `${node.home}/${name}`;
        return `rm -rf ${place}.bak && mv ${place} ${place}.bak && cp -R ${unpacked(node, release)}/${node.kind}/${name} ${place}`;
      })
      .join(" && "),
  start: ({ home, kind }: BenchNode, jdk: string): string =>
    `cd ${home} && JAVA_HOME=${quote(jdk)} bash bin/start_${kind}.sh --daemon`,
  /** Fails when nobody listens after this many seconds. */
  listening: ({ host, port }: BenchNode, seconds: number): string =>
    `for i in $(seq ${seconds}); do (exec 3<>/dev/tcp/${host.address}/${port}) 2>/dev/null && exit 0; sleep 1; done; echo nobody listens >&2; exit 1`,
};

/** How long a playbook or program waits for a started node's port, in seconds. */
export const portLimit = 60;
