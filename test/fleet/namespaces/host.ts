import { readFileSync } from "node:fs";
import { join } from "node:path";
import { command, quote } from "../command.js";
import type { KeyPair } from "../keys.js";
import { commandMatches, killMatching, linkOf, type MachineProcess, machineProcesses } from "../processes.js";
import type { SiteHost, SiteOptions } from "../site.js";
import type { ExecOptions, ExecResult, HostProcess, Slowness } from "../types.js";
import { bootScript } from "./boot.js";
import { clockEnvironment } from "./clock.js";
import { type Machine, startMachine } from "./machine.js";
import { type Cable, rateArguments } from "./network.js";
import { Sshd } from "./sshd.js";

export interface NamespaceHostOptions {
  readonly name: string;
  /** Of this machine: holds `root`, `usr` and `work`. */
  readonly folder: string;
  readonly cable: Cable;
  readonly hostKey: KeyPair;
  /** A process in whose mount namespace the disks are. */
  readonly disks: Machine;
  readonly site: SiteOptions;
}

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const filler = ".fleet-filler";

export class NamespaceHost implements SiteHost {
  readonly name: string;
  readonly address: string;
  readonly port = 22;
  readonly hostKey: KeyPair;
  private machine: Machine | undefined;
  private readonly sshd: Sshd;
  private environment: Readonly<Record<string, string>> = {};
  private slowness: Slowness = {};

  constructor(private readonly options: NamespaceHostOptions) {
    const { name, cable, hostKey, folder, site } = options;
    this.name = name;
    this.address = cable.address;
    this.hostKey = hostKey;
    this.sshd = new Sshd({
      root: join(folder, "root"),
      address: this.address,
      hostKey,
      maxSessions: site.maxSessions,
      allowsPassword: site.password !== undefined,
      run: (script) => this.run(script),
      init: () => this.on().pid,
    });
  }

  async powerOn(): Promise<void> {
    if (this.machine) {
      return;
    }
    const { name, folder, cable, disks, site } = this.options;
    const machine = await startMachine("nsenter", [
      `--mount=/proc/${disks.pid}/ns/mnt`,
      ...["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"],
      ...["bash", "-c", bootScript, "boot", join(folder, "root"), folder, name, ...(site.visible ?? [])],
    ]);
    this.machine = machine;
    await cable.plug(machine.pid);
    machine.say(`${this.address}/24`);
    await machine.line();
    machine.forget();
    await this.sshd.start();
    if (this.slowness.rate !== undefined) {
      await this.setRate(this.slowness.rate);
    }
  }

  async powerOff(): Promise<void> {
    // First the cable: the kernel would say goodbye for the dying processes.
    await this.options.cable.unplug();
    await this.end();
  }

  /** The end of the host, of which its clients hear. */
  async end(): Promise<void> {
    await this.machine?.kill();
    this.machine = undefined;
    await this.options.cable.unplug();
  }

  async reboot(): Promise<void> {
    await this.powerOff();
    await this.powerOn();
  }

  path(hostPath: string): string {
    return hostPath;
  }

  async exec(script: string, { user = "root", stdin }: ExecOptions = {}): Promise<ExecResult> {
    const home = user === "root" ? "/root" : `/home/${user}`;
    const variables = { ...this.environment, PATH: path, HOME: home, USER: user, LOGNAME: user, LANG: "C.UTF-8" };
    const become = user === "root" ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups"];
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    return command(
      "nsenter",
      [...this.enter(), "env", "-i", "-C", home, ...assignments, ...become, "bash", "-c", script],
      stdin === undefined ? {} : { stdin },
    );
  }

  async readFile(file: string): Promise<string | undefined> {
    const absent = 66;
    const { code, stdout, stderr } = await this.exec(`[ -e ${quote(file)} ] || exit ${absent}; cat -- ${quote(file)}`);
    if (code !== 0 && code !== absent) {
      throw new Error(`Cannot read ${file} on ${this.name}: ${stderr.trim()}`);
    }
    return code === 0 ? stdout : undefined;
  }

  async writeFile(file: string, content: string | Buffer, { mode = 0o644 } = {}): Promise<void> {
    const script = `
      file=${quote(file)} made=
      [ -e "$file" ] || made=$file
      folder=$(dirname "$file")
      while [ ! -e "$folder" ]; do made=$folder; folder=$(dirname "$folder"); done
      mkdir -p "$(dirname "$file")" && cat > "$file" && chmod ${mode.toString(8)} "$file" || exit
      [ -z "$made" ] || chown -R ${this.options.site.user}: "$made"`;
    await this.run(script, content);
  }

  async processes(): Promise<readonly HostProcess[]> {
    return this.list().flatMap(({ pid, uid, command }) => {
      const inner = innerPid(pid);
      return inner === undefined ? [] : [{ pid: inner, uid, command }];
    });
  }

