import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { FleetConnection } from "../../fleet/types.js";

export interface Scp {
  readonly connection: FleetConnection;
  /** Path of the private key. */
  readonly key: string;
}

const run = async (program: string, args: readonly string[]): Promise<string> => {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) {
    throw new Error(`${program} ended with ${code}: ${stderr}`);
  }
  return stdout;
};

/** Copies a file with OpenSSH's own scp; gives the seconds. */
export const copy = async ({ connection, key }: Scp, cipher: string, from: string, to: string): Promise<number> => {
  const { host, knownHosts, port, user } = connection;
  const options = [`UserKnownHostsFile=${knownHosts}`, "BatchMode=yes", "IdentitiesOnly=yes", "Compression=no"];
  const started = performance.now();
  await run("scp", [
    ...["-q", "-F", "none", "-i", key, "-P", String(port), "-c", cipher],
    ...options.flatMap((option) => ["-o", option]),
    ...[from, `${user}@${host}:${to}`],
  ]);
  return (performance.now() - started) / 1000;
};

/** The cipher with which scp is fastest here, of those that this server takes. */
export const fastestCipher = async (scp: Scp, sample: string, folder: string): Promise<string> => {
  const ciphers = (await run("ssh", ["-Q", "cipher"])).trim().split("\n");
  let best = { cipher: "", seconds: Number.POSITIVE_INFINITY };
  for (const cipher of ciphers) {
    const seconds = await copy(scp, cipher, sample, join(folder, "sample")).catch(() => Number.POSITIVE_INFINITY);
    best = seconds < best.seconds ? { cipher, seconds } : best;
  }
  if (best.cipher === "") {
    throw new Error(`scp copies with none of ${ciphers.join(", ")}`);
  }
  return best.cipher;
};
