import semver from "semver";
import { type BeGraceful, beStop, cnStopTimeout, feStop, type Jdk, jdks, type VersionRow } from "./version-rows.js";

/** A StarRocks version as a user declares it: `3.5.7`, `3.5.7-rc1`, `3.5.7-ee`. */
export interface Version {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** What follows the patch number, without its dash; empty for a plain release. */
  readonly suffix: string;
}

const number = "(0|[1-9]\\d{0,5})";
const versionPattern = new RegExp(`^${number}\\.${number}\\.${number}(?:-([0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*))?$`);
const preReleasePattern = /^(alpha|beta|preview|rc|snapshot)[.-]?(\d*)/i;

/** A full version, or undefined: `3.5`, `latest` and `v3.5.7` do not name one release of the download page. */
export const parseVersion = (text: string): Version | undefined => {
  const match = versionPattern.exec(text);
  if (!match) {
    return undefined;
  }
  const [, major, minor, patch, suffix = ""] = match;
  return { text, major: Number(major), minor: Number(minor), patch: Number(patch), suffix };
};

/** What is wrong with a text that does not parse, in words for the user; undefined when nothing is. */
export const versionProblem = (text: string): string | undefined => {
  if (parseVersion(text)) {
    return undefined;
  }
  const bare = /^v(.+)$/i.exec(text)?.[1];
  let hint = "Name one release, as in its file name.";
  if (bare && parseVersion(bare)) {
    hint = `Write it without the v: "${bare}".`;
  } else if (/^\d+\.\d+$/.test(text)) {
    hint = `Name the patch release too, such as "${text}.0".`;
  }
  return `Expected a StarRocks version such as "3.5.7", got "${text}". ${hint}`;
};

/** The version, or an error for a text that was checked before and so must be one. */
export const versionOf = (text: string): Version => {
  const version = parseVersion(text);
  if (!version) {
    throw new Error(versionProblem(text));
  }
  return version;
};

/**
 * Which of two comes first, as a sort wants it. `3.3.10` is after `3.3.9`; a pre-release (`-rc1`) is before its release.
 * Any other suffix (`-ee`, a commit) names a build, not a time: it compares equal to the plain release, though
 * `runsVersion` holds the two apart.
 */
export const compareVersions = (a: Version, b: Version): number => semver.compare(ordinal(a), ordinal(b));

/** True when `version` is at least `text`, where pre-releases of `text` count as it: they carry its scripts and files. */
export const atLeast = (version: Version, text: string): boolean =>
  semver.gte(`${version.major}.${version.minor}.${version.patch}`, text);

/** What the rows of a subject say of a version. */
export const valueAt = <V>(rows: readonly VersionRow<V>[], version: Version): V => {
  const row = rows.findLast(({ since }) => atLeast(version, since));
  if (!row) {
    throw new Error(`No row for ${version.text}`);
  }
  return row.value;
};

const ordinal = ({ major, minor, patch, suffix }: Version): string => {
  const [, kind, count] = preReleasePattern.exec(suffix) ?? [];
  // semver compares `rc10` with `rc9` as text, but `rc.10` with `rc.9` as numbers.
  const preRelease = kind ? `-${kind.toLowerCase()}.${Number(count || 0)}` : "";
  return `${major}.${minor}.${patch}${preRelease}`;
};

export interface Jump {
  readonly direction: "same" | "up" | "down";
  readonly size: "patch" | "minor" | "major";
}

/** How far apart two versions are; two builds of one release (`3.5.7`, `3.5.7-ee`) are a patch in direction `same`. */
export const jump = (from: Version, to: Version): Jump => {
  const order = compareVersions(from, to);
  return { direction: directions[Math.sign(order)] ?? "same", size: sizeOf(from, to) };
};

const directions: Readonly<Record<number, Jump["direction"]>> = { [-1]: "up", 0: "same", 1: "down" };

const sizeOf = (from: Version, to: Version): Jump["size"] => {
  if (from.major !== to.major) {
    return "major";
  }
  return from.minor === to.minor ? "patch" : "minor";
};

/**
 * Does a node that reports this run the declared version? Nodes report `3.5.7-d2da301`, version and commit, in
 * `@@version_comment`, SHOW FRONTENDS and SHOW BACKENDS; the `@@version_comment` of 2.x is `StarRocks version 2.5.0`.
 */
export const runsVersion = (reported: string | undefined, declared: string): boolean => {
  const text = reported?.trim().replace(/^StarRocks version /i, "");
  if (!text?.startsWith(declared)) {
    return false;
  }
  const rest = text.slice(declared.length);
  return rest === "" || /^-[0-9a-f]{7,40}$/i.test(rest);
};

/** The version in what a node reports: `3.5.7-d2da301`, `StarRocks version 2.5.0`. */
export const parseReported = (reported: string | undefined): Version | undefined =>
  parseVersion(
    (reported ?? "")
      .trim()
      .replace(/^StarRocks version /i, "")
      .replace(/-[0-9a-f]{7,40}$/i, ""),
  );

