import { jdkNeed, versionOf } from "../../../starrocks/versions.js";
import type { Hazard } from "../hazard.js";

const jdkOf = (version: string): string => jdkNeed(versionOf(version)).text;

const toLine = (line: string): Hazard["when"] => ({
  direction: "up",
  from: { before: `${line}.0` },
  to: { since: `${line}.0` },
});

/** Whether these Java options are declared, and free of collectors that JDK 14 removed. */
const fitsJdk17 = (options: string | undefined): boolean =>
  options !== undefined && !/ConcMarkSweep|CMS|ParNew/.test(options);

/** What a way up to a line wants, in the order of the lines. */
export const upgrades: readonly Hazard[] = [
  {
    id: "java-opts-for-jdk-9",
    severity: "asks",
    when: { direction: "change", size: "minor", to: { since: "2.0.0", before: "2.4.0" } },
    text:
      "With a Java newer than 8 the FEs of 2.0 to 2.3 end at once (255, told in fe.out only) unless fe.conf has JAVA_OPTS_FOR_JDK_9: " +
      "look that it does (`frontends.config.JAVA_OPTS_FOR_JDK_9`), or set `javaHome` to a JDK 8.",
    settledBy: ({ JAVA_OPTS_FOR_JDK_9 }) => JAVA_OPTS_FOR_JDK_9 !== undefined && JAVA_OPTS_FOR_JDK_9.trim() !== "",
    source: "bin/start_fe.sh of 2.0 to 2.3",
  },
  {
    id: "chunk-size-from-2-0",
    severity: "asks",
    when: { direction: "up", from: { since: "2.0.0", before: "2.1.0" }, to: { since: "2.1.0" } },
    text: "Before: if be.conf has `vector_chunk_size`, set it to 4096 and restart the BEs.",
    source: "upgrade.md, from v2.0",
  },
  {
    id: "batch-size-from-2-0",
    severity: "asks",
    when: { direction: "up", from: { since: "2.0.0", before: "2.1.0" }, to: { since: "2.1.0" } },
    looks: "batch size above 4096",
    must: true,
    text: "Before: SET GLOBAL batch_size = 4096 (or less).",
    source: "upgrade.md, from v2.0",
  },
  {
    id: "database-named-starrocks",
    severity: "forbidden",
    when: toLine("3.0"),
    looks: "database named starrocks",
    text: "A database is called `starrocks`, a name that 3.0 and later keep for themselves. Rename it first.",
    source: "upgrade.md",
  },
  {
    id: "bdb-jar-to-3-0",
    severity: "warning",
    when: toLine("3.0"),
    text:
      "An FE that was started with 3.0 or later is not taken back where it fails: the BDB library of 2.5 (je-7) cannot open what the newer one has opened. " +
      "It is left as it is; the way is upwards, or new metadata from the FEs that lead.",
    source: "release-3.0.md, Upgrade Notes, BDBJE",
  },
  {
    id: "pipeline-engine-for-3-2",
    severity: "asks",
    when: toLine("3.2"),
    looks: "pipeline engine off",
    must: true,
    text: "Before: SET GLOBAL enable_pipeline_engine = true.",
    source: "upgrade.md",
  },
  {
    id: "jdk-11",
    severity: "asks",
    when: { ...toLine("3.3"), to: { since: "3.3.0", before: "3.5.0" } },
    text: `Before: ${jdkOf("3.3.0")} on every FE host (\`javaHome\`, or where it is searched); the pre-flight looks.`,
    source: "release-3.3.md; bin/start_fe.sh",
  },
  {
    id: "jdk-17",
    severity: "asks",
    when: toLine("3.5"),
    text: `Before: ${jdkOf("3.5.0")} on every FE host (\`javaHome\`, or where it is searched); the pre-flight looks.`,
    source: "release-3.5.md; bin/start_fe.sh",
  },
  {
    id: "old-collectors-in-java-opts",
    severity: "asks",
    when: toLine("3.5"),
    text:
      "With the upgrade: no CMS or other old GC options may be left in JAVA_OPTS of fe.conf, nor in JAVA_OPTS_FOR_JDK_11, which still wins where it is there: JDK 17 " +
      "ends at once with them. The nodes keep their conf files, so declare `frontends.config.JAVA_OPTS`, and JAVA_OPTS_FOR_JDK_11 as the same.",
    settledBy: ({ JAVA_OPTS, JAVA_OPTS_FOR_JDK_11 }) => fitsJdk17(JAVA_OPTS) && fitsJdk17(JAVA_OPTS_FOR_JDK_11),
    source: "release-3.5.md",
  },
  {
    id: "add-opens-for-jdk-17",
    severity: "asks",
    when: toLine("3.5"),
    text: "With the upgrade: BEs that serve external catalogs or Java UDFs need the `--add-opens` options of the release notes in be.conf (`backends.config.JAVA_OPTS`).",
    source: "release-3.5.md",
  },
  {
    id: "low-cardinality-to-3-5",
    severity: "asks",
    when: { direction: "up", from: { before: "3.4.10" }, to: { since: "3.5.0" } },
    looks: "low cardinality optimization on",
    must: true,
    text: "Before: SET GLOBAL cbo_enable_low_cardinality_optimize = false, for as long as versions are mixed. After: set it back to true.",
    source: "release-3.5.md, Upgrade Notes",
  },
];
