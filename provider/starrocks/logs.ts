import type { Host } from "../host/types.js";
import { atLeast, type Version } from "./versions.js";

export type FeState = "starting" | "waiting-to-be-added" | "waiting-for-majority" | "ready" | "failed";
export type BeState = "starting" | "waiting-to-be-added" | "ready" | "failed";

export interface Verdict<State> {
  readonly state: State;
  /** The line that says so; absent when no line said anything yet. */
  readonly line?: string;
  /** For a failure: what it means. */
  readonly meaning?: string;
  /** For a failure: what to do. */
  readonly advice?: string;
}

/** A line after which a process does not get up by itself. */
interface Failure {
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly advice: string;
}

interface Progress<State> {
  readonly pattern: RegExp;
  readonly state: State;
}

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
    pattern: /UNKNOWN Operation Type/i,
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
    pattern: /OutOfMemoryError|There is insufficient memory for the Java Runtime/,
    meaning: "the FE ran out of memory",
    advice: "Raise -Xmx in JAVA_OPTS, or give the host more memory.",
  },
  {
    pattern: /StarRocksFE start failed/,
    meaning: "the FE could not start",
    advice: "The exception after this line in fe.log says why.",
  },
];

const feProgress: readonly Progress<FeState>[] = [
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

export const beFailures: readonly Failure[] = [
  {
    pattern: /(?:Be|BE) http s(?:ervice|erver) did not start correctly/,
    meaning: "the HTTP port is taken",
    advice: "Free it (ss -lntp) or set another `ports.http`.",
  },
  {
    pattern: /Fail to start BackendService thrift server on port|BackendService.* did not start correctly/i,
    meaning: "the thrift port is taken",
    advice: "Free it (ss -lntp) or set another `ports.be`.",
  },
  {
    pattern: /BRPC service did not start correctly/i,
    meaning: "the bRPC port is taken",
    advice: "Free it (ss -lntp) or set another `ports.brpc`.",
  },
  {
    // The misspelling is that of StarRocks 4.1.
    pattern: /heartbeat s(?:erver|ervice) (?:did|dint) not start correct/i,
    meaning: "the heartbeat port is taken",
    advice: "Free it (ss -lntp) or set another `ports.heartbeat`.",
  },
  {
    pattern: /Arrow Flight Sql Server did not start correctly/i,
    meaning: "the Arrow Flight port is taken",
    advice: "Free it (ss -lntp) or set another `arrow_flight_port` in `config`.",
  },
  {
    pattern: /File descriptor number is less than|file descriptors limit is too small/,
    meaning: "the run user may open too few files",
    advice: "Raise nofile to 655350 for the run user (at least 60000), in /etc/security/limits.d.",
  },
  {
    pattern: /CPU flags check failed/,
    meaning: "this build needs CPU instructions that the host lacks",
    advice: "Run on a host with AVX2 (grep avx2 /proc/cpuinfo).",
  },
  {
    pattern: /error while loading shared libraries: (?:libjvm|libhdfs)/,
    meaning: "the BE did not find a Java library",
    advice: "Set `javaHome` to a JDK that is installed on this host.",
  },
  {
    pattern: /error while loading shared libraries|symbol lookup error|version `GLIBC[^']*' not found/,
    meaning: "the release does not fit this host's libraries",
    advice: "Take the package of the host's family: centos or ubuntu.",
  },
  {
    pattern: /parse config storage path failed|Invalid storage medium|read write test file failed|All disks are broken/,
    meaning: "a storage folder cannot be used",
    advice: "Check that each folder of `storage` is mounted and belongs to the run user.",
  },
  {
    pattern: /[Ff]ail(?:ed)? to flock cluster id file/,
    meaning: "another BE uses a storage folder",
    advice: "Look for a second BE (pgrep -a starrocks_be); two BEs cannot share `storage`.",
  },
  {
    pattern: /multiple cluster ids is not equal/i,
    meaning: "the storage folders belong to different clusters",
    advice: "Check `storage`: each folder must be this BE's own.",
  },
  {
    pattern: /Invalid value of config|error read config file/,
    meaning: "be.conf has a value that this version refuses",
    advice: "Check `config` of this node.",
  },
  {
    pattern: /wrong cidr format/i,
    meaning: "priority_networks is not a list of networks",
    advice: "Write it as 10.0.0.0/24, several separated by semicolons.",
  },
  {
    pattern: /TCMALLOC_HEAP_LIMIT_MB/,
    meaning: "bin and lib of the home are of different versions",
    advice: "Start the node with the provider, which switches both together.",
  },
  {
    pattern: /inconsistent encryption config/,
    meaning: "the BE's encryption settings differ from the FEs'",
    advice: "Give BE and FE the same encryption settings in `config`.",
  },
  {
    // glog's fatal lines, and what a crash handler prints.
    pattern: /^F\d{4,8} \d\d:\d\d:\d\d|\*\*\* Check failure stack trace|\*\*\* (?:SIG\w+|Aborted at)/,
    meaning: "the BE crashed",
    advice: "Look at this line and what follows in be.out and be.INFO.",
  },
];

const beProgress: readonly Progress<BeState>[] = [
  { pattern: /Waiting to receive first heartbeat from frontend/, state: "waiting-to-be-added" },
  { pattern: /BE start step|heartbeat has started listening port/, state: "starting" },
];

/** From 3.1 on there is one line; before, the query engine is the last thing to start. */
const feReady = (version: Version): RegExp =>
  atLeast(version, "3.1.0") ? /FE started successfully/ : /QE service start|FE started successfully/;

const beReady = (version: Version | undefined): RegExp =>
  version && atLeast(version, "3.1.0")
    ? /(?:BE|CN) started successfully/
    : /(?:BE|CN) started successfully|StarRocks (?:BE|CN) HeartBeat Service started correctly/i;

/** What the lines of one start of an FE say (`fe.log`, `fe.warn.log`, `fe.out`, merged by `mergeLines`). */
export const feVerdict = (lines: readonly string[], version: Version): Verdict<FeState> =>
  verdict(lines, feFailures, feReady(version), feProgress);

/** What the lines of one start of a BE or CN say (`be.INFO` and `be.out`, or the CN's). */
export const beVerdict = (lines: readonly string[], version?: Version): Verdict<BeState> =>
  verdict(lines, beFailures, beReady(version), beProgress);

/** A failure counts for good, then readiness, then the last progress: the same line may be in several files. */
const verdict = <State extends string>(
  lines: readonly string[],
  failures: readonly Failure[],
  ready: RegExp,
  progress: readonly Progress<State>[],
): Verdict<State | "ready" | "failed" | "starting"> => {
  for (const { pattern, meaning, advice } of failures) {
    const line = lines.find((one) => pattern.test(one));
    if (line !== undefined) {
      return { state: "failed", line, meaning, advice };
    }
  }
  const readyLine = lines.find((line) => ready.test(line));
  if (readyLine !== undefined) {
    return { state: "ready", line: readyLine };
  }
  for (const line of lines.toReversed()) {
    const row = progress.find(({ pattern }) => pattern.test(line));
    if (row) {
      return { state: row.state, line };
    }
  }
  return { state: "starting" };
};

/** The time at the start of a line: log4j's `2026-11-22 20:54:32.123`, glog's `I1122 20:54:32.123` or `I20261122 …`. */
const stampPattern = /^(?:\[?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]?\d*)|[IWEF](\d{4,8} \d\d:\d\d:\d\d\.?\d*))/;

/** Lines of several logs of one process in the order of their times; a line without one stays behind its predecessor. */
export const mergeLines = (texts: readonly string[]): readonly string[] => {
  const stamped = texts.flatMap((text) => {
    let stamp = "";
    return linesOf(text).map((line) => {
      const match = stampPattern.exec(line);
      stamp = (match?.[1] ?? match?.[2] ?? stamp).replace(",", ".");
      return { stamp, line };
    });
  });
  // Two equal stamps keep their order: the sort is stable.
  return stamped.sort((a, b) => Number(a.stamp > b.stamp) - Number(a.stamp < b.stamp)).map(({ line }) => line);
};

/** The last `n` lines of a text, for the end of an error message. */
export const lastLines = (text: string, n: number): string => linesOf(text).slice(-n).join("\n");

const linesOf = (text: string): readonly string[] => {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
};

/** How far a log file had grown; what is read from there on is new. A start of a node gives them (`start.ts`). */
export interface LogMark {
  readonly path: string;
  /** Absent when there was no file. A name may point to a new file later. */
  readonly inode?: number;
  readonly size: number;
}

/** The ends of these logs now. */
export const markLogs = async (host: Host, paths: readonly string[]): Promise<readonly LogMark[]> => {
  const { stdout } = await host.script(markScript, paths);
  const marks = new Map(paths.map((path): [string, LogMark] => [path, { path, size: 0 }]));
  for (const line of linesOf(stdout)) {
    const [index, inode, size] = line.split(" ").map(Number);
    const path = paths[index ?? -1];
    if (path !== undefined && inode !== undefined && size !== undefined) {
      marks.set(path, { path, inode, size });
    }
  }
  return [...marks.values()];
};

const markScript = `
index=0
for path in "$@"; do
  if mark=$(stat -L -c '%i %s' -- "$path" 2>/dev/null); then echo "$index $mark"; fi
  index=$((index + 1))
done
`;

export interface LogsRead {
  /** What was written since the mark, in whole lines, by path. */
  readonly texts: ReadonlyMap<string, string>;
  /** Where to go on. */
  readonly marks: readonly LogMark[];
}

/** Bytes of one log in one reading; what is beyond comes with the next one. */
const readMost = 1024 * 1024;

/**
 * What was written to these logs since the marks, in one round trip; a log without a mark is read from its start. A log that
 * was rotated meanwhile (log4j renames the old file, glog's name is a link to the newest) is found again by its inode, in
 * the same folder, and read to its end first.
 */
export const readSince = async (host: Host, paths: readonly string[], marks: readonly LogMark[]): Promise<LogsRead> => {
  const reached = new Map(marks.map((mark) => [mark.path, mark]));
  const wanted = paths.flatMap((path) => {
    const mark = reached.get(path);
    return [path, String(mark?.inode ?? "-"), String(mark?.inode === undefined ? 0 : mark.size)];
  });
  const { stdout } = await host.script(readScript, [String(readMost), ...wanted]);
  const texts = new Map(paths.map((path) => [path, ""]));
  let path = "";
  for (const line of linesOf(stdout)) {
    if (line.startsWith("|")) {
      texts.set(path, `${texts.get(path) ?? ""}${line.slice(1)}\n`);
    } else {
      const [index, inode, size] = line.split(" ").map(Number);
      path = paths[index ?? -1] ?? "";
      reached.set(path, { path, size: size ?? 0, ...(inode !== undefined && { inode }) });
    }
  }
  return { texts, marks: paths.map((one) => reached.get(one) ?? { path: one, size: 0 }) };
};

// For each piece a line "<index> <inode> <offset reached>", then its lines, each behind a "|".
const readScript = `
most=$1; shift
# index, file, inode, from, "growing" when its last line may be unfinished; sets "done" when the file was read to its end
piece() {
  local size length from=$4 over=
  size=$(stat -L -c %s -- "$2") || return 0
  if [ "$size" -lt "$from" ]; then from=0; fi
  length=$((size - from)); done=yes
  if [ "$length" -gt "$most" ]; then length=$most; done=; fi
  window() { tail -c "+$((from + 1))" -- "$2" | head -c "$length"; }
  if [ "$length" -gt 0 ] && [ "$(window "$@" | tail -c 1 | od -An -tx1 | tr -d ' ')" != 0a ]; then
    if [ -z "$done" ] || [ "$5" = growing ]; then
      length=$((length - $(window "$@" | tail -n 1 | wc -c)))
      # A line longer than a whole reading comes in parts.
      if [ "$length" = 0 ] && [ -z "$done" ]; then length=$most; over=yes; fi
    else
      over=yes
    fi
  fi
  echo "$1 $3 $((from + length))"
  if [ "$length" -gt 0 ]; then window "$@" | sed 's/^/|/'; if [ -n "$over" ]; then echo; fi; fi
}
index=0
while [ $# -gt 0 ]; do
  path=$1 inode=$2 from=$3; shift 3
  done=yes
  now=$(stat -L -c %i -- "$path" 2>/dev/null)
  if [ "$inode" != - ] && [ "$now" != "$inode" ]; then
    old=$(find "$(dirname -- "$path")" -maxdepth 1 -type f -inum "$inode" 2>/dev/null | head -n 1)
    if [ -n "$old" ]; then piece "$index" "$old" "$inode" "$from" finished; fi
    from=0
  fi
  if [ -n "$done" ] && [ -n "$now" ]; then piece "$index" "$path" "$now" "$from" growing; fi
  index=$((index + 1))
done
exit 0
`;