/** What a start, stop or upgrade must know about a release line. */
export interface Features {
  /** `stop_fe.sh -g` hands leadership over and drains connections (3.4.2). Older scripts ignore the flag. */
  readonly feGraceful: boolean;
  /** `stop_fe.sh --timeout <seconds>`. Came with `-g`. */
  readonly feStopTimeout: boolean;
  readonly beGraceful: BeGraceful;
  /** `stop_be.sh --timeout <seconds>` (3.4). */
  readonly beStopTimeout: boolean;
  /** `stop_cn.sh --timeout <seconds>` (3.5). */
  readonly cnStopTimeout: boolean;
  /** The stop script returns only when the process is gone. */
  readonly stopWaits: Readonly<Record<"fe" | "be" | "cn", boolean>>;
  /** `stop_be.sh` looks for the pid file in the `PID_DIR` of be.conf; from 3.4 on only the start script does. */
  readonly beStopHonoursPidDir: boolean;
  /** `start_fe.sh --host_type FQDN`: nodes known by name (2.4). */
  readonly fqdn: boolean;
  /** A compute node runs from `be/` by `start_cn.sh` and is added as COMPUTE NODE (2.4). */
  readonly computeNodes: boolean;
  /** `start_fe.sh` makes `meta_dir` (3.3; 3.2 is unknown). Making it oneself is right on every line. */
  readonly metaDirCreatedByScript: boolean;
  /** LastStartTime of SHOW BACKENDS moves even when the node was never seen down (2.5); before, ask the process. */
  readonly beLastStartTimeMovesOnQuickRestart: boolean;
  /** `ALTER SYSTEM CREATE IMAGE` (2.5.3). */
  readonly createImage: boolean;
  /** Each metadata image is written as v2 too (seen in 3.3.5; 3.2 and the first patches of 3.3 are unknown), from 3.5 on as nothing else. */
  readonly imageV2: boolean;
  /** The BE's HTTP port in be.conf. Newer lines still read the old name; 3.0 is unknown and gets the old one. */
  readonly beHttpPortKey: "webserver_port" | "be_http_port";
  /** `starlet_port` of a BE exists (2.3). */
  readonly starletPort: boolean;
  /** The fe.conf key that lets a copy of the metadata start alone. The wrong one is silently ignored. */
  readonly recoveryKey: "metadata_failure_recovery" | "bdbje_reset_election_group";
  /** The line of the FE's BDB library: what the newer one has opened the older one cannot (3.0). */
  readonly bdbJe: 7 | 18;
  /** fe.conf `cluster_id`, which must agree with image/VERSION; silently ignored from 3.3 on. */
  readonly clusterIdKey: boolean;
  /** Bytes that must be free on the disk of its metadata, or an FE does not start. */
  readonly metaFreeBytes: number;
}

/** JE's default of FREE_DISK: no setting of an FE changes it. */
const jeFreeDisk = 5 * 1024 ** 3;

export const features = (version: Version): Features => {
  const from = (text: string): boolean => atLeast(version, text);
  const fe = valueAt(feStop, version);
  const be = valueAt(beStop, version);
  return {
    feGraceful: fe.graceful,
    feStopTimeout: fe.timeout,
    beGraceful: be.graceful,
    beStopTimeout: be.timeout,
    cnStopTimeout: valueAt(cnStopTimeout, version),
    stopWaits: { fe: true, be: from("2.3.0"), cn: from("3.5.0") },
    beStopHonoursPidDir: !from("3.4.0"),
    fqdn: from("2.4.0"),
    computeNodes: from("2.4.0"),
    metaDirCreatedByScript: from("3.3.0"),
    beLastStartTimeMovesOnQuickRestart: from("2.5.0"),
    createImage: from("2.5.3"),
    imageV2: from("3.3.5"),
    beHttpPortKey: from("3.1.0") ? "be_http_port" : "webserver_port",
    starletPort: from("2.3.0"),
    recoveryKey:
      from("3.2.5") || (from("3.1.10") && !from("3.2.0")) ? "bdbje_reset_election_group" : "metadata_failure_recovery",
    bdbJe: from("3.0.0") ? 18 : 7,
    clusterIdKey: !from("3.3.0"),
    metaFreeBytes: from("3.3.0") ? jeFreeDisk : 0,
  };
};

export interface StopWish {
  readonly graceful: boolean;
  /** Whole seconds after which the script may kill; only passed where the script knows it. */
  readonly timeoutSeconds?: number;
}

/** Arguments for `stop_fe.sh`, `stop_be.sh` or `stop_cn.sh` of this version: only those its script understands. */
export const stopFlags = (version: Version, kind: "fe" | "be" | "cn", wish: StopWish): readonly string[] => {
  const has = features(version);
  const graceful = kind === "fe" ? has.feGraceful : has.beGraceful !== "none";
  const timeout = { fe: has.feStopTimeout, be: has.beStopTimeout, cn: has.cnStopTimeout }[kind];
  return [
    ...(wish.graceful && graceful ? ["--graceful"] : []),
    ...(wish.timeoutSeconds !== undefined && timeout ? ["--timeout", String(Math.ceil(wish.timeoutSeconds))] : []),
  ];
};

/** Which Java an FE of a version takes. */
export interface JdkNeed extends Pick<Jdk, "preferred" | "compiler"> {
  readonly fits: (major: number) => boolean;
  /** For messages: `JDK 17 or newer`. */
  readonly text: string;
}

export const jdkNeed = (version: Version): JdkNeed => {
  const { also, compiler, from, name, preferred } = valueAt(jdks, version);
  return { fits: (major) => also.includes(major) || major >= from, preferred, compiler, text: name };
};
