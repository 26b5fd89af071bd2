import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildCarried } from "../../release/carried.js";
import { since } from "../../release/versions.js";
import type { BackendFault } from "./faults.js";
import type { BackendOptions } from "./options.js";

/** In the executable, else in `lib/build.json` beside it: which release this is, and what is wrong with it. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly faults: readonly BackendFault[];
  readonly options: Partial<BackendOptions>;
}

export const readBuild = (executable: string): Build =>
  JSON.parse(buildCarried(executable) ?? readFileSync(join(dirname(executable), "build.json"), "utf8"));

/** What `--version` prints. */
export const versionText = ({ version, commit }: Build): string =>
  [
    `${version}-${commit}`,
    "BuildType: RELEASE",
    "Build distributor id: ubuntu",
    "Build arch: x86_64",
    "Built on 2025-06-15 15:06:40 by StarRocks@localhost",
    "",
  ].join("\n");

/** What differs between the lines, as far as a BE shows it (starrocks-facts.md §2–§4, §9, §11). */
export interface Features {
  readonly version: string;
  /** The HTTP port's key is `webserver_port`, `be_http_port` is not known. */
  readonly onlyOldHttpPortKey: boolean;
  readonly warnsOfUnknownKeys: boolean;
  readonly createsStorageFolders: boolean;
  readonly startSteps: boolean;
  readonly startedLine: boolean;
  readonly heartbeatFirst: boolean;
  readonly waitsForHeartbeatLine: boolean;
  readonly starlet: boolean;
  readonly oldHeartbeatTexts: boolean;
  readonly oldHttpBusyText: boolean;
  readonly heartbeatBusyTypo: boolean;
  readonly checksEncryption: boolean;
  readonly shutdownStatus: boolean;
  /** Default of `loop_count_wait_fragments_finish`. */
  readonly fragmentRounds: number;
  readonly wantsHeapLimit: boolean;
  /** Where the dynamic linker must find jemalloc. */
  readonly jemalloc: boolean;
}

export const featuresOf = (version: string): Features => {
  const from = (line: string): boolean => since(version, line);
  return {
    version,
    onlyOldHttpPortKey: !from("3.0"),
    warnsOfUnknownKeys: from("3.3"),
    createsStorageFolders: from("3.0"),
    startSteps: from("3.3"),
    startedLine: from("3.1"),
    heartbeatFirst: from("3.0") && !from("3.3"),
    waitsForHeartbeatLine: !from("3.0"),
    starlet: from("2.3"),
    oldHeartbeatTexts: !from("3.0"),
    oldHttpBusyText: !from("3.3"),
    heartbeatBusyTypo: from("4.1"),
    checksEncryption: from("3.3"),
    shutdownStatus: from("3.4"),
    fragmentRounds: from("3.4") ? 2 : 0,
    wantsHeapLimit: from("2.3") && !from("3.3"),
    jemalloc: from("3.4"),
  };
};