  runs(pid: number): boolean {
    try {
      return this.machine !== undefined && linkOf(pid, "pid") === linkOf(this.machine.pid, "pid");
    } catch {
      // One of them has ended.
      return false;
    }
  }

  async kill(which: number | string | RegExp, name: NodeJS.Signals = "SIGKILL"): Promise<number> {
    const matches = ({ pid, command }: MachineProcess) =>
      typeof which === "number" ? innerPid(pid) === which : commandMatches(command, which);
    return killMatching(() => this.list(), matches, name);
  }

  async addProgram(name: string, script: string): Promise<() => Promise<void>> {
    const path = `/usr/local/bin/${name}`;
    await this.writeFile(path, script, { mode: 0o755 });
    return async () => {
      await this.run(`rm -f ${quote(path)}`);
    };
  }

  async removeProgram(name: string): Promise<void> {
    await this.run(`for folder in ${path.replaceAll(":", " ")}; do rm -f "$folder"/${quote(name)}; done`);
  }

  async cutNetwork(): Promise<void> {
    await this.options.cable.setCut(true);
  }

  async restoreNetwork(): Promise<void> {
    await this.options.cable.setCut(false);
  }

  async refuseSsh(): Promise<void> {
    await this.sshd.set({ listens: false }, this.isOn);
  }

  async acceptSsh(): Promise<void> {
    await this.sshd.set({ listens: true }, this.isOn);
  }

  async refuseAuth(): Promise<void> {
    await this.sshd.set({ refusesAuth: true }, this.isOn);
  }

  async acceptAuth(): Promise<void> {
    await this.sshd.set({ refusesAuth: false }, this.isOn);
  }

  async wrongHostKey(): Promise<void> {
    await this.sshd.set({ wrongKey: true }, this.isOn);
  }

  async restoreHostKey(): Promise<void> {
    await this.sshd.set({ wrongKey: false }, this.isOn);
  }

  async limits({ nofile }: { readonly nofile: number }): Promise<void> {
    await this.sshd.set({ nofile }, this.isOn);
  }

  async slow(how: Slowness): Promise<void> {
    if (how.rate !== this.slowness.rate && this.isOn) {
      await this.setRate(how.rate);
    }
    if (how.delayMs !== this.slowness.delayMs) {
      await this.sshd.set({ delayMs: how.delayMs ?? 0 }, this.isOn);
    }
    this.slowness = how;
  }

  async clockOffset(ms: number): Promise<void> {
    this.environment = clockEnvironment(ms);
    const lines = Object.entries(this.environment).map(([name, value]) => `${name}=${value}\n`);
    // What sudo adds to the environment of every command: it drops LD_PRELOAD otherwise.
    await this.run("cat > /etc/fleet-environment", lines.join(""));
    await this.sshd.set({ environment: this.environment }, this.isOn);
  }

  async fillDisk(disk: string): Promise<void> {
    this.needSmallDisk(disk);
    await this.exec(`cat /dev/zero > ${quote(join(disk, filler))}`);
  }

  async freeDisk(disk: string): Promise<void> {
    this.needSmallDisk(disk);
    await this.run(`rm -f ${quote(join(disk, filler))}`);
  }

  logins(): number {
    return this.sshd.logins();
  }

  /** Runs a bash command as root; throws when it fails. */
  async run(script: string, stdin?: string | Buffer): Promise<void> {
    const { code, stderr } = await this.exec(script, stdin === undefined ? {} : { stdin });
    if (code !== 0) {
      throw new Error(`A command on ${this.name} ended with ${code}: ${stderr.trim()}`);
    }
  }

  private get isOn(): boolean {
    return this.machine !== undefined;
  }

  private on(): Machine {
    if (!this.machine) {
      throw new Error(`${this.name} is switched off`);
    }
    return this.machine;
  }

  private enter(): string[] {
    return ["-t", String(this.on().pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wd", "--"];
  }

  private list(): MachineProcess[] {
    if (!this.machine) {
      return [];
    }
    const init = this.machine.pid;
    const equipment = /^sshd: |^\/usr\/sbin\/sshd |\/fleet\/relay\.js /;
    return machineProcesses((pid) => pid !== init && this.runs(pid)).filter(({ command }) => !equipment.test(command));
  }

  private async setRate(rate: number | undefined): Promise<void> {
    await this.options.cable.setRate(rate);
    await command("nsenter", ["-t", String(this.on().pid), "--net", "--", "tc", ...rateArguments("eth0", rate)]);
  }

  private needSmallDisk(disk: string): void {
    const disks = Object.keys(this.options.site.smallDisks ?? {});
    if (!disks.includes(disk)) {
      throw new Error(`Expected one of the fleet's smallDisks (${disks.join(", ") || "none"}), got ${disk}`);
    }
  }
}

/** The pid that the process has in its own namespace; undefined when it has ended since it was listed. */
const innerPid = (pid: number): number | undefined => {
  try {
    const [, inner] = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(inner);
  } catch {
    return undefined;
  }
};
