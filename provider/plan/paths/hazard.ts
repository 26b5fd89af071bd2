import type { Look } from "../../starrocks/looks.js";
import { atLeast, jump, type Version, versionOf } from "../../starrocks/versions.js";
import { linesApart } from "./lines.js";

/**
 * `forbidden`: refused unless the user names the id in `acceptHazards`. `warning`: to be known. `asks`: wants something
 * done before or after, which nobody but the user can decide or do.
 */
export type Severity = "forbidden" | "warning" | "asks";

/** Versions from `since` on and before `before`, where pre-releases count as their release. */
export interface Range {
  readonly since?: string;
  readonly before?: string;
}

/** When a row applies; what is left out does not matter. */
export interface When {
  /** `change` is up or down, `arrival` also a first deployment. Left out: even where the version stays. */
  readonly direction?: "up" | "down" | "change" | "arrival";
  /** Not between patches of one line. */
  readonly size?: "minor";
  readonly from?: Range;
  readonly to?: Range;
  /** So many release lines apart at least. */
  readonly lines?: number;
  /** FEs are known by DNS names. */
  readonly fqdn?: true;
  /** Single files of a release are replaced. */
  readonly overlay?: true;
  /** `run_mode` is declared otherwise than before. */
  readonly runModeChanges?: true;
  /** `run_mode` is this. */
  readonly runMode?: "shared_data";
  /** Nodes are taken out by the same program. */
  readonly leaving?: true;
}

/** Declared settings of a conf file. */
export type Settings = Readonly<Record<string, string>>;

/** One row of the table. */
export interface Hazard {
  /** Stands in users' programs for ever. */
  readonly id: string;
  readonly severity: Severity;
  readonly when: When;
  /** With it, the row says what to look for before the first stop; it applies only when it is found. */
  readonly looks?: Look;
  /** What is asked for must be done before: found undone, it is refused as if it were forbidden. */
  readonly must?: true;
  /** Whether the declared fe.conf settings of an FE see to it already, with the version that it is to have; then the row is not shown. */
  readonly settledBy?: (config: Settings, to: Version) => boolean;
  /** For people: what it is and what to do. */
  readonly text: string;
  /** Where it is from: StarRocks' docs, release notes or source. */
  readonly source: string;
}

/** A way from one version to another, with what else decides about its hazards. */
export interface Path {
  /** Undefined on a first deployment. */
  readonly from?: string | undefined;
  readonly to: string;
  readonly fqdn?: boolean;
  readonly overlay?: boolean;
  /** Declared fe.conf settings of each FE. */
  readonly settings?: readonly Settings[];
  /** fe.conf `run_mode`, before and now. */
  readonly runMode?: { readonly from?: string | undefined; readonly to: string };
  readonly leaving?: boolean;
}

export const applies = (when: When, path: Path): boolean => {
  const to = versionOf(path.to);
  const from = path.from === undefined ? undefined : versionOf(path.from);
  return (
    goes(when.direction, from, to) &&
    (when.to === undefined || within(when.to, to)) &&
    (when.from === undefined || (from !== undefined && within(when.from, from))) &&
    (when.size === undefined || (from !== undefined && jump(from, to).size !== "patch")) &&
    (when.lines === undefined || (from !== undefined && linesApart(from, to) >= when.lines)) &&
    (!when.fqdn || path.fqdn === true) &&
    (!when.overlay || path.overlay === true) &&
    (!when.leaving || path.leaving === true) &&
    (when.runMode === undefined || path.runMode?.to === when.runMode) &&
    (!when.runModeChanges || (path.runMode?.from !== undefined && path.runMode.from !== path.runMode.to))
  );
};

const goes = (wanted: When["direction"], from: Version | undefined, to: Version): boolean => {
  const direction = from === undefined ? "first" : jump(from, to).direction;
  switch (wanted) {
    case undefined:
      return true;
    case "arrival":
      return direction !== "same";
    case "change":
      return direction === "up" || direction === "down";
    case "up":
    case "down":
      return direction === wanted;
  }
};

const within = ({ since, before }: Range, version: Version): boolean =>
  (since === undefined || atLeast(version, since)) && (before === undefined || !atLeast(version, before));
