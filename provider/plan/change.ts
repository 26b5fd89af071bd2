import { jump, parseVersion } from "../starrocks/versions.js";

export type Size = "patch" | "minor" | "major";

export interface VersionChange {
  readonly direction: "same" | "up" | "down";
  readonly size: Size;
}

/** How far apart two declared versions are; texts that are no versions count as the same, `check` has refused them. */
export const versionChange = (from: string, to: string): VersionChange => {
  const old = parseVersion(from);
  const next = parseVersion(to);
  return old && next ? jump(old, next) : { direction: "same", size: "patch" };
};
