import { writeFile } from "node:fs/promises";
import ssh2 from "ssh2";
import type { Key } from "./types.js";

export interface KeyPair {
  readonly private: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string;
}

export const newKeyPair = (): KeyPair => ssh2.utils.generateKeyPairSync("ed25519");

/** Writes both halves as `ssh-keygen` would: `ssh` and `ssh-add` refuse a private key that others may read. */
export const writeKey = async (path: string, passphrase?: string): Promise<{ key: Key; publicKey: string }> => {
  const pair =
    passphrase === undefined
      ? newKeyPair()
      : ssh2.utils.generateKeyPairSync("ed25519", { passphrase, cipher: "aes256-ctr", rounds: 1 });
  await writeFile(path, pair.private, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${pair.public}\n`);
  return { key: { path, content: pair.private }, publicKey: pair.public };
};

export const knownHostsLine = (address: string, port: number, publicKey: string): string =>
  `${port === 22 ? address : `[${address}]:${port}`} ${publicKey}\n`;
