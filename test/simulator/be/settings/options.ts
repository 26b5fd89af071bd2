import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Times, and what a test machine cannot give. Set by build.json, `sim/options.json`, STARROCKS_SIM; the last wins. */
export const defaultOptions = {
  /** From exec to the storage engine (a real one: as long as its tablets take to load). */
  startDelayMs: 200,
  /** SIGTERM to the first exit step: the real main loop looks once a second. */
  stopDelayMs: 200,
  /** One round of waiting for running fragments. */
  fragmentWaitMs: 10_000,
  /** Disks are reported to the leader at the first heartbeat and then each. */
  reportIntervalMs: 60_000,
  /** How long another BE may take to hand over a tablet. */
  cloneTimeoutMs: 10_000,
  /** What `ulimit -n` is taken for, on machines that cannot raise it to the 60000 that a BE wants; 0: ask the kernel. */
  openFilesLimit: 0,
};

export type BackendOptions = typeof defaultOptions;

const readJson = (file: string): Partial<BackendOptions> => {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return {};
    }
    throw error;
  }
};

export const readOptions = (
  home: string,
  env: NodeJS.ProcessEnv,
  ofBuild: Partial<BackendOptions>,
): BackendOptions => ({
  ...defaultOptions,
  ...ofBuild,
  ...readJson(join(home, "sim", "options.json")),
  ...JSON.parse(env.STARROCKS_SIM ?? "{}"),
});
