import { readdirSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { command } from "../command.js";
import type { KeyPair } from "../keys.js";
import { newKeyPair } from "../keys.js";
import {
  commandMatches,
  hasTag,
  killMatching,
  killTagged,
  type MachineProcess,
  taggedProcesses,
  tagVariable,
} from "../processes.js";
import type { SiteHost, SiteOptions } from "../site.js";
import type { ExecOptions, ExecResult, HostProcess, Slowness } from "../types.js";
import { dateProgram, hostnameProgram, sudoProgram } from "./programs.js";
import type { RemoteSshd, SshServers } from "./servers.js";
import type { Environment } from "./session.js";

export interface LoopbackHostOptions {
  readonly name: string;
  readonly address: string;
  readonly oneAddress: boolean;
  readonly site: SiteOptions;
  readonly servers: SshServers;
}

export class LoopbackHost implements SiteHost {
  readonly name: string;
  readonly address: string;
  readonly hostKey: KeyPair = newKeyPair();
  private readonly root: string;
  private readonly tag: string;
  private readonly sshd: RemoteSshd;
  private listeningPort = 0;
  private programs: string;
  private clock = 0;
  private nofile: number | undefined;
  private isOn = true;
  private refuses = false;

  constructor(private readonly options: LoopbackHostOptions) {
    const { name, address, servers, site } = options;
    this.name = name;
    this.address = address;
    this.root = join(site.folder, name);
    this.tag = `${site.tag}/${name};`;
    this.programs = process.env.PATH ?? "/usr/bin:/bin";
    this.nofile = site.nofile;
    this.sshd = servers.host(name);
  }

  get port(): number {
    return this.listeningPort;
  }

  async start(): Promise<void> {
    const { address, hostKey, options } = this;
    const { user, sudo, password, folders, publicKeys, maxSessions } = options.site;
    for (const folder of ["/bin", "/tmp", "/etc", `/home/${user}`, ...folders]) {
      await mkdir(this.path(folder), { recursive: true });
    }
    // Beside the environment, not in it: /proc shows that to everybody who looks.
    const passwordFile = this.path("/etc/sudo-password");
    await writeFile(passwordFile, password ?? "", { mode: 0o600 });
    await this.addProgram("sudo", sudoProgram(sudo, user, passwordFile));
    await this.addProgram("hostname", hostnameProgram(this.name));
    const { oneAddress } = options;
    await this.sshd.open({ address, oneAddress, user, password, publicKeys, maxSessions, hostKey });
    await this.tellEnvironment();
    this.listeningPort = await this.sshd.ask("listen");
  }

  path(path: string): string {
    return join(this.root, path);
  }

  async exec(script: string, { stdin }: ExecOptions = {}): Promise<ExecResult> {
    const { home, variables } = this.environment();
    return command("bash", ["-c", script], {
      cwd: home,
      env: { ...variables },
      ...(stdin === undefined ? {} : { stdin }),
    });
  }

  async readFile(path: string): Promise<string | undefined> {
    try {
      return await readFile(this.path(path), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return undefined;
      }
      throw error;
    }
  }

  async writeFile(path: string, content: string | Buffer, { mode = 0o644 } = {}): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await rm(this.path(path), { force: true });
    await writeFile(this.path(path), content, { mode });
  }

  async processes(): Promise<readonly HostProcess[]> {
    return taggedProcesses(this.tag);
  }

  runs(pid: number): boolean {
    return hasTag(pid, this.tag);
  }

  async kill(which: number | string | RegExp, name: NodeJS.Signals = "SIGKILL"): Promise<number> {
    const matches = ({ pid, command }: MachineProcess) =>
      typeof which === "number" ? pid === which : commandMatches(command, which);
    return killMatching(() => taggedProcesses(this.tag), matches, name);
  }

  async addProgram(name: string, script: string): Promise<() => Promise<void>> {
    const path = `/bin/${name}`;
    await this.writeFile(path, script, { mode: 0o755 });
    return () => rm(this.path(path), { force: true });
  }

  /** The machine's folders cannot be changed, so from now on the PATH is a folder of links to all programs but this one. */
  async removeProgram(name: string): Promise<void> {
    const links = this.path("/.programs");
    if (this.programs !== links) {
      const found = new Map<string, string>();
      for (const folder of this.programs.split(":")) {
        for (const program of names(folder)) {
          found.set(program, found.get(program) ?? join(folder, program));
        }
      }
      await mkdir(links);
      await Promise.all([...found].map(async ([program, path]) => symlink(path, join(links, program))));
      this.programs = links;
      await this.tellEnvironment();
    }
    await Promise.all([rm(join(links, name), { force: true }), rm(this.path(`/bin/${name}`), { force: true })]);
  }

  async cutNetwork(): Promise<void> {
    await this.sshd.ask("setCut", true);
  }

  async restoreNetwork(): Promise<void> {
    await this.sshd.ask("setCut", false);
  }

  async refuseSsh(): Promise<void> {
    this.refuses = true;
    await this.sshd.ask("stopListening");
  }

  async acceptSsh(): Promise<void> {
    this.refuses = false;
    if (this.isOn) {
      await this.sshd.ask("listen");
    }
  }

  async refuseAuth(): Promise<void> {
    await this.sshd.ask("setRefusesAuth", true);
  }

  async acceptAuth(): Promise<void> {
    await this.sshd.ask("setRefusesAuth", false);
  }

  async wrongHostKey(): Promise<void> {
    await this.sshd.ask("setHostKey", newKeyPair());
  }

  async restoreHostKey(): Promise<void> {
    await this.sshd.ask("setHostKey", this.hostKey);
  }

  async powerOff(): Promise<void> {
    this.isOn = false;
    await this.sshd.ask("powerOff");
    // Someone must take the calls of who dials now, to leave them unanswered.
    await this.sshd.ask("listen");
    killTagged(this.tag);
  }

  async powerOn(): Promise<void> {
    this.isOn = true;
    await this.sshd.ask("powerOn");
    if (this.refuses) {
      await this.sshd.ask("stopListening");
    }
  }

  async reboot(): Promise<void> {
    await this.powerOff();
    await this.powerOn();
  }

  async slow(how: Slowness): Promise<void> {
    await this.sshd.ask("slow", how);
  }

  async fillDisk(): Promise<void> {
    throw new Error(
      `A disk of ${this.name} cannot be filled: hosts of a loopback fleet share this machine's disk; use namespaces`,
    );
  }

  async freeDisk(): Promise<void> {
    await this.fillDisk();
  }

  async clockOffset(ms: number): Promise<void> {
    this.clock = ms;
    await this.tellEnvironment();
    await (ms === 0 ? rm(this.path("/bin/date"), { force: true }) : this.addProgram("date", dateProgram(ms)));
  }

  async limits({ nofile }: { readonly nofile: number }): Promise<void> {
    this.nofile = nofile;
    await this.tellEnvironment();
  }

  logins(): number {
    return this.sshd.logins;
  }

  /** Its server ends with those of the other hosts. */
  close(): void {
    killTagged(this.tag);
  }

  private async tellEnvironment(): Promise<void> {
    await this.sshd.ask("setEnvironment", this.environment());
  }

  private environment(): Environment {
    const { user } = this.options.site;
    const home = this.path(`/home/${user}`);
    const variables = {
      ...{ HOME: home, USER: user, LOGNAME: user, SHELL: "/bin/bash", LANG: "C.UTF-8", TMPDIR: this.path("/tmp") },
      PATH: `${this.path("/bin")}:${this.programs}`,
      ...tagVariable(this.tag),
      ...(this.clock === 0 ? {} : { FLEET_CLOCK_OFFSET_MS: String(this.clock) }),
    };
    return { home, variables, nofile: this.nofile };
  }
}

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
