import type { Failure, Progress } from "./lines.js";

export type BeState = "starting" | "waiting-to-be-added" | "ready" | "failed";

/** Wordings of 2.0 to 4.0. The first row that matches any line counts: special before general. */
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
    crash: true,
  },
];

export const beProgress: readonly Progress<BeState>[] = [
  { pattern: /Waiting to receive first heartbeat from frontend/, state: "waiting-to-be-added" },
  { pattern: /BE start step|heartbeat has started listening port/, state: "starting" },
];
