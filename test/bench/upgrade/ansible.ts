import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Lab } from "../../lab/lab.js";
import type { BuiltRelease } from "../../simulator/release.js";
import { type Contender, runHere } from "./contender.js";
import { nodesOf, portLimit, unpacked } from "./nodes.js";

const venv = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-starrocks", "ansible");

/** PyPI's ansible-core in a virtual environment of the cache folder; why not, where that is impossible. */
const install = async (): Promise<string | undefined> => {
  if (existsSync(join(venv, "bin/ansible-playbook"))) {
    return undefined;
  }
  for (const [program, args] of [
    ["python3", ["-m", "venv", venv]],
    [join(venv, "bin/pip"), ["install", "--quiet", "ansible-core"]],
  ] as const) {
    const ended = await runHere(program, args).catch((error: Error) => ({ exitCode: 127, output: error.message }));
    if (ended.exitCode !== 0) {
      return `not to be had: ${ended.output.trim().split("\n").at(-1)}`;
    }
  }
  return undefined;
};

/** One node at a time; the port is waited for, and a host that fails ends the play. */
const play = (kind: "be" | "fe"): string => `
- hosts: ${kind}
  serial: 1
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - file: { path: "{{ unpacked }}", state: directory }
    - unarchive: { src: "{{ archive }}", dest: "{{ unpacked }}", extra_opts: [--strip-components=1] }
    - name: stop
      command: bash {{ home }}/bin/stop_${kind}.sh${kind === "be" ? " --graceful" : ""}
    - name: replace bin and lib
      shell: |
        set -e
        for name in bin lib; do
          rm -rf {{ home }}/$name.bak
          mv {{ home }}/$name {{ home }}/$name.bak
          cp -R {{ unpacked }}/${kind}/$name {{ home }}/$name
        done
      args: { executable: /bin/bash }
    - name: start
      command: bash {{ home }}/bin/start_${kind}.sh --daemon
      args: { chdir: "{{ home }}" }
      environment: { JAVA_HOME: "{{ jdk }}" }
    - wait_for: { host: "{{ address }}", port: "{{ answers }}", timeout: ${portLimit} }
`;

export const ansible = async (lab: Lab): Promise<Contender> => {
  const missing = await install();
  const folder = join(lab.fleet.scratch, "ansible");
  const files = { inventory: join(folder, "inventory.json"), playbook: join(folder, "upgrade.yml") };
  mkdirSync(folder, { recursive: true });
  writeFileSync(files.playbook, `---${play("be")}${play("fe")}`);

  const prepare = async (release: BuiltRelease): Promise<void> => {
    const nodes = nodesOf(lab);
    const hosts = (kind: "be" | "fe") =>
      Object.fromEntries(
        nodes
          .filter((node) => node.kind === kind)
          .map((node) => {
            const { host, port, user } = lab.fleet.connection(node.host);
            return [
              node.host.name,
              {
                ...{ ansible_host: host, ansible_port: port, ansible_user: user },
                ansible_python_interpreter: "/usr/bin/python3",
                ansible_ssh_private_key_file: lab.fleet.key.path,
                ansible_ssh_common_args: `-F none -o UserKnownHostsFile=${lab.fleet.knownHosts} -o IdentitiesOnly=yes`,
                ...{ home: node.home, address: host, answers: node.port, jdk: lab.jdk },
                ...{ archive: release.archive, unpacked: unpacked(node, release) },
              },
            ];
          }),
      );
    writeFileSync(
      files.inventory,
      JSON.stringify({ all: { children: { be: { hosts: hosts("be") }, fe: { hosts: hosts("fe") } } } }),
    );
  };
  const env = {
    ANSIBLE_HOME: join(folder, "home"),
    ANSIBLE_LOCAL_TEMP: join(folder, "tmp"),
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(folder, "cp"),
    // JSON is an inventory to its YAML plugin.
    ANSIBLE_INVENTORY_ENABLED: "yaml",
    // With a terminal, a busy host hangs up on the start script's child before its nohup has begun.
    ANSIBLE_SSH_USETTY: "False",
    ANSIBLE_NOCOLOR: "1",
    LC_ALL: "C.UTF-8",
  };
  return {
    name: "Ansible playbook",
    note: "ansible-core of PyPI; serial: 1, waits for each node's port, any error is fatal; without a terminal",
    ...(missing !== undefined && { missing }),
    prepare,
    upgrade: () => runHere(join(venv, "bin/ansible-playbook"), ["-i", files.inventory, files.playbook], env),
  };
};
