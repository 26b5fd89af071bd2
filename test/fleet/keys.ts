import { writeFile } from "node:fs/promises";
import ssh2 from "ssh2";
import type { Key } from "./types.js";

export interface KeyPair {
  readonly private: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string;
}

/** One in 256 of the keys that ssh2 makes (1.17) lacks a leading zero byte and cannot be read; those are thrown away. */
export const newKeyPair = (passphrase?: string): KeyPair => {
  for (;;) {
    const pair =
      passphrase === undefined
        ? ssh2.utils.generateKeyPairSync("ed25519")
        : ssh2.utils.generateKeyPairSync("ed25519", { passphrase, cipher: "aes256-ctr", rounds: 1 });
    if (!(ssh2.utils.parseKey(pair.public) instanceof Error)) {
      return pair;
    }
  }
};

/** Writes both halves as `ssh-keygen` would: `ssh` and `ssh-add` refuse a private key that others may read. */
export const writeKey = async (path: string, passphrase?: string): Promise<{ key: Key; publicKey: string }> => {
  const pair = newKeyPair(passphrase);
  await writeFile(path, pair.private, { mode: 0o600 });
  await writeFile(`${path}.pub`, `${pair.public}\n`);
  return { key: { path, content: pair.private }, publicKey: pair.public };
};

export const knownHostsLine = (address: string, port: number, publicKey: string): string =>
  `${port === 22 ? address : `[${address}]:${port}`} ${publicKey}\n`;
