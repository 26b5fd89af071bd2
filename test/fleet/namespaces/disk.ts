import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

/** A host's disk: `root` is its `/`; `usr` and `etc` hold what differs from this machine's (`work` is overlayfs's). */
export const makeDisk = async (folder: string, content: DiskContent): Promise<void> => {
  const root = join(folder, "root");
  const make = async (path: string, mode = 0o755) => mkdir(join(root, path), { recursive: true, mode });
  for (const path of ["usr", "etc/ssh", "work/usr", "work/etc"]) {
    await mkdir(join(folder, path), { recursive: true });
  }
  // With the modes that sshd insists on for everything above `authorized_keys`.
  await make("");
  await Promise.all("usr proc sys dev run etc opt srv mnt home var/log var/lib".split(" ").map((path) => make(path)));
  // A Node of root (nvm, the matrix) lies below it, and is run by all.
  await make("root", 0o711);
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
  await Promise.all([writeEtc(join(folder, "etc"), content), writeLogins(root, content)]);
};

const writeEtc = async (etc: string, content: DiskContent): Promise<void> => {
  const { name, user, password, sudo, neighbours, hostKey } = content;
  // "*" is no password but, unlike "!", no lock either: keys still log in.
  const hash = password === undefined ? "*" : await hashed(password);
  const rule = {
    none: "",
    passwordless: `${user} ALL=(ALL:ALL) NOPASSWD: ALL\n`,
    password: `${user} ALL=(ALL:ALL) ALL\n`,
  };
  await Promise.all([
    writeAccount(etc, "passwd", user, `${user}:x:${uid}:${uid}::/home/${user}:/bin/bash`),
    writeAccount(etc, "group", user, `${user}:x:${uid}:`),
    writeAccount(etc, "shadow", user, `${user}:${hash}:19000:0:99999:7:::`),
    writeFile(join(etc, "sudoers"), `${sudoDefaults}root ALL=(ALL:ALL) ALL\n${rule[sudo]}`, { mode: 0o440 }),
    writeFile(join(etc, "fleet-environment"), ""),
    writeFile(join(etc, "hostname"), `${name}\n`),
    writeFile(join(etc, "hosts"), `127.0.0.1 localhost\n${neighbours.join("\n")}\n`),
    // No name server: unknown names fail at once.
    writeFile(join(etc, "resolv.conf"), ""),
    writeFile(join(etc, "ssh/ssh_host_ed25519_key"), hostKey.private, { mode: 0o600 }),
  ]);
};

/** The variables in this file reach every command of sudo: see `clock.ts`. */
const sudoDefaults = "Defaults env_file=/etc/fleet-environment\n";

const hashed = async (password: string): Promise<string> =>
  commandOrThrow("perl", ["-e", "print crypt(<STDIN>, '$6$fleet')"], { stdin: password });

/** This machine's accounts and one more, which replaces one of the same name or number. */
const writeAccount = async (etc: string, file: string, user: string, line: string): Promise<void> => {
  const lines = (await readFile(join("/etc", file), "utf8")).trimEnd().split("\n");
  const kept = lines.filter((old) => {
    const [name, , number] = old.split(":");
    return name !== user && (file === "shadow" || number !== String(uid));
  });
  await writeFile(join(etc, file), `${[...kept, line].join("\n")}\n`, { mode: file === "shadow" ? 0o640 : 0o644 });
};

const writeLogins = async (root: string, { user, publicKeys }: DiskContent): Promise<void> => {
  for (const home of ["root", `home/${user}`]) {
    const folder = join(root, home, ".ssh");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, "authorized_keys"), `${publicKeys.join("\n")}\n`, { mode: 0o600 });
  }
  await commandOrThrow("chown", ["-R", `${uid}:${uid}`, join(root, "home", user)]);
};
