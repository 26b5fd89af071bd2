/** What differs between StarRocks lines, as far as a frontend shows it (starrocks-facts.md §4–§8). */

type Line = readonly [major: number, minor: number, patch: number];

const parse = (version: string): Line => {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  return [major, minor || 0, patch || 0];
};

const compare = (a: Line, b: Line): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

export interface Features {
  readonly isMasterColumn: boolean;
  readonly frontendIdColumn: boolean;
  readonly backendClusterColumn: boolean;
  readonly cpuCoresColumn: boolean;
  readonly loadColumns: boolean;
  readonly memLimitColumns: boolean;
  readonly statusCode: boolean;
  readonly errorStateColumn: boolean;
  readonly aliasNames: boolean;
  readonly leaderWord: "LEADER" | "MASTER";
  readonly catalogWord: "globalStateMgr" | "catalog";
  readonly runMode: boolean;
  readonly hostType: boolean;
  /** `/api/bootstrap` says `code` and `message` too, and `heapUsedPercent`. */
  readonly bootstrapCode: boolean;
  readonly bootstrapHeap: boolean;
  readonly bootstrapNeedsClusterId: boolean;
  readonly featureEndpoint: boolean;
  readonly handshakeVersion: string;
  readonly versionCommentHasCommit: boolean;
  /** The fe.conf key `cluster_id` still exists. */
  readonly clusterIdKey: boolean;
  readonly recoveryKey: "bdbje_reset_election_group" | "metadata_failure_recovery";
  readonly recoveryReplacesFrontends: boolean;
  readonly recoveryCorrectsName: boolean;
  readonly oneFrontendPerHost: boolean;
  readonly newDuplicateBackendText: boolean;
  readonly createImage: boolean;
  readonly imageV1: boolean;
  readonly imageV2: boolean;
  readonly gracefulExit: boolean;
  readonly setConfigSkipsDead: boolean;
  readonly setConfigPersistent: boolean;
  readonly pidFileByProcess: boolean;
  readonly startedLine: boolean;
  readonly exitsOnStartFailure: boolean;
  readonly removesHalfDoneJoin: boolean;
  readonly lenientPriorityNetworks: boolean;
  readonly bothMetaDirsRefused: boolean;
  /** The start refuses a disk of the metadata with less than JE's FREE_DISK free. */
  readonly metaFreeChecked: boolean;
  readonly deadAtFirstMiss: boolean;
  readonly beDownTolerated: boolean;
  readonly decommissionChecks: boolean;
  readonly computeNodes: boolean;
  readonly startTimeOfFastRestart: boolean;
}

export const featuresOf = (version: string): Features => {
  const own = parse(version);
  const from = (...line: number[]) => compare(own, [line[0] ?? 0, line[1] ?? 0, line[2] ?? 0]) >= 0;
  const electionGroupKey = from(3, 3) || (from(3, 2, 5) && !from(3, 3)) || (from(3, 1, 10) && !from(3, 2));
  return {
    isMasterColumn: !from(3, 0),
    frontendIdColumn: from(3, 5),
    backendClusterColumn: !from(3, 0),
    cpuCoresColumn: from(2, 2),
    loadColumns: from(3, 0),
    memLimitColumns: from(3, 2),
    statusCode: from(3, 4),
    errorStateColumn: from(3, 0),
    aliasNames: from(3, 0),
    leaderWord: from(3, 0) ? "LEADER" : "MASTER",
    catalogWord: from(2, 3) ? "globalStateMgr" : "catalog",
    runMode: from(3, 0),
    hostType: from(2, 4),
    bootstrapCode: from(3, 2),
    bootstrapHeap: from(3, 4),
    bootstrapNeedsClusterId: !from(3, 2),
    featureEndpoint: from(3, 3),
    handshakeVersion: from(3, 4) ? "8.0.33" : "5.1.0",
    versionCommentHasCommit: from(3, 0),
    clusterIdKey: !from(3, 3),
    recoveryKey: electionGroupKey ? "bdbje_reset_election_group" : "metadata_failure_recovery",
    recoveryReplacesFrontends: from(3, 3),
    recoveryCorrectsName: from(3, 3, 9),
    oneFrontendPerHost: from(3, 0),
    newDuplicateBackendText: from(3, 2),
    createImage: from(2, 5, 3),
    imageV1: !from(3, 5),
    imageV2: from(3, 3),
    gracefulExit: from(3, 4, 2),
    setConfigSkipsDead: from(3, 5),
    setConfigPersistent: from(3, 5),
    pidFileByProcess: from(3, 0),
    startedLine: from(3, 0),
    exitsOnStartFailure: from(3, 0),
    removesHalfDoneJoin: from(3, 2),
    lenientPriorityNetworks: from(3, 2),
    bothMetaDirsRefused: from(2, 3) && !from(3, 2),
    metaFreeChecked: from(3, 3),
    deadAtFirstMiss: !from(2, 1),
    beDownTolerated: from(3, 0),
    decommissionChecks: from(3, 0),
    computeNodes: from(2, 4),
    startTimeOfFastRestart: from(2, 5),
  };
};

/** A journal or image written by `writer` may hold what `reader`, an older minor, does not know. */
export const isNewerMinor = (writer: string, reader: string): boolean => {
  const [a, b] = [parse(writer), parse(reader)];
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
};
