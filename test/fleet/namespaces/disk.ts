import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { commandOrThrow } from "../command.js";
import type { KeyPair } from "../keys.js";
import type { SudoKind } from "../types.js";

export interface DiskContent {
  readonly name: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly sudo: SudoKind;
  /** Public keys that may log in. */
  readonly publicKeys: readonly string[];
  readonly hostKey: KeyPair;
  /** Lines for `/etc/hosts`. */
  readonly neighbours: readonly string[];
}

const uid = 2001;

/** A host's disk: `root` is its `/`; `usr` holds what differs from this machine's `/usr` (`work` is overlayfs's). */
export const makeDisk = async (folder: string, content: DiskContent): Promise<void> => {
  const root = join(folder, "root");
  const make = async (path: string, mode = 0o755) => mkdir(join(root, path), { recursive: true, mode });
  await Promise.all([
    mkdir(join(folder, "usr"), { recursive: true }),
    mkdir(join(folder, "work"), { recursive: true }),
  ]);
  // In order of depth, and with the modes that sshd insists on for everything above `authorized_keys`.
  for (const path of [
    "",
    "usr",
    "proc",
    "sys",
    "dev",
    "run",
    "etc",
    "opt",
    "srv",
    "mnt",
    "home",
    "var",
    "var/log",
    "var/lib",
  ]) {
    await make(path);
  }
  await make("root", 0o700);
  await commandOrThrow("mkdir", ["-m", "1777", join(root, "tmp"), join(root, "var/tmp")]);
  await Promise.all(
    [
      ["bin", "usr/bin"],
      ["sbin", "usr/sbin"],
      ["lib", "usr/lib"],
      ["lib64", "usr/lib64"],
      ["var/run", "/run"],
    ].map(async ([path = "", target = ""]) => symlink(target, join(root, path))),
  );
  await commandOrThrow("cp", ["-a", "--reflink=auto", "/etc/.", join(root, "etc")]);
  await Promise.all([writeAccounts(root, content), writeSystem(root, content)]);
  await writeLogins(root, content);
};

const writeAccounts = async (root: string, { user, password, sudo }: DiskContent): Promise<void> => {
  // "*" is no password but, unlike "!", no lock either: keys still log in.
  const hash =
    password === undefined
      ? "*"
      : await commandOrThrow("perl", ["-e", "print crypt(<STDIN>, '$6$fleet')"], { stdin: password });
  await replaceLine(root, "passwd", user, `${user}:x:${uid}:${uid}::/home/${user}:/bin/bash`);
  await replaceLine(root, "group", user, `${user}:x:${uid}:`);
  await replaceLine(root, "shadow", user, `${user}:${hash}:19000:0:99999:7:::`);
  const rule = {
    none: "",
    passwordless: `${user} ALL=(ALL:ALL) NOPASSWD: ALL\n`,
    password: `${user} ALL=(ALL:ALL) ALL\n`,
  };
  await mkdir(join(root, "etc/sudoers.d"), { recursive: true });
  await writeFile(
    join(root, "etc/sudoers"),
    `Defaults env_file=/etc/fleet-environment\nroot ALL=(ALL:ALL) ALL\n${rule[sudo]}`,
    { mode: 0o440 },
  );
};

/** Puts a user's line into an account file, and takes out those of a user of this machine with the same name or number. */
const replaceLine = async (root: string, file: string, user: string, line: string): Promise<void> => {
  const path = join(root, "etc", file);
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  const kept = lines.filter((old) => {
    const [name, , number] = old.split(":");
    return name !== user && (file === "shadow" || number !== String(uid));
  });
  await writeFile(path, `${[...kept, line].join("\n")}\n`);
};

const writeSystem = async (root: string, { name, neighbours }: DiskContent): Promise<void> => {
  await Promise.all([
    writeFile(join(root, "etc/hostname"), `${name}\n`),
    writeFile(join(root, "etc/hosts"), `127.0.0.1 localhost\n${neighbours.join("\n")}\n`),
    // No name server: unknown names fail at once.
    commandOrThrow("rm", ["-f", join(root, "etc/resolv.conf")]),
    writeFile(join(root, "etc/fleet-environment"), ""),
  ]);
};

const writeLogins = async (root: string, { user, publicKeys, hostKey }: DiskContent): Promise<void> => {
  await commandOrThrow("rm", ["-rf", join(root, "etc/ssh")]);
  const keys = `${publicKeys.join("\n")}\n`;
  const files = [
    ["etc/ssh/ssh_host_ed25519_key", hostKey.private],
    ["root/.ssh/authorized_keys", keys],
    [`home/${user}/.ssh/authorized_keys`, keys],
  ] as const;
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o600 });
  }
  await commandOrThrow("chown", ["-R", `${uid}:${uid}`, join(root, "home", user)]);
};
