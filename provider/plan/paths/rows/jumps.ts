import type { Hazard } from "../hazard.js";

/** A BE is being decommissioned. Refused at any restart, and of a change of the line preview tells before. */
export const underWay = "decommission-under-way";

/** Why a BE that gives its tablets away needs all others. */
export const underWaySource = "upgrade.md and downgrade.md, disable tablet clone";

/** Of the row that asks for an image on all FEs. */
export const imageBetweenHops = "image-between-hops";

/** Which lines lead to which, and what every jump between lines wants. */
export const jumps: readonly Hazard[] = [
  {
    id: "stepwise-to-2-0",
    severity: "forbidden",
    when: { direction: "up", from: { before: "2.0.0" }, to: { since: "2.1.0" } },
    text: "A 1.19 cluster goes to 2.0 first, then to 2.1, and from there on.",
    source: "zh-2022 upgrade table",
  },
  {
    id: "stepwise-to-2-1",
    severity: "forbidden",
    when: { direction: "up", from: { since: "2.0.0", before: "2.1.0" }, to: { since: "2.2.0" } },
    text: "A 2.0 cluster goes to 2.1 first, and from there on.",
    source: "zh-2022 upgrade table",
  },
  {
    id: "only-2-5-to-3-0",
    severity: "forbidden",
    when: { direction: "up", from: { before: "2.5.0" }, to: { since: "3.0.0" } },
    text: "3.0 and later take over only clusters of 2.5: upgrade to the last patch of 2.5 first.",
    source: "upgrade.md, Upgrade paths",
  },
  {
    id: "several-lines",
    severity: "warning",
    when: { direction: "change", lines: 2 },
    text: "StarRocks strongly recommends to go one minor version at a time, up and down.",
    source: "upgrade.md and downgrade.md, paths",
  },
  {
    id: "nodes-leave-meanwhile",
    severity: "forbidden",
    when: { direction: "change", leaving: true },
    text:
      "The same program takes nodes out. They leave last, with the version before: an FE of it may come to lead those of the other one. " +
      "Take them out with a `pulumi up` of its own first.",
    source: "upgrade.md and downgrade.md, order of all BEs and FEs",
  },
  {
    id: "line-not-known",
    severity: "warning",
    when: { direction: "arrival", to: { since: "4.2.0" } },
    text: "This release line is newer than this table: what it asks for, and how far it can be left again, is not known here.",
    source: "this table",
  },
  {
    id: "image-4-1-0",
    severity: "warning",
    when: { direction: "arrival", to: { since: "4.1.0", before: "4.1.1" } },
    text: "StarRocks advises against the container image of 4.1.0: an archive that was taken from it (ARM) should be of a later patch.",
    source: "release-4.1",
  },
  {
    id: "release-notes",
    severity: "asks",
    when: { direction: "change", size: "minor" },
    text: "Before: read the release notes of every version in between.",
    source: "upgrade.md",
  },
  {
    id: imageBetweenHops,
    severity: "asks",
    when: { direction: "change", size: "minor", from: { since: "2.5.3" } },
    text:
      "Between two hops, and after a downgrade before the next upgrade, a metadata image must have reached all FEs (ALTER SYSTEM CREATE IMAGE; " +
      "the leader's fe.log says `push image.N … to other nodes`), else some followers may not take the new version. The pre-flight waits for it.",
    source: "upgrade.md, Upgrade paths, caution",
  },
  {
    id: "image-by-restart",
    severity: "asks",
    when: { direction: "change", size: "minor", from: { before: "2.5.3" } },
    text: "Before: restart the leader FE and wait until its new image has reached all FEs; ALTER SYSTEM CREATE IMAGE exists from 2.5.3 on.",
    source: "downgrade.md, Create a metadata snapshot",
  },
  {
    id: underWay,
    severity: "forbidden",
    when: { direction: "change", size: "minor" },
    looks: "decommissions under way",
    text:
      "A BE is being decommissioned: it needs the tablet clones that a change of the line must not have. " +
      "Wait until its row is gone, or CANCEL DECOMMISSION BACKEND.",
    source: underWaySource,
  },
  {
    id: "schema-change-under-way",
    severity: "warning",
    when: { direction: "up", size: "minor" },
    looks: "schema changes under way",
    text: "Schema changes are under way: each restart of a BE that works for one may fail it. Better wait until they are finished.",
    source: "release-3.3.md, Downgrade notes, which demand it of a downgrade",
  },
  {
    id: "run-mode-change",
    severity: "forbidden",
    when: { runModeChanges: true },
    text: "A cluster stays shared_nothing or shared_data for ever: FEs whose `run_mode` differs from their metadata's end at start.",
    source: "upgrade.md",
  },
  {
    id: "shared-data-below-3-0",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.0.0" }, to: { before: "3.0.0" }, runMode: "shared_data" },
    text: "Versions before 3.0 know no shared-data clusters.",
    source: "release-3.0.md",
  },
  {
    id: "single-files",
    severity: "warning",
    when: { overlay: true, to: { since: "3.3.0" } },
    text:
      "Scripts and libraries belong together from 3.3 on (jemalloc path, JDK check, and FE jars from 4.1 on): " +
      "replace a single file only with one that was built for this very release.",
    source: "upgrade.md, which replaces bin and lib together",
  },
];
