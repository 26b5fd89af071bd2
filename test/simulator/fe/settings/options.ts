import fs from "node:fs";
import path from "node:path";

/**
 * Everything that takes time, and a few habits. The defaults are a real FE's, except for the start of the process.
 * Set by build.json `options`, `$STARROCKS_HOME/sim/options.json`, the file in STARROCKS_SIM_FILE, or STARROCKS_SIM (JSON), last wins.
 */
export const defaultOptions = {
  /** From exec to the first log line (a real one: 2 s). */
  jvmStartMs: 60,
  /** Between the thrift and MySQL ports and the HTTP port, which opens last (real: 0.2–0.8 s). */
  httpDelayMs: 40,
  heartbeatIntervalMs: 5000,
  /** Bad rounds until a node is dead; 2.0 needs one whatever is said here. */
  heartbeatMisses: 4,
  heartbeatTimeoutMs: 3000,
  /** A silent peer of the group is noticed after this. */
  bdbHeartbeatTimeoutMs: 30_000,
  /** From a broken connection to the leader until a new one can write, about. */
  electionMs: 700,
  /** How much longer an election takes when the old leader fell silent. */
  silentElectionMs: 10_000,
  exitWithoutQuorumMs: 43_000,
  /** How long a leader without majority still answers. */
  hangWithoutQuorumMs: 1500,
  helperRetryMs: 5000,
  checkpointIntervalMs: 60_000,
  maxClockDeltaMs: 5000,
  detachedRoundMs: 15_000,
  detachedRounds: 3,
  readyLogMs: 2000,
  readyHintMs: 60_000,
  pidLockRetryMs: 10_000,
  /** SIGTERM to exit. */
  stopMs: 100,
  /** SIGUSR1: shortest stay after the leadership moved (`min_graceful_exit_time_second`). */
  gracefulMinMs: 15_000,
  tabletCheckerMs: 20_000,
  /** With `tablet_sched_max_scheduling_tablets` = 0 one repair per this time. */
  repairTrickleMs: 120_000,
  /** Repair delay of a missing replica; one that only missed a version is repaired at once. */
  repairDelayMs: 60_000,
  balanceMs: 30_000,
  decommissionCheckMs: 10_000,
  /** An ALTER TABLE that rewrites data takes at least this. */
  schemaChangeMs: 10_000,
  dataTimeoutMs: 5000,
  /** Tables of `_statistics_`, made as soon as a backend lives (real: 19 tablets); 0 for none. */
  statisticsTables: 3,
  /** Bytes that must be free on the disk of the metadata from 3.3 on, JE's FREE_DISK: less, and the FE does not start. */
  metaFreeBytes: 5 * 1024 ** 3,
  /** Added to this FE's clock in the group's handshakes. */
  clockSkewMs: 0,
  /** Die like a real one of an unknown operation type, instead of only recording the crime. */
  dieOnNewerJournal: false,
};

export type Options = typeof defaultOptions;

const readJson = (file: string): Partial<Options> => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return {};
    }
    throw error;
  }
};

export const readOptions = (home: string, env: NodeJS.ProcessEnv, ofBuild: Partial<Options> = {}): Options => ({
  ...defaultOptions,
  ...ofBuild,
  ...readJson(path.join(home, "sim", "options.json")),
  ...(env.STARROCKS_SIM_FILE === undefined ? {} : readJson(env.STARROCKS_SIM_FILE)),
  ...JSON.parse(env.STARROCKS_SIM ?? "{}"),
});
