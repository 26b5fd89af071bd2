import { type Frontend, propose, takeIds } from "../frontend.js";
import { liveBackends } from "./placement.js";
import { createTable } from "./tables.js";

const databaseName = "_statistics_";
const names = ["table_statistic_v1", "column_statistics", "histogram_statistics", "external_column_statistics"];
const lookMs = 2000;
const wantedReplicas = 3;

const nameOf = (index: number): string => names[index] ?? `task_run_history_${index}`;

const round = async (fe: Frontend): Promise<void> => {
  const live = liveBackends(fe).length;
  if (live === 0) {
    return;
  }
  if (!fe.catalog.state.databases.some(({ name }) => name === databaseName)) {
    await propose(fe, { type: "createDatabase", database: { id: takeIds(fe, 1), name: databaseName, tables: [] } });
  }
  const database = fe.catalog.state.databases.find(({ name }) => name === databaseName);
  if (database === undefined) {
    return;
  }
  for (let index = 0; index < fe.options.statisticsTables; index++) {
    const name = nameOf(index);
    if (database.tables.some((table) => table.name === name)) {
      continue;
    }
    const columns = [{ name: "table_id", type: "bigint(20)" }];
    const fixed = { columns, keysType: "PRIMARY", buckets: 1, writeQuorum: "MAJORITY", properties: {} } as const;
    await createTable(fe, database, { name, replicationNum: 1, ...fixed });
  }
  if (live < wantedReplicas) {
    return;
  }
  for (const { id, replicationNum } of database.tables) {
    if (replicationNum < wantedReplicas) {
      await propose(fe, { type: "setReplication", tableId: id, replicationNum: wantedReplicas });
    }
  }
};

/** A fresh cluster makes tables of its own as soon as a BE lives: with one replica, raised to three when there are three BEs. */
export const startStatistics = (fe: Frontend): (() => void) => {
  if (fe.options.statisticsTables === 0) {
    return () => undefined;
  }
  let busy = false;
  const timer = setInterval(() => {
    if (busy || !fe.group.isLeader() || !fe.lifecycle.ready) {
      return;
    }
    busy = true;
    round(fe)
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, lookMs);
  return () => clearInterval(timer);
};
