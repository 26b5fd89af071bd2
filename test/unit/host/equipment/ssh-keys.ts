import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeExit } from "./cleanup.js";

export interface KeyPair {
  readonly path: string;
  readonly private: string;
  /** `ssh-ed25519 AAAA…`, without comment. */
  readonly public: string;
  readonly fingerprint: string;
}

/** A folder under the system's temporary folder that goes with the test process at the latest. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "starrocks-host-"));
  beforeExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export const keyPair = (folder: string, name: string, type = "ed25519", passphrase = ""): KeyPair => {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path]);
  const publicKey = readFileSync(`${path}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  const [, fingerprint = ""] = execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" }).split(" ");
  return { path, private: readFileSync(path, "utf8"), public: publicKey, fingerprint };
};
