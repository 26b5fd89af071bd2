import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { BuiltRelease } from "../../simulator/release.js";

/** Somebody who upgrades a running cluster to a release. */
export interface Contender {
  readonly name: string;
  /** What is not as in the wild, for the table's notes. */
  readonly note: string;
  /** Why it cannot be had here. */
  readonly missing?: string;
  prepare?(release: BuiltRelease): Promise<void>;
  upgrade(release: BuiltRelease): Promise<Ended>;
}

export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program of this machine to its end. */
export const runHere = async (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { exitCode: Number(code ?? 1), output: `${stdout}${stderr}` };
};
