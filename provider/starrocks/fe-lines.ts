import type { Failure, Progress } from "./lines.js";

export type FeState = "starting" | "waiting-to-be-added" | "waiting-for-majority" | "ready" | "failed";

/** Wordings of 2.0 to 4.0; read in StarRocks' sources or seen on 3.5.7. The first row that matches any line counts: special before general. */
export const feFailures: readonly Failure[] = [
  {
    pattern: /edit_log_port \d+ is already in use/,
    meaning: "the port of the metadata log is taken",
    advice: "Stop what listens there (ss -lntp), or an FE that was started by hand. The port itself may not change.",
  },
  {
    pattern: /Fail to start FE query http(?:\(s\))? server\[port: \d+\]/,
    meaning: "the HTTP port is taken",
    advice: "Free it (ss -lntp) or set another `ports.http`, the same on every FE.",
  },
  {
    pattern: /thrift server start failed with port \d+/,
    meaning: "the RPC port is taken",
    advice: "Free it (ss -lntp) or set another `ports.rpc`.",
  },
  {
    pattern: /mysql server start failed/i,
    meaning: "the query port is taken",
    advice: "Free it (ss -lntp) or set another `ports.query`.",
  },
  {
    pattern: /exceeds max permissible delta/,
    meaning: "the clocks of two FE hosts differ by more than 5 s",
    advice: "Synchronise them (chronyc tracking), then start again.",
  },
  {
    pattern: /Free capacity left for meta dir/,
    meaning: "the disk of the metadata is nearly full",
    advice: "Free at least 5 GB on the disk of `metaDir`.",
  },
  {
    pattern: /image exists, but bdb dir is empty/,
    meaning: "the metadata has an image but no log: it is an incomplete copy",
    advice: "Restore the whole folder from its backup, or empty it and let the FE join again.",
  },
  {
    pattern: /role file and version file must both exist/,
    meaning: "image/ROLE or image/VERSION is missing from the metadata",
    advice: "Restore the whole folder from its backup, or empty it and let the FE join again.",
  },
  {
    pattern: /(?:meta dir|meta path) .*does not exist/i,
    meaning: "the metadata folder is missing",
    advice: "Is the disk of `metaDir` mounted?",
  },
  {
    pattern: /are both present/,
    meaning: "two default metadata folders exist",
    advice: "Set `metaDir` to the one that counts.",
  },
  {
    pattern: /Do not specify the helper node to FE itself/,
    meaning: "the FE was told to join by its own help",
    advice: "Another address names this host too: check `address` and `priority_networks`.",
  },
  {
    pattern: /current node is not added to the cluster, will exit|this node is DETACHED/,
    meaning: "the cluster has dropped this FE",
    advice: "Empty its metadata folder (after a backup) and let it join again.",
  },
  {
    pattern: /current node role is .* not match with frontend recorded role/,
    meaning: "the cluster knows this FE in another role",
    advice: "Drop it and add it again in the wanted role, with empty metadata.",
  },
  {
    pattern: /(?:cluster id|token) is not equal with (?:helper node|config item)|bad environment .*helper host/,
    meaning: "the metadata belongs to another cluster",
    advice: "Check that `metaDir` is this node's own. To join, its metadata must be empty.",
  },
  {
    pattern: /Unmatched run mode/,
    meaning: "run_mode in fe.conf is not that of the metadata",
    advice: "Put the old `run_mode` back: a cluster cannot change it.",
  },
  {
    pattern: /It conflicts with the socket already used by the member/,
    meaning: "the metadata group still knows an older FE of this address",
    advice: "Drop that FE, empty this one's metadata and let it join again.",
  },
  {
    pattern: /RollbackException/,
    meaning: "the FE's log was ahead of the group's and was cut back",
    advice: "Start it once more.",
  },
  {
    // An FE that is told to ignore it warns of it and goes on; one that is not throws it.
    pattern: /^(?!.* WARN ).*UNKNOWN Operation Type/i,
    meaning: "the metadata was written by a newer StarRocks",
    advice:
      "Start the newer version again, or follow StarRocks' downgrade guide (metadata_ignore_unknown_operation_type).",
  },
  {
    pattern: /DatabaseNotFoundException.*_jeRepGroupDB/,
    meaning: "the recovery key was set on an empty metadata log",
    advice: "Copy the whole metadata folder, bdb included.",
  },
  {
    pattern: /no such env variable/,
    meaning: "fe.conf uses a variable that is not set",
    advice: "Check the values with a $ in `config`.",
  },
  {
    pattern: /unknown fqdn host|FQDN .*(?:not match|mismatch)/i,
    meaning: "the host's name does not resolve both ways",
    advice: "Make forward and reverse DNS of `address` agree, or use an IP address.",
  },
  {
    pattern: /pid file is already locked/,
    meaning: "another FE holds the pid file, or its folder does not exist",
    advice: "Look for a second FE of this home (ps -ef | grep StarRocksFE).",
  },
  {
    pattern: /InsufficientReplicasException|got exception when trying to write one batch, will exit now/,
    meaning: "the leader lost its majority and stopped",
    advice: "Start the other FEs, then this one again.",
  },
  {
    pattern: /transfer FE type from (?:LEADER|MASTER) to \w+\. exit/,
    meaning: "the FE lost its leadership; StarRocks then ends the process",
    advice: "Start it again: it comes back as a follower.",
  },
  {
    pattern: /failed to init journal after transfer to leader! will exit/,
    meaning: "the FE could not open its metadata log as leader",
    advice: "Look at the lines before it in fe.log, and at bdb/je.info.0 in the metadata.",
  },
  {
    pattern: /failed to load journal type|catch exception when replaying|inconsistent exception when replay/,
    meaning: "the FE could not read its metadata",
    advice: "Do not delete it. Start the version that wrote it, and look for the exception in fe.log.",
  },
  {
    pattern: /Error: JDK \d+ is not supported|JAVA_HOME (?:is not set|can ?not be jre)|non-JDK path/,
    meaning: "the start script does not accept the Java it found",
    advice: "Set `javaHome` to a JDK that this version takes.",
  },
  {
    pattern: /JAVA_OPTS_FOR_JDK_\d+ .*not set/i,
    meaning: "fe.conf has no Java options for this JDK",
    advice: "Add them to `config`, or set `javaHome` to JDK 8.",
  },
  {
    pattern: /Could not create the Java Virtual Machine|Unrecognized VM option|Invalid maximum heap size/,
    meaning: "Java refused its options",
    advice: "Check JAVA_OPTS in `config` against the JDK.",
  },
  {
    // The start script writes its options into fe.out, `-XX:+HeapDumpOnOutOfMemoryError` among them.
    pattern:
      /java\.lang\.OutOfMemoryError|(?<![A-Za-z])OutOfMemoryError:|There is insufficient memory for the Java Runtime/,
    meaning: "the FE ran out of memory",
    advice: "Raise -Xmx in JAVA_OPTS, or give the host more memory.",
  },
  {
    pattern: /StarRocksFE start failed/,
    meaning: "the FE could not start",
    advice: "The exception after this line in fe.log says why.",
  },
];

export const feProgress: readonly Progress<FeState>[] = [
  { pattern: /current node is not added to the group\. please add it first/, state: "waiting-to-be-added" },
  { pattern: /failed to get fe node type from helper node/, state: "waiting-to-be-added" },
  // The type tells a node without a leader from one that replays its metadata; 2.0 says catalog.
  {
    pattern: /wait (?:globalStateMgr|catalog) to be ready\. FE type:? (?:INIT|UNKNOWN)/,
    state: "waiting-for-majority",
  },
  { pattern: /wait (?:globalStateMgr|catalog) to be ready/, state: "starting" },
  {
    pattern: /get fe node type \w+, name .* from |Got role: |begin to transfer FE type|notify new FE type transfer/,
    state: "starting",
  },
  { pattern: /(?:finished? (?:to )?replay|start to replay) journal|StarRocks FE starting/, state: "starting" },
];
