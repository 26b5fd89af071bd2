export type FleetKind = "namespaces" | "loopback";

/** What `sudo` does for the login user: not allowed, allowed without a password, or only with one (`FleetOptions.password`). */
export type SudoKind = "none" | "passwordless" | "password";

export interface FleetOptions {
  /** `namespaces`: real hosts in miniature (root on Linux). `loopback`: ssh2 servers, for any user. */
  readonly kind: FleetKind;
  /** How many hosts (`host1`, `host2` …), or their names. */
  readonly hosts: number | readonly string[];
  /** The login user. Default `starrocks`. On `namespaces`, `root` can log in with the same key as well. */
  readonly user?: string;
  /** The login user's password, for SSH and for sudo. Default: none, keys only. */
  readonly password?: string;
  /** Default `passwordless`. */
  readonly sudo?: SudoKind;
  /** Folders made on every host and given to the login user. Default `/opt/starrocks`, `/data`, `/disk1`, `/disk2`. */
  readonly folders?: readonly string[];
  /** Folders of the hosts on a file system of their own, with its size: `{ "/opt": "64m" }`. Only `namespaces`. */
  readonly smallDisks?: Readonly<Record<string, string>>;
  /** Open files a session may have (`ulimit -n`), soft and hard. Default: what this process has. */
  readonly nofile?: number;
  /** Sessions that one SSH connection may have at a time. Default 10, as OpenSSH's. */
  readonly maxSessions?: number;
  /**
   * Folders of this machine that the hosts of a `namespaces` fleet see read-only at the same path. Always there: `/usr`
   * and `/etc` (copy on write), and the folder of the Node that runs the tests. (Hosts of a `loopback` fleet see the whole machine.)
   */
  readonly visible?: readonly string[];
  /** Only `loopback`: all hosts at 127.0.0.1, as on a system that has no other loopback address. */
  readonly oneAddress?: boolean;
  /** Where the hosts' disks are made: a folder that exists. Default `os.tmpdir()`. */
  readonly directory?: string;
}

export interface Fleet {
  readonly kind: FleetKind;
  readonly hosts: readonly Host[];
  /** The hosts' addresses, in order. All are the same when `oneAddress`. */
  readonly addresses: readonly string[];
  /** This machine has only one loopback address (macOS): hosts differ by their SSH port only. */
  readonly oneAddress: boolean;
  readonly user: string;
  /** File with the host keys of all hosts as they were at creation. */
  readonly knownHosts: string;
  /** The login key, without a passphrase. */
  readonly key: Key;
  /** Another key that logs in, encrypted with `passphrase`. */
  readonly encryptedKey: Key & { readonly passphrase: string };
  /** A folder of the fleet for the test's own files (programs, releases): gone with the fleet. */
  readonly scratch: string;
  /** The host of this name; throws when there is none. */
  host(name: string): Host;
  /** A value for the `connection` argument of the package. */
  connection(host: Host, auth?: AuthKind): FleetConnection;
  /** Starts an ssh-agent that holds `key` and gives its socket. It ends with the fleet. */
  startAgent(): Promise<string>;
  /** How many times somebody logged in by SSH since creation or the last reset: on this host, or on all. */
  handshakes(host?: Host): number;
  resetHandshakes(): void;
  /** Ends every process and removes every namespace, mount and folder. Safe to call twice. */
  close(): Promise<void>;
}

export type AuthKind = "key" | "encryptedKey" | "agent" | "password";

export interface Key {
  /** Path of the private key; the public one is beside it (`.pub`). */
  readonly path: string;
  /** Content of the private key. */
  readonly content: string;
}

/** Field names of `@pulumi/command`, and `knownHosts`. */
export interface FleetConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly knownHosts: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  readonly password?: string;
}

export interface HostProcess {
  /** As the host's own `ps` shows it. */
  readonly pid: number;
  readonly uid: number;
  /** Arguments joined by spaces. */
  readonly command: string;
}

export interface ExecOptions {
  /** Default `root` on `namespaces`. Ignored on `loopback`, where everybody is the user who runs the tests. */
  readonly user?: string;
  readonly stdin?: string | Buffer;
}

export interface ExecResult {
  /** 128 + signal number when it was killed, as a shell says. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One machine. Everything here works beside SSH, so a test sees the truth while SSH is broken. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly port: number;

  /** The path of this machine for a path of the host: itself on `namespaces`, below the host's root folder on `loopback`. */
  path(path: string): string;
  /** Runs a bash command. Never throws for an exit code. */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
  /** Takes the host's paths (as `path` takes them). Undefined when there is no such file. */
  readFile(path: string): Promise<string | undefined>;
  /** Makes missing folders. On `namespaces`, what it makes belongs to the login user. */
  writeFile(path: string, content: string | Buffer, options?: { readonly mode?: number }): Promise<void>;
  /** Processes that run on the host, without those that make the host itself (init, sshd). */
  processes(): Promise<readonly HostProcess[]>;
  /** Whether the process of this machine with this pid is one of the host's. Linux only. */
  runs(pid: number): boolean;
  /** Signals the process of this pid, or all whose command contains the text or matches; gives how many. Default `SIGKILL`. */
  kill(which: number | string | RegExp, signal?: NodeJS.Signals): Promise<number>;
  /** Puts a program first in the PATH of the host's sessions; gives what takes it away again. */
  addProgram(name: string, script: string): Promise<() => Promise<void>>;
  /** Afterwards no PATH of the host's sessions has this program. */
  removeProgram(name: string): Promise<void>;

  /** Packets vanish: no reset, no refusal, connections hang. On `loopback` only those of SSH. */
  cutNetwork(): Promise<void>;
  restoreNetwork(): Promise<void>;
  /** Nobody listens on the SSH port; sessions that are open go on. */
  refuseSsh(): Promise<void>;
  acceptSsh(): Promise<void>;
  /** The server answers and lets nobody in. */
  refuseAuth(): Promise<void>;
  acceptAuth(): Promise<void>;
  /** The server shows another host key than `knownHosts` has. */
  wrongHostKey(): Promise<void>;
  restoreHostKey(): Promise<void>;
  /** Every process dies at once by SIGKILL, connections are lost without a word, the disk stays. */
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
  /** `powerOff`, then `powerOn`. */
  reboot(): Promise<void>;
  /** Slows SSH down; what is left out is at full speed again. */
  slow(how: Slowness): Promise<void>;
  /** Fills one of `smallDisks`. Throws on `loopback`. */
  fillDisk(path: string): Promise<void>;
  freeDisk(path: string): Promise<void>;
  /**
   * Moves the clock that programs started from now on see; 0 puts it right.
   * Limits: `namespaces/clock.ts`, `loopback/programs.ts`.
   */
  clockOffset(ms: number): Promise<void>;
  /** For sessions from now on. */
  limits(limits: { readonly nofile: number }): Promise<void>;
}

export interface Slowness {
  /** Added to each direction. For connections made from now on. */
  readonly delayMs?: number;
  /** Bytes per second, each direction. */
  readonly rate?: number;
}
