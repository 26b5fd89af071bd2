import { type TableName, unlessGone } from "./declared.js";
import type { Row, Sql } from "./sql.js";

/**
 * Replicas of a materialized view, with the columns of ADMIN SHOW REPLICA STATUS, which refuses views: two statements per
 * partition through SHOW PROC, that takes ids only. Bad replicas do not show there, those behind and those on dead BEs do.
 */
export const viewReplicas = async (
  sql: Sql,
  { database, table }: TableName,
  partitions: readonly string[] | undefined,
  limit?: number,
): Promise<readonly Row[]> => {
  const below = (path: string): Promise<readonly Row[]> => sql.query(`SHOW PROC '${path}'`, [], limit);
  const rows = await unlessGone(async () => {
    const root = `/dbs/${(await below("/dbs")).find(({ DbName }) => DbName === database)?.DbId}`;
    const tableId = (await below(root)).find(({ TableName }) => TableName === table)?.TableId;
    if (tableId === undefined) {
      return [];
    }
    const path = `${root}/${tableId}/partitions`;
    const all = await below(path);
    const wanted = all.filter(({ PartitionName }) => partitions?.includes(PartitionName ?? "") ?? true);
    const replicas: Row[] = [];
    for (const { PartitionId, VisibleVersion } of wanted) {
      for (const { IndexId } of await below(`${path}/${PartitionId}`)) {
        for (const row of await below(`${path}/${PartitionId}/${IndexId}`)) {
          replicas.push({ ...row, Status: statusOf(row, Number(VisibleVersion)) });
        }
      }
    }
    return replicas;
  });
  return rows ?? [];
};

const statusOf = ({ Version, LstFailedVersion }: Row, visible: number): string =>
  Number(Version) >= visible && Number(LstFailedVersion) <= 0 ? "OK" : "VERSION_ERROR";
