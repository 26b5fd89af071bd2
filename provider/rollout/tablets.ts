import {
  judgeStop,
  losesAnyway,
  notCaughtUp,
  notElsewhere,
  notWhole,
  type TabletRisk,
  type Verdict,
} from "../plan/tablets.js";
import { backendName } from "../starrocks/rows.js";
import { type Backend, showBackends } from "../starrocks/show.js";
import type { Sql } from "../starrocks/sql.js";
import type { Declared, Tablet } from "../starrocks/tablet.js";
import { isSharedData, tabletsOf } from "../starrocks/tablets.js";
import type { Version } from "../starrocks/versions.js";

export interface TabletQuery {
  /** Ids of the BEs that are about to be stopped. */
  readonly leaving: readonly string[];
  /** Ids of BEs that are known to be down; those that are not Alive are taken for down anyway. */
  readonly down?: readonly string[];
  /** What the FEs run. */
  readonly version: Version;
  /** Milliseconds for each statement. */
  readonly limit?: number;
}

/**
 * Which tablets would be worse off without these BEs than their declaration allows with one node out, and which tables one
 * node out always hurts. Four statements in a healthy cluster; more only for tables that one of these could concern.
 */
export const tabletsWithout = async (sql: Sql, { leaving, ...query }: TabletQuery): Promise<Verdict> => {
  const [verdict] = await verdictsOn(sql, query, [leaving]);
  return verdict ?? { waiting: [], unavoidable: [] };
};

/** The same of each of these BEs alone, in their order, by one reading of the tablets. */
export const tabletsWithoutEach = (sql: Sql, { leaving, ...query }: TabletQuery): Promise<readonly Verdict[]> =>
  verdictsOn(
    sql,
    query,
    leaving.map((id) => [id]),
  );

/** A verdict for each of these groups of BEs, were it stopped. */
const verdictsOn = async (
  sql: Sql,
  { version, limit, down: known }: Omit<TabletQuery, "leaving">,
  groups: readonly (readonly string[])[],
): Promise<readonly Verdict[]> => {
  const parts = groups.map((group) => ({ leaving: new Set(group), verdicts: [] as Verdict[] }));
  if (!(await isSharedData(sql, version, limit))) {
    const down = downOf(await showBackends(sql, limit), known);
    // With all BEs up and one to stop, a database without unhealthy tablets has nothing to wait for: then only what one
    // node out hurts anyway is counted there.
    const which = down.size === 0 && groups.every(({ length }) => length === 1) ? "doubtful" : "all";
    const also = (declared: Declared): boolean => losesAnyway(declared) !== undefined;
    for await (const tablets of tabletsOf(sql, { version, limit, which, also })) {
      for (const { leaving, verdicts } of parts) {
        verdicts.push(judgeStop(tablets, { leaving, down }));
      }
    }
  }
  return parts.map(({ verdicts }) => ({
    waiting: verdicts.flatMap(({ waiting }) => waiting),
    unavoidable: verdicts.flatMap(({ unavoidable }) => unavoidable),
  }));
};

export interface HealedQuery {
  /** The BE that has returned. */
  readonly backendId: string;
  readonly version: Version;
  /** Its `tabletReport` before it was stopped, which must be another one now. */
  readonly reportBefore?: string | undefined;
  readonly limit?: number;
}

/** Whether a BE that was restarted serves its tablets again; else what is missing, for a progress line. */
export const healedSince = async (sql: Sql, query: HealedQuery): Promise<{ healed: boolean; seen: string }> => {
  const { backendId, version, limit } = query;
  if (await isSharedData(sql, version, limit)) {
    return { healed: true, seen: "shared data: no tablets on a node" };
  }
  const backend = (await showBackends(sql, limit)).find(({ id }) => id === backendId);
  if (!backend?.alive) {
    return { healed: false, seen: backend ? "not Alive" : "no such BE" };
  }
  // Until the BE has told what it holds, the metadata says what it held before.
  if (!hasReported(backend, query.reportBefore)) {
    return { healed: false, seen: "its tablets are not reported yet" };
  }
  const behind: Tablet[] = [];
  for await (const tablets of tabletsOf(sql, { version, limit, which: "doubtful" })) {
    behind.push(...notCaughtUp(tablets, backendId));
  }
  const [first] = behind;
  return first
    ? { healed: false, seen: `${behind.length} tablets to catch up, such as ${first.id} of ${first.table}` }
    : { healed: true, seen: "all tablets well" };
};

/** Tablets of a BE that would be lost or left without redundancy if its data went: those block a rebuild. */
export const everyTabletElsewhere = async (
  sql: Sql,
  backendId: string,
  query: Omit<TabletQuery, "leaving">,
): Promise<readonly TabletRisk[]> =>
  risksOf(sql, query, "all", (tablets, down) => notElsewhere(tablets, backendId, down));

/** Ids of the tablets that have a replica on a BE, sound or not. */
export const tabletsOn = async (
  sql: Sql,
  backendId: string,
  { version, limit }: Omit<TabletQuery, "leaving">,
): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>();
  for await (const tablets of tabletsOf(sql, { version, limit, which: "all" })) {
    for (const { id, replicas } of tablets) {
      if (replicas.some((replica) => replica.backendId === backendId)) {
        ids.add(id);
      }
    }
  }
  return ids;
};

/** Of these tablets, those that lack a replica. Dropped ones lack nothing. */
export const tabletsNotWhole = async (
  sql: Sql,
  ids: ReadonlySet<string>,
  query: Omit<TabletQuery, "leaving">,
): Promise<readonly TabletRisk[]> =>
  ids.size === 0 ? [] : risksOf(sql, query, "all", (tablets, down) => notWhole(tablets, down, ids));

/** Tablets that lack a replica, wherever they lie. A few statements where all is well. */
export const tabletsLacking = (sql: Sql, query: Omit<TabletQuery, "leaving">): Promise<readonly TabletRisk[]> =>
  risksOf(sql, query, "doubtful", notWhole);

/** What is found in the tablets of the cluster, with these BEs down; nothing where no node holds the only copy of one. */
const risksOf = async (
  sql: Sql,
  { version, limit, down: known }: Omit<TabletQuery, "leaving">,
  which: "all" | "doubtful",
  find: (tablets: readonly Tablet[], down: ReadonlySet<string>) => readonly TabletRisk[],
): Promise<readonly TabletRisk[]> => {
  if (await isSharedData(sql, version, limit)) {
    return [];
  }
  const down = downOf(await showBackends(sql, limit), known);
  const risks: TabletRisk[] = [];
  for await (const tablets of tabletsOf(sql, { version, limit, which })) {
    risks.push(...find(tablets, down));
  }
  return risks;
};

/** Names of the BEs that are being decommissioned: while one is, replicas move and none is stopped. */
export const decommissioning = (backends: readonly Backend[]): readonly string[] =>
  backends.filter(({ decommissioned }) => decommissioned).map(backendName);

const downOf = (backends: readonly Backend[], known: readonly string[] = []): ReadonlySet<string> =>
  new Set([...backends.filter(({ alive }) => !alive).map(({ id }) => id), ...known]);

/** Both times are texts of one format; the start is by the BE's clock, the reports are by the leader's. */
const hasReported = ({ tabletReport, lastStartTime }: Backend, before: string | undefined): boolean => {
  if (tabletReport === undefined) {
    return false;
  }
  // A BE whose clock is behind would pass with the report from before its stop.
  return before === undefined ? (lastStartTime ?? "") <= tabletReport : tabletReport > before;
};
