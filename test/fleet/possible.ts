import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetKind } from "./types.js";

let answer: { readonly reason: string | undefined } | undefined;

/** Why this machine cannot have a `namespaces` fleet, or undefined when it can. Tried once per process. */
export const namespacesPossible = (): string | undefined => {
  answer ??= { reason: tryNamespaces() };
  return answer.reason;
};

/** Hosts with a kernel network namespace and an sshd each, where this machine can have them. */
export const realHosts = (): FleetKind => (namespacesPossible() === undefined ? "namespaces" : "loopback");

const programs = [
  ["/usr/sbin/sshd", "openssh-server"],
  ["/usr/bin/unshare", "util-linux"],
  ["/usr/bin/nsenter", "util-linux"],
  ["/usr/bin/perl", "perl-base"],
] as const;

const tryNamespaces = (): string | undefined => {
  if (process.platform !== "linux") {
    return `namespaces are Linux's, this is ${process.platform}`;
  }
  if (process.getuid?.() !== 0) {
    return "namespaces need root";
  }
  for (const [path, debianPackage] of programs) {
    if (!existsSync(path)) {
      return `${path} is missing (Debian package ${debianPackage})`;
    }
  }
  if (spawnSync("ip", ["-V"]).error) {
    return "ip is missing (Debian package iproute2)";
  }
  return tryMounts();
};

/** In a container without the rights, or with a disk that overlayfs cannot write to, one of these says so. */
const tryMounts = (): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-probe-"));
  for (const name of ["upper", "work", "usr"]) {
    mkdirSync(join(folder, name));
  }
  const script = [
    "ip link add probe0 type bridge",
    "ip link add probe1 type veth peer name probe2",
    `mount -t overlay overlay -o lowerdir=/usr,upperdir=${folder}/upper,workdir=${folder}/work ${folder}/usr`,
    // A file system that overlayfs accepts only half makes the mount read-only.
    `touch ${folder}/usr/probe`,
    "mount -t proc proc /proc",
  ].join(" && ");
  try {
    execFileSync("unshare", ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "bash", "-c", script], {
      stdio: "pipe",
    });
    return undefined;
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    return `this machine does not allow what a host needs: ${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
