import type { Column, Database, NodeRow, Table, Tablet, WriteQuorum } from "../catalog/state.js";
import { createTablet, dropTablet } from "../data/backends.js";
import { type Frontend, propose, takeIds } from "../frontend.js";
import { SqlError } from "../sql/error.js";
import { chooseBackends, liveBackends } from "./placement.js";

export interface TableWish {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly keysType: Table["keysType"];
  readonly buckets: number;
  readonly replicationNum: number;
  readonly writeQuorum: WriteQuorum;
  readonly properties: Readonly<Record<string, string>>;
}

/** They are on the BEs already, and not in the metadata yet: a tablet report must not take them for leftovers. */
export const tabletsBeingMade = new Set<number>();

/** Makes the tablets on the BEs, then the table in the journal. */
export const createTable = async (fe: Frontend, database: Database, wish: TableWish): Promise<void> => {
  const { buckets, replicationNum } = wish;
  if (chooseBackends(fe, replicationNum).length < replicationNum) {
    throw new SqlError(
      `Table replication num should be less than of equal to the number of available BE nodes. You can change this default by setting the replication_num table properties. Current alive backend is [${liveBackends(
        fe,
      )
        .map(({ id }) => id)
        .join(",")}]. , table=${wish.name}, default_replication_num=${fe.config.text("default_replication_num")}`,
    );
  }
  const first = takeIds(fe, 3 + buckets * (1 + replicationNum));
  let next = first + 3;
  const placed: Placed[] = [];
  while (placed.length < buckets) {
    const nodes = chooseBackends(fe, replicationNum, { making: placed.map(({ tablet }) => tablet) });
    const id = next++;
    const replicas = nodes.map((node) => ({
      id: next++,
      backendId: node.id,
      version: 1,
      lastFailedVersion: -1,
      lastSuccessVersion: 1,
      state: "NORMAL" as const,
      bad: false,
    }));
    placed.push({ tablet: { id, version: 1, replicas }, nodes });
  }
  const ids = placed.map(({ tablet }) => tablet.id);
  for (const id of ids) {
    tabletsBeingMade.add(id);
  }
  try {
    await makeTablets(fe, placed);
    await propose(fe, { type: "createTable", databaseId: database.id, table: tableOf(wish, first, placed) });
  } finally {
    for (const id of ids) {
      tabletsBeingMade.delete(id);
    }
  }
};

interface Placed {
  readonly tablet: Tablet;
  readonly nodes: readonly NodeRow[];
}

const makeTablets = async (fe: Frontend, placed: readonly Placed[]): Promise<void> => {
  const wanted = placed.flatMap(({ tablet, nodes }) => nodes.map((node) => ({ tablet, node })));
  const results = await Promise.allSettled(wanted.map(({ tablet, node }) => createTablet(fe, node, tablet.id)));
  const failed = wanted.filter((_, index) => results[index]?.status === "rejected");
  if (failed.length > 0) {
    await Promise.allSettled(wanted.map(({ tablet, node }) => dropTablet(fe, node, tablet.id)));
    const unfinished = failed.map(({ tablet, node }) => `${tablet.id}(${node.host})`).slice(0, 3);
    throw new SqlError(
      `Table creation timed out. unfinished replicas(${unfinished.length}/${wanted.length}): ${unfinished.join(" ")}\n You can increase the timeout by increasing the config "tablet_create_timeout_second" and try again.`,
    );
  }
};

const tableOf = (wish: TableWish, first: number, placed: readonly Placed[]): Table => {
  const { name, columns, keysType, writeQuorum, properties, replicationNum } = wish;
  return {
    id: first,
    partitionId: first + 1,
    indexId: first + 2,
    name,
    columns,
    keysType,
    replicationNum,
    writeQuorum,
    properties,
    createdAt: Date.now(),
    tablets: placed.map(({ tablet }) => tablet),
  };
};

export const dropTables = async (fe: Frontend, tables: readonly Table[]): Promise<void> => {
  for (const { tablets } of tables) {
    const copies = tablets.flatMap(({ id, replicas }) => replicas.map(({ backendId }) => ({ id, backendId })));
    await Promise.allSettled(
      copies.map(({ id, backendId }) => {
        const node = fe.catalog.state.nodes.find((row) => row.id === backendId);
        return node?.alive ? dropTablet(fe, node, id) : Promise.resolve();
      }),
    );
  }
};
