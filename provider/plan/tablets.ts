import type { Declared, Tablet } from "../starrocks/tablet.js";

/** Which BEs count for nothing, whatever SHOW BACKENDS still says of them. */
export interface Outage {
  /** BEs that are about to be stopped. */
  readonly leaving: ReadonlySet<string>;
  /** BEs that are down already; from 3.1 on the database's own counts take them for well for 15 minutes. */
  readonly down: ReadonlySet<string>;
}

/** A tablet that would be worse off than its declaration allows with one node out. */
export interface TabletRisk {
  readonly tablet: string;
  readonly table: string;
  readonly declared: Declared;
  /** Sound replicas on BEs that run now. */
  readonly healthy: number;
  /** Those of them that would remain. */
  readonly left: number;
  readonly needed: number;
}

/** Tablets of one table for which one node out is too many, whatever the order of steps. */
export interface TableCount {
  readonly table: string;
  readonly declared: Declared;
  readonly tablets: number;
  /** What they lose while the node is out. */
  readonly loses: "reads and writes" | "writes";
}

export interface Verdict {
  /** To be waited for. */
  readonly waiting: readonly TabletRisk[];
  /** To be told, and let through. */
  readonly unavoidable: readonly TableCount[];
}

const writersOf = ({ replicationNum, writeQuorum }: Declared): number => {
  if (writeQuorum === "ALL") {
    return replicationNum;
  }
  return writeQuorum === "ONE" ? 1 : Math.floor(replicationNum / 2) + 1;
};

/** Sound replicas that must remain: enough for reads and writes, or where that cannot be with one node out, as many as can be. */
export const neededReplicas = (declared: Declared): number =>
  Math.min(declared.replicationNum - 1, Math.max(1, writersOf(declared)));

/** What a tablet loses with one node out even when all its replicas are well; undefined where it loses nothing. */
export const losesAnyway = (declared: Declared): TableCount["loses"] | undefined => {
  if (declared.replicationNum <= 1) {
    return "reads and writes";
  }
  return writersOf(declared) > declared.replicationNum - 1 ? "writes" : undefined;
};

/**
 * May these BEs stop? A tablet counts when it has a sound replica there that it would miss: what has none loses nothing by
 * the stop, and a gate on it could wait for ever.
 */
export const judgeStop = (tablets: Iterable<Tablet>, { leaving, down }: Outage): Verdict => {
  const waiting: TabletRisk[] = [];
  const counts = new Map<string, TableCount>();
  for (const { id, table, declared, replicas } of tablets) {
    let healthy = 0;
    let left = 0;
    for (const { backendId, sound } of replicas) {
      const counts = sound && !down.has(backendId);
      healthy += counts ? 1 : 0;
      left += counts && !leaving.has(backendId) ? 1 : 0;
    }
    if (left === healthy) {
      continue;
    }
    const needed = neededReplicas(declared);
    const loses = losesAnyway(declared);
    if (left < needed) {
      waiting.push({ tablet: id, table, declared, healthy, left, needed });
    } else if (loses) {
      const key = `${table} ${declared.replicationNum}`;
      const { tablets: before } = counts.get(key) ?? { tablets: 0 };
      counts.set(key, { table, declared, tablets: before + 1, loses });
    }
  }
  return { waiting, unavoidable: [...counts.values()] };
};

/**
 * Tablets of a BE that it must not lose: fewer sound replicas elsewhere than their other replicas should be. A tablet
 * without redundancy always is among them.
 */
export const notElsewhere = (
  tablets: Iterable<Tablet>,
  backendId: string,
  down: ReadonlySet<string>,
): readonly TabletRisk[] => {
  const risks: TabletRisk[] = [];
  for (const { id, table, declared, replicas } of tablets) {
    const healthy = replicas.filter((replica) => replica.sound && !down.has(replica.backendId));
    const left = healthy.filter((replica) => replica.backendId !== backendId).length;
    const needed = Math.max(1, declared.replicationNum - 1);
    if (replicas.some((replica) => replica.backendId === backendId) && left < needed) {
      risks.push({ tablet: id, table, declared, healthy: healthy.length, left, needed });
    }
  }
  return risks;
};

