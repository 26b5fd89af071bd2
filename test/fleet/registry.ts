import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { killTagged, startTime } from "./processes.js";

/** What a fleet leaves on the machine when its process is killed without a chance to clean up. */
export interface Leftovers {
  readonly pid: number;
  readonly started: string;
  readonly folder: string;
  /** Tag of its processes. (Those of `namespaces` die with their owner, they need none.) */
  readonly tag: string;
  /** Network interfaces. (Cables vanish with their hosts, but the kernel takes its time.) */
  readonly interfaces: readonly string[];
}

export const registryFolder = join(tmpdir(), `pulumi-starrocks-fleets-${userInfo().uid}`);

/** Notes a fleet on disk; gives the function that takes the note away. */
export const register = (name: string, leftovers: Omit<Leftovers, "pid" | "started">): (() => void) => {
  mkdirSync(registryFolder, { recursive: true, mode: 0o700 });
  const file = join(registryFolder, `${name}.json`);
  const note: Leftovers = { pid: process.pid, started: startTime(process.pid) ?? "", ...leftovers };
  writeFileSync(file, JSON.stringify(note));
  return () => rmSync(file, { force: true });
};

/** Removes what fleets of dead processes have left. Every step may be done by two sweepers at once. */
export const sweep = (): void => {
  for (const name of names()) {
    const file = join(registryFolder, name);
    const note = read(file);
    if (note && startTime(note.pid) !== note.started) {
      clear(note);
      rmSync(file, { force: true });
    }
  }
};

/** Must not wait for anything: it also runs while the process exits. */
export const clear = ({ tag, interfaces, folder }: Pick<Leftovers, "tag" | "interfaces" | "folder">): void => {
  killTagged(tag);
  if (interfaces.length > 0) {
    const lines = interfaces.map((name) => `link delete ${name}\n`);
    // Some are gone already: with `-force` it goes on.
    spawnSync("ip", ["-force", "-batch", "-"], { input: lines.join(""), stdio: ["pipe", "ignore", "ignore"] });
  }
  // Sealed releases are read-only, which only root may disregard.
  spawnSync("chmod", ["-R", "u+w", folder], { stdio: "ignore" });
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
};

const names = (): string[] => {
  try {
    return readdirSync(registryFolder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
};

const read = (file: string): Leftovers | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Another sweeper was faster, or the file is being written.
    return undefined;
  }
};
