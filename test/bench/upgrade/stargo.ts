import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../../lab/lab.js";
import { rootPassword } from "../../lab/lab.js";
import { Session } from "../../simulator/client/session.js";
import type { BuiltRelease } from "../../simulator/release.js";
import { type Contender, type Ended, runHere } from "./contender.js";
import { archiveOn, type BenchNode, commands, nodesOf } from "./nodes.js";

const checks = 3;
const betweenChecks = 10_000;

/**
 * StarGo's policy in our own words, none of its code: BEs, then FEs in the order of the list; `lib` swapped while the node
 * runs, kill -9, start, a few checks, and on to the next whatever they say. Each command is an SSH connection.
 */
export const stargoPolicy = (lab: Lab): Contender => {
  const login = (node: BenchNode): readonly string[] => {
    const { knownHosts, port, user, host } = lab.fleet.connection(node.host);
    const options = [`UserKnownHostsFile=${knownHosts}`, "BatchMode=yes", "IdentitiesOnly=yes", `Port=${port}`];
    return [
      ...["-q", "-F", "none", "-i", lab.fleet.key.path],
      ...options.flatMap((one) => ["-o", one]),
      `${user}@${host}`,
    ];
  };
  const ssh = (node: BenchNode, command: string): Promise<Ended> => runHere("ssh", [...login(node), command]);
  const copy = (node: BenchNode, release: BuiltRelease): Promise<Ended> => {
    const options = login(node);
    return runHere("scp", [...options.slice(0, -1), release.archive, `${options.at(-1)}:${archiveOn(node, release)}`]);
  };

  /** A BE by what the cluster says of it, an FE by its port. */
  const isUp = async (node: BenchNode, version: string): Promise<boolean> => {
    if (node.kind === "fe") {
      return (await ssh(node, commands.listening(node, 1))).exitCode === 0;
    }
    const frontends = ["fe1", "fe2", "fe3"].map((name) => ({ host: lab.fleet.host(name).address }));
    const session = new Session({ frontends, password: rootPassword });
    const rows = await session.query("SHOW BACKENDS").catch(() => []);
    session.close();
    return rows.some(
      ({ IP, Alive, Version }) =>
        String(IP) === node.host.address && String(Alive) === "true" && String(Version).startsWith(version),
    );
  };

  const change = async (node: BenchNode, release: BuiltRelease): Promise<boolean> => {
    const pidFile = `${node.home}/bin/${node.kind}.pid`;
    await ssh(node, commands.swap(node, release, ["lib"]));
    await ssh(node, `kill -9 $(cat ${pidFile}); rm -f ${pidFile}`);
    await ssh(node, commands.start(node, lab.jdk));
    for (let check = 1; check <= checks; check++) {
      if (await isUp(node, release.version)) {
        return true;
      }
      await sleep(betweenChecks);
    }
    return false;
  };

  return {
    name: "StarGo's policy",
    note: "written for this bench from a description; its real waits: up to 3 checks, 10 s apart",
    upgrade: async (release) => {
      const listed = [...nodesOf(lab)].sort(
        (a, b) => a.kind.localeCompare(b.kind) || lab.fleet.hosts.indexOf(a.host) - lab.fleet.hosts.indexOf(b.host),
      );
      const said: string[] = [];
      for (const node of listed) {
        const copied = await copy(node, release);
        const there = await ssh(node, commands.unpack(node, release));
        said.push(copied.output, there.output);
      }
      for (const node of listed) {
        said.push(`${node.host.name} ${(await change(node, release)) ? "is up" : "did not come up"}\n`);
      }
      return { exitCode: 0, output: said.join("") };
    },
  };
};
