import type { Hazard } from "./hazard.js";
import { downgrades } from "./rows/downgrades.js";
import { jumps } from "./rows/jumps.js";
import { upgrades } from "./rows/upgrades.js";
import { withdrawnReleases } from "./rows/withdrawn.js";

/** What a version's own scripts and FEs take, beside the ways between them. */
export { versionRows } from "../../starrocks/version-rows.js";

/** All that is known of ways between versions. docs/versions.md shows the same rows. */
export const hazards: readonly Hazard[] = [...jumps, ...withdrawnReleases, ...upgrades, ...downgrades];

export const hazardIds: ReadonlySet<string> = new Set(hazards.map(({ id }) => id));
