import type { Hazard } from "../hazard.js";

/** Releases that StarRocks took back, with its reason where it gave one. */
const withdrawn: Readonly<Record<string, string>> = {
  "3.1.3": "",
  "3.1.10": "",
  "3.2.4": "",
  "3.2.5": " (users with SELECT on tables of external catalogs are denied access to them)",
  "3.3.1": "",
  "3.3.10": " (a shared-data cluster may lose metadata when its FE leader changes)",
  "3.4.1": " (a shared-data cluster may lose metadata when its FE leader changes)",
};

/** `3.3.10` in all its builds, but neither `3.3.9` nor `3.3.11`. */
const only = (version: string): { readonly since: string; readonly before: string } => {
  const patch = Number(version.split(".")[2]);
  return { since: version, before: `${lineOf(version)}.${patch + 1}` };
};

const lineOf = (version: string): string => version.split(".").slice(0, 2).join(".");

export const withdrawnReleases: readonly Hazard[] = Object.entries(withdrawn).map(([version, why]) => ({
  id: `withdrawn-${version.replaceAll(".", "-")}`,
  severity: "forbidden",
  when: { direction: "arrival", to: only(version) },
  text: `StarRocks withdrew ${version}${why}. Take a later patch of ${lineOf(version)}.`,
  source: `release-${lineOf(version)}.md, "${version} (Yanked)"`,
}));