/** Those that have fewer sound replicas than their table declares; only those with these ids, where they are given. */
export const notWhole = (
  tablets: Iterable<Tablet>,
  down: ReadonlySet<string>,
  ids?: ReadonlySet<string>,
): readonly TabletRisk[] =>
  [...tablets].flatMap(({ id, table, declared, replicas }) => {
    const healthy = replicas.filter(({ backendId, sound }) => sound && !down.has(backendId)).length;
    const needed = declared.replicationNum;
    return ids?.has(id) !== false && healthy < needed
      ? [{ tablet: id, table, declared, healthy, left: healthy, needed }]
      : [];
  });

/** Replicas on a BE that has returned, and are not sound yet: it may not be counted on for them. */
export const notCaughtUp = (tablets: Iterable<Tablet>, backendId: string): readonly Tablet[] =>
  [...tablets].filter(({ replicas }) => replicas.some((replica) => replica.backendId === backendId && !replica.sound));

/** Shown of a list before "and 12 more". */
const shown = 5;

const listed = (items: readonly string[], separator: string): string => {
  const more = items.length - shown;
  const first = items.slice(0, shown).join(separator);
  return more > 0 ? `${first} and ${more} more` : first;
};

const groupedBy = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) {
      group.push(item);
    } else {
      groups.set(key, [item]);
    }
  }
  return groups;
};

/** `sales.orders: tablets 10123, 10125 (2 of 3 replicas healthy)`, by table; long lists are cut and counted. */
export const describeRisks = (risks: readonly TabletRisk[]): string => {
  const state = ({ healthy, declared }: TabletRisk): string =>
    `${healthy} of ${declared.replicationNum} replicas healthy`;
  const groups = groupedBy(risks, (risk) => `${risk.table}\n${state(risk)}`);
  const texts = [...groups.values()].map((group) => {
    const [first] = group;
    const word = group.length === 1 ? "tablet" : "tablets";
    const ids = listed(
      group.map(({ tablet }) => tablet),
      ", ",
    );
    return first ? `${first.table}: ${word} ${ids} (${state(first)})` : "";
  });
  return listed(texts, "; ");
};

/** `sales.log: 12 tablets (replication_num 1) lose reads and writes`, by table. */
export const describeUnavoidable = (counts: readonly TableCount[]): string =>
  listed(
    counts.map(({ table, tablets, declared, loses }) => {
      const quorum = declared.writeQuorum === "MAJORITY" ? "" : `, write_quorum ${declared.writeQuorum}`;
      const what = tablets === 1 ? "1 tablet" : `${tablets} tablets`;
      return `${table}: ${what} (replication_num ${declared.replicationNum}${quorum}) ${tablets === 1 ? "loses" : "lose"} ${loses}`;
    }),
    "; ",
  );

/** `sales.log (replication_num 1)` and its tablets, of one BE; one that was read in parts is there once. */
export const countedByTable = (
  counts: readonly TableCount[],
): readonly { readonly name: string; readonly tablets: number }[] => {
  const groups = groupedBy(counts, ({ table, declared }) => `${table} (replication_num ${declared.replicationNum})`);
  return [...groups].map(([name, parts]) => ({ name, tablets: parts.reduce((sum, { tablets }) => sum + tablets, 0) }));
};

/** What is to be said of a BE, were it stopped. */
export interface Told {
  readonly label: string;
  readonly text: string;
}

/** `BE be-3: sales.orders: …`; a long list of BEs is cut and counted. */
export const describeEach = (told: readonly Told[]): string =>
  listed(
    told.map(({ label, text }) => `${label}: ${text}`),
    "; ",
  );
