import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../command.js";
import { type KeyPair, newKeyPair } from "../keys.js";

export interface SshdSettings {
  readonly listens: boolean;
  readonly refusesAuth: boolean;
  readonly wrongKey: boolean;
  readonly delayMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly nofile: number | undefined;
}

export interface SshdPlace {
  /** The host's `/` as a folder of this machine. */
  readonly root: string;
  readonly address: string;
  readonly hostKey: KeyPair;
  readonly maxSessions: number;
  readonly allowsPassword: boolean;
  /** Runs a bash command as root on the host; throws when it fails. */
  run(command: string): Promise<void>;
  /** Pid of the host's first process. */
  init(): number;
}

const log = "/var/log/sshd.log";
const stop = `
if pid=$(cat /run/sshd.pid 2>/dev/null); then
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
fi
rm -f /run/sshd.pid`;
/** It listens some time after its fork (OpenSSH 9.2, seen with strace): only its pid file comes later. */
const listening = `
for ((i = 0; i < 3000; i++)); do
  [ -s /run/sshd.pid ] && exit
  sleep 0.01
done
echo "sshd did not listen within 30 s:" >&2
tail ${log} >&2
exit 1`;

/** The host's OpenSSH server: every change restarts its listener and leaves open sessions alone. */
export class Sshd {
  private settings: SshdSettings = {
    listens: true,
    refusesAuth: false,
    wrongKey: false,
    delayMs: 0,
    environment: {},
    nofile: undefined,
  };
  private relay: ChildProcess | undefined;

  constructor(private readonly place: SshdPlace) {}

  /** Notes settings and, when the host runs, puts them into force. */
  async set(settings: Partial<SshdSettings>, running: boolean): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    if (running) {
      await this.start();
    }
  }

  async start(): Promise<void> {
    const { place, settings } = this;
    this.relay?.stdin?.end();
    this.relay = undefined;
    if (!settings.listens) {
      await place.run(stop);
      return;
    }
    const hostKey = (settings.wrongKey ? newKeyPair() : place.hostKey).private;
    await place.run(`
      ${stop}
      echo ${quote(hostKey)} > /etc/ssh/ssh_host_ed25519_key
      echo ${quote(this.config())} > /etc/ssh/sshd_config
      ${settings.nofile === undefined ? "" : `ulimit -n ${settings.nofile}`}
      /usr/sbin/sshd -f /etc/ssh/sshd_config -E ${log} || exit
      ${listening}`);
    if (settings.delayMs > 0) {
      await this.startRelay();
    }
  }

  logins(): number {
    try {
      return (
        readFileSync(join(this.place.root, log), "utf8").match(/^Accepted (publickey|password) for /gm)?.length ?? 0
      );
    } catch {
      return 0;
    }
  }

  private config(): string {
    const { place, settings } = this;
    const environment = Object.entries(settings.environment).map(
      ([name, value]) => `${name}=${quote(value).replaceAll("'", '"')}`,
    );
    return [
      `ListenAddress ${settings.delayMs > 0 ? "127.0.0.1" : "0.0.0.0"}`,
      "HostKey /etc/ssh/ssh_host_ed25519_key",
      "PidFile /run/sshd.pid",
      "LogLevel VERBOSE",
      "UseDNS no",
      `PasswordAuthentication ${place.allowsPassword ? "yes" : "no"}`,
      "KbdInteractiveAuthentication no",
      `MaxSessions ${place.maxSessions}`,
      "AcceptEnv LANG LC_*",
      "PrintMotd no",
      "Subsystem sftp internal-sftp",
      ...(environment.length > 0 ? [`SetEnv ${environment.join(" ")}`] : []),
      ...(settings.refusesAuth ? ["DenyUsers *"] : []),
      "",
    ].join("\n");
  }

  private async startRelay(): Promise<void> {
    const { place, settings } = this;
    const program = [process.execPath, join(__dirname, "..", "relay.js")];
    // In the host's network, and among its processes so that it dies with them, but with this machine's files.
    const enter = ["-t", String(place.init()), "--net", "--pid", "--", ...program];
    const relay = spawn("nsenter", [...enter, place.address, "127.0.0.1", "22", String(settings.delayMs)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await Promise.race([
      once(relay.stdout, "data"),
      once(relay, "exit").then(() => Promise.reject(new Error(`The relay of ${place.address} did not start`))),
    ]);
    relay.unref();
    this.relay = relay;
  }
}
