import type { Frontend } from "../show.js";
import type { Row } from "../sql.js";
import { atLeast, runsVersion, type Version } from "../versions.js";

/** Tables of each database. What the version itself makes and renames at will is left out. */
export type Catalog = ReadonlyMap<string, number>;

const systemDatabases = new Set(["information_schema", "sys"]);

/** From `SHOW PROC '/dbs'`: a statement that needs no BE, of which a rehearsal has none. */
export const catalogOf = (rows: readonly Row[]): Catalog =>
  new Map(
    rows
      .map((row): [string, number] => [(row.DbName ?? "").replace(/^default_cluster:/, ""), Number(row.TableNum ?? 0)])
      .filter(([name]) => name !== "" && !systemDatabases.has(name)),
  );

/** Of this database a leader makes tables of its own. */
const statistics = "_statistics_";

/**
 * What the rehearsal has otherwise than production had before and after the copy was made: between the two, people go on
 * creating and dropping.
 */
export const catalogProblems = (before: Catalog, after: Catalog, inside: Catalog): readonly string[] => {
  const names = [...new Set([...before.keys(), ...after.keys(), ...inside.keys()])].sort();
  return names.flatMap((name) => {
    const [first, last, own] = [before.get(name), after.get(name), inside.get(name)];
    if (own === undefined) {
      return first === undefined || last === undefined ? [] : [`database ${name} (${last} tables) is missing`];
    }
    const known = [first, last].filter((count) => count !== undefined);
    if (known.length === 0) {
      return name === statistics ? [] : [`database ${name} is there, which production does not have`];
    }
    const [least, most] = [first === undefined ? 0 : Math.min(...known), Math.max(...known)];
    return own < least || (own > most && name !== statistics)
      ? [`database ${name} has ${own} tables, in production ${least === most ? least : `${least} to ${most}`}`]
      : [];
  });
};

export const tablesIn = (catalog: Catalog): number => [...catalog.values()].reduce((sum, count) => sum + count, 0);

/** The last journal id that the log says was replayed. */
export const replayedTo = (lines: readonly string[]): number | undefined => {
  const ids = lines.flatMap((line) => {
    const match = /(?:finish(?:ed)? (?:to )?replay|start to replay) (?:journal )?from \d+ to (\d+)/.exec(line);
    return match ? [Number(match[1])] : [];
  });
  return ids.length === 0 ? undefined : Math.max(...ids);
};

/** Words of a log that was copied while it was written: a fresh copy may be whole. */
export const looksTorn = (lines: readonly string[]): boolean =>
  lines.some((line) =>
    /LOG_CHECKSUM|LogFileNotFound|LOG_FILE_NOT_FOUND|EnvironmentFailureException|failed to load journal type/.test(
      line,
    ),
  );

export interface Expected {
  readonly version: Version;
  readonly clusterId: number;
  /** The journal id that production had replayed before the copy was begun. */
  readonly journalId: number;
  readonly replayed: number | undefined;
}

/** Why `SHOW FRONTENDS` of the rehearsal does not yet, or not, show an FE that leads itself alone; undefined when it does. */
export const frontendProblem = (rows: readonly Frontend[], expected: Expected): string | undefined => {
  const { version, clusterId, journalId, replayed } = expected;
  const foreign = rows.find((row) => Number(row.clusterId) !== clusterId);
  if (foreign) {
    return `SHOW FRONTENDS says cluster ${foreign.clusterId}, the copy is ${clusterId}`;
  }
  const [only, ...others] = rows;
  // Before 3.3 the recovery leaves production's FEs in the list.
  if (atLeast(version, "3.3.0")) {
    if (!only || others.length > 0) {
      return `SHOW FRONTENDS lists ${rows.length} FEs (${rows.map(({ address }) => address).join(", ")}), wanted is itself alone`;
    }
    if (only.role !== "leader") {
      return `it is ${only.role}, not the leader`;
    }
    if (!runsVersion(only.version, version.text)) {
      return `SHOW FRONTENDS says ${only.version ?? "no version"}`;
    }
  }
  const reached = Math.max(replayed ?? 0, ...rows.map((row) => row.replayedJournalId));
  return reached < journalId ? `journal ${reached} is replayed, production had ${journalId}` : undefined;
};
