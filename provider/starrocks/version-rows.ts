// What differs from version to version in how nodes are stopped, started and switched, as rows: each holds from its version
// on, until the next one of its subject. The code reads these rows, and docs/versions.md shows them.

export interface VersionRow<V> {
  /** The first release for which it holds; `0.0.0`: all before the next row. */
  readonly since: string;
  readonly value: V;
  /** For people. */
  readonly text: string;
  /** Where it is from: StarRocks' docs, release notes or scripts. */
  readonly source: string;
}

/** Flags of `stop_fe.sh` that are there and good. */
export const feStop: readonly VersionRow<{ readonly graceful: boolean; readonly timeout: boolean }>[] = [
  {
    since: "0.0.0",
    value: { graceful: false, timeout: false },
    text: "`stop_fe.sh` without flags: a SIGTERM; scripts up to 3.3 ignore all flags.",
    source: "bin/stop_fe.sh",
  },
  {
    since: "3.4.2",
    value: { graceful: true, timeout: true },
    text: "`stop_fe.sh --graceful`: the FE hands leadership over and lets connections drain.",
    source: "bin/stop_fe.sh",
  },
];

/**
 * What `stop_be.sh -g` does: `none` is a SIGKILL whatever the flag; `orderly` is a SIGTERM that shuts down at once (3.1 to
 * 3.3, where the FE may hold a node that drains longer for dead); `drains` waits up to 20 s for running queries (3.4).
 *
 * From the first version that knows it on, though StarRocks' operator passes it only from 3.3.19, 3.4.8 and 3.5.6 on: an
 * earlier patch may end badly by it, or hang, but then it is killed at `limits.stop`, which is what the plain stop is.
 */
export type BeGraceful = "none" | "orderly" | "drains";

/** Flags of `stop_be.sh` that are there and good. */
export const beStop: readonly VersionRow<{ readonly graceful: BeGraceful; readonly timeout: boolean }>[] = [
  {
    since: "0.0.0",
    value: { graceful: "none", timeout: false },
    text: "`stop_be.sh` without flags: a SIGKILL, whatever the flags.",
    source: "bin/stop_be.sh",
  },
  {
    since: "3.1.0",
    value: { graceful: "orderly", timeout: false },
    text: "`stop_be.sh --graceful`: a SIGTERM, on which the BE shuts down at once; never told to drain, as FEs may take it for dead after 15 s.",
    source: "bin/stop_be.sh; graceful_exit.md",
  },
  {
    since: "3.4.0",
    value: { graceful: "drains", timeout: true },
    text: "`stop_be.sh --graceful`: the BE waits for running queries (`loop_count_wait_fragments_finish`).",
    source: "bin/stop_be.sh; graceful_exit.md",
  },
];

/** `stop_cn.sh --timeout <seconds>`; `-g` is that of `stop_be.sh`. */
export const cnStopTimeout: readonly VersionRow<boolean>[] = [
  {
    since: "0.0.0",
    value: false,
    text: "`stop_cn.sh` returns before the process is gone, and knows no `--timeout`.",
    source: "bin/stop_cn.sh",
  },
  {
    since: "3.5.0",
    value: true,
    text: "`stop_cn.sh` waits for the process, as long as its `--timeout`.",
    source: "bin/stop_cn.sh",
  },
];

/** How many tablets are repaired at once. */
export const schedulingLimit = "max_scheduling_tablets";

const balance = { disable_balance: "true", disable_colocate_balance: "true" } as const;

/**
 * What keeps tablets where they are while nodes restart. The names are those of 2.x, which all lines take: later ones have
 * them for aliases.
 */
export const pausing: readonly VersionRow<Readonly<Record<string, string>>>[] = [
  {
    since: "0.0.0",
    value: { ...balance, max_balancing_tablets: "0", [schedulingLimit]: "0" },
    text: "Balancing and clones are paused: `disable_balance`, `disable_colocate_balance`, `max_balancing_tablets` and `max_scheduling_tablets`, as each restart would set off clones.",
    source: "upgrade.md, disable tablet clone",
  },
  {
    since: "3.1.0",
    value: balance,
    text:
      "Only balancing is paused: `disable_balance` and `disable_colocate_balance` (aliases of `tablet_sched_…`), as a missing BE is waited for and a scheduling limit of 0 " +
      "would throttle the repair of replicas that missed writes.",
    source: "upgrade.md",
  },
];

/** Which Java an FE takes: the start script's own check, and the lines it is used with. */
export interface Jdk {
  /** Single major versions that fit. */
  readonly also: readonly number[];
  /** From this one on all fit. */
  readonly from: number;
  /** Best first. */
  readonly preferred: readonly number[];
  /** A plain JRE is rejected by the script. */
  readonly compiler: boolean;
  /** For messages: `JDK 17 or newer`. */
  readonly name: string;
}

export const jdks: readonly VersionRow<Jdk>[] = [
  {
    since: "0.0.0",
    value: { also: [8, 11], from: Number.POSITIVE_INFINITY, preferred: [8, 11], compiler: true, name: "JDK 8 or 11" },
    text: "JDK 8 or 11: the JAVA_OPTS of these lines ask for collectors that JDK 14 removed.",
    source: "bin/start_fe.sh",
  },
  {
    since: "2.5.0",
    value: { also: [8], from: 11, preferred: [11, 8, 17], compiler: true, name: "JDK 8, 11 or newer" },
    text: "JDK 8, or 11 and newer: 3.1's script refuses 9 and 10; 11 is recommended.",
    source: "bin/start_fe.sh; docs, prerequisites",
  },
  {
    since: "3.3.0",
    value: { also: [], from: 11, preferred: [11, 17], compiler: true, name: "JDK 11 or newer" },
    text: "JDK 11 or newer, with its compiler.",
    source: "release-3.3.md; bin/start_fe.sh",
  },
  {
    since: "3.4.0",
    value: { also: [], from: 11, preferred: [11, 17], compiler: false, name: "JDK 11 or newer" },
    text: "JDK 11 or newer; a JRE does.",
    source: "bin/start_fe.sh",
  },
  {
    since: "3.5.0",
    value: { also: [], from: 17, preferred: [17, 21], compiler: false, name: "JDK 17 or newer" },
    text: "JDK 17 or newer.",
    source: "release-3.5.md; bin/start_fe.sh",
  },
];

/** Folders of a release's part that are replaced along with `bin` and `lib`; some exist in some releases only. */
export const replaced = { fe: ["webroot", "spark-dpp", "hive-udf"], be: ["www"] } as const;

const fileSets: readonly VersionRow<typeof replaced>[] = [
  {
    since: "0.0.0",
    value: replaced,
    text:
      "The whole part is replaced, for patches too: `bin`, `lib`, `webroot`, `spark-dpp` and `hive-udf` of an FE; `bin`, `lib` and `www` of a BE or CN. " +
      "`conf`, and what a node keeps in `lib` (`udf`, `small_file`, …), stay the node's own.",
    source: "upgrade.md",
  },
];

/** All subjects, for the page that shows them. */
export const versionRows: Readonly<Record<string, readonly VersionRow<unknown>[]>> = {
  "stop of an FE": feStop,
  "stop of a BE": beStop,
  "stop of a CN": cnStopTimeout,
  "balancing during a change": pausing,
  "Java of an FE": jdks,
  "files of a change": fileSets,
};
