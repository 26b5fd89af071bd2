import { atLeast, jdkNeed, versionOf } from "../../../starrocks/versions.js";
import type { Hazard } from "../hazard.js";

const lost = "An older FE cannot read the metadata (`UNKNOWN Operation Type`) and does not start.";

const rewriteOff =
  "Before: SET GLOBAL enable_rewrite_simple_agg_to_meta_scan = false. After the next upgrade to 4.0.2 or later: set it back to true.";

/** What a way down wants, and how far it goes; the newest line first. */
export const downgrades: readonly Hazard[] = [
  {
    id: "floor-4-1",
    severity: "forbidden",
    when: { direction: "down", from: { since: "4.1.0" }, to: { before: "4.0.6" } },
    text: `4.1 goes down to 4.0.6 or later only. ${lost}`,
    source: "release-4.1",
  },
  {
    id: "floor-4-0",
    severity: "forbidden",
    when: { direction: "down", from: { since: "4.0.0" }, to: { before: "3.5.2" } },
    text: "4.0 goes down to 3.5.2 or later only: metadata of 4.0 makes older FEs crash.",
    source: "release-4.0.md, Downgrade Notes",
  },
  {
    id: "meta-scan-rewrite-from-4-0-2",
    severity: "asks",
    when: { direction: "down", from: { since: "4.0.2" }, to: { since: "3.5.2", before: "3.5.11" } },
    looks: "meta scan rewrite on",
    must: true,
    text: rewriteOff,
    source: "release-4.0.md, Downgrade Notes",
  },
  {
    id: "meta-scan-rewrite-to-4-0-1",
    severity: "asks",
    when: { direction: "down", from: { since: "4.0.2" }, to: { since: "4.0.0", before: "4.0.2" } },
    looks: "meta scan rewrite on",
    must: true,
    text: rewriteOff,
    source: "release-4.0.md, Downgrade Notes",
  },
  {
    id: "floor-3-5",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.5.0" }, to: { before: "3.4.6" } },
    text: `3.5 goes down to 3.4.6 or later only. ${lost}`,
    source: "release-3.5.md",
  },
  {
    id: "floor-3-5-2",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.5.2", before: "4.0.0" }, to: { since: "3.5.0", before: "3.5.2" } },
    text: `3.5.2 and later patches do not go down to 3.5.0 or 3.5.1. ${lost}`,
    source: "release-3.5.md",
  },
  {
    id: "floor-3-4",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.4.0" }, to: { before: "3.3.9" } },
    text: `3.4 goes down to 3.3.9 or later only. ${lost}`,
    source: "release-3.4.md",
  },
  {
    id: "floor-3-3",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.2.3" } },
    text: "3.3 goes down to 3.2.3 or later only: 3.2.0 to 3.2.2 lose metadata.",
    source: "release-3.3.md, warning",
  },
  {
    id: "floor-3-3-9",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.3.9" }, to: { since: "3.2.3", before: "3.2.11" } },
    text: `From 3.3.9 on the way down ends at 3.2.11. ${lost}`,
    source: "release-3.3.md",
  },
  {
    id: "schema-changes-from-3-3",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.3.0" } },
    looks: "schema changes under way",
    text: "Schema changes are under way, which versions before 3.3 cannot read. Wait until they are finished, or CANCEL ALTER TABLE COLUMN.",
    source: "release-3.3.md, Downgrade notes",
  },
  {
    id: "job-history-from-3-3",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.3.0" } },
    looks: "schema changes in history",
    text:
      'The metadata remembers schema changes, whose records versions before 3.3 cannot read. Run ADMIN SET FRONTEND CONFIG ("history_job_keep_max_second" = "0") ' +
      "and wait until SHOW PROC '/jobs/<database id>/schema_change' is empty; set it back afterwards.",
    source: "release-3.3.md, Downgrade notes",
  },
  {
    id: "renamed-columns-from-3-3",
    severity: "asks",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.3.0" } },
    text: "Before: give columns that were renamed (RENAME COLUMN) their old names back.",
    source: "release-3.3.md, Downgrade notes",
  },
  {
    id: "temporary-tables-from-3-3",
    severity: "asks",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.3.0" } },
    text: "Before: drop temporary tables.",
    source: "release-3.3.md, Downgrade notes",
  },
  {
    id: "lz4-views-from-3-3",
    severity: "asks",
    when: { direction: "down", from: { since: "3.3.0" }, to: { before: "3.2.8" } },
    text: "Before: drop asynchronous materialized views that were created with PROPERTIES('compression' = 'lz4'); 3.2.8 and 3.1.14 know them.",
    source: "release-3.3.md, Downgrade notes",
  },
  {
    id: "floor-3-0",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.0.0" }, to: { before: "2.5.3" } },
    text: "3.0 goes down to 2.5.3 or later only.",
    source: "downgrade.md, Downgrade paths",
  },
  {
    id: "bdb-jar-from-3-0",
    severity: "forbidden",
    when: { direction: "down", from: { since: "3.0.0" }, to: { before: "3.0.0" } },
    text:
      "The BDB library cannot go back: an FE of 2.5 needs `starrocks-bdb-je-18.3.*.jar` of the newer release in fe/lib, and no `je-7.*.jar`. " +
      "A release is deployed whole, so declare an archive of 2.5 that was repacked so, and accept this.",
    source: "downgrade.md, Downgrade FE, caution",
  },
  {
    id: "rbac-stays",
    severity: "warning",
    when: { direction: "down", from: { since: "3.0.0" }, to: { before: "3.0.0" } },
    text: "Privileges stay those of 3.0 (RBAC).",
    source: "downgrade.md, Downgrade paths",
  },
  {
    id: "unknown-operations",
    severity: "asks",
    when: { direction: "down", size: "minor", from: { since: "2.2.0" } },
    settledBy: (config, to) =>
      config.ignore_unknown_log_id === "true" ||
      (atLeast(to, "3.3.0") && config.metadata_ignore_unknown_operation_type === "true"),
    text:
      'Before: declare `frontends.config.ignore_unknown_log_id: "true"` (3.3 and later call it metadata_ignore_unknown_operation_type and take both names; older FEs know this one only) ' +
      "until the first image of the older version; then take it out.",
    source: "downgrade.md, from v2.2",
  },
  {
    id: "jdk-8-or-11-below-2-5",
    severity: "asks",
    when: { direction: "down", from: { since: "2.5.0" }, to: { before: "2.5.0" } },
    text: `Before: ${jdkNeed(versionOf("2.4.0")).text} on every FE host; the pre-flight looks.`,
    source: "bin/start_fe.sh",
  },
  {
    id: "fqdn-below-2-4",
    severity: "forbidden",
    when: { direction: "down", from: { since: "2.4.0" }, to: { before: "2.4.0" }, fqdn: true },
    text: "Versions before 2.4 know no FEs by DNS name: switch them back to IP addresses first.",
    source: "downgrade.md, FQDN",
  },
  {
    id: "data-of-newer-be",
    severity: "warning",
    when: { direction: "down", size: "minor" },
    text: "Data that a newer BE has written may be unreadable for an older one: then that BE must be emptied and filled again from its peers.",
    source: "be cluster_id_mgr.cpp",
  },
];
