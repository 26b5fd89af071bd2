import { isComplete, type NodeRow, type Table, type Tablet } from "../catalog/state.js";
import type { Frontend } from "../frontend.js";
import { SqlError } from "../sql/error.js";
import { type Row, readTablet, type Value } from "./backends.js";
import { bucketOf } from "./write.js";

/** Backends that just failed a query, not asked again for a while (StarRocks' SimpleScheduler). Per FE. */
const blacklist = new Map<number, number>();
const blacklistMs = 1000;

const isBlacklisted = (id: number): boolean => (blacklist.get(id) ?? 0) > performance.now();

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);

const backendNotFound = (fe: Frontend, tablet: Tablet): SqlError => {
  const backends = tablet.replicas.map(({ backendId }) => {
    const node = fe.catalog.state.nodes.find(({ id }) => id === backendId);
    return `[${node?.host} alive: ${node?.alive ?? false} inBlacklist: ${isBlacklisted(backendId)}]`;
  });
  return new SqlError(`Backend node not found. Check if any backend node is down.backend: ${backends.join(" ")} `);
};

const readOne = async (fe: Frontend, tablet: Tablet): Promise<readonly Row[]> => {
  const { version } = tablet;
  const nodes = tablet.replicas.flatMap((replica): NodeRow[] => {
    const node = fe.catalog.state.nodes.find(({ id }) => id === replica.backendId);
    return node?.alive && isComplete(replica, tablet) && !isBlacklisted(node.id) ? [node] : [];
  });
  let last = backendNotFound(fe, tablet);
  for (const node of shuffled(nodes)) {
    try {
      return await readTablet(fe, node, tablet.id, version);
    } catch (error) {
      blacklist.set(node.id, performance.now() + blacklistMs);
      last = new SqlError(`rpc failed with ${node.host}: ${(error as Error).message}`);
    }
  }
  throw last;
};

/** The visible rows of a table, or only those of the bucket of `key`. */
export const readRows = async (fe: Frontend, table: Table, key?: Value): Promise<Row[]> => {
  const tablets =
    key === undefined ? table.tablets : table.tablets.slice(...bucketRange(bucketOf(key, table.tablets.length)));
  const rows = (await Promise.all(tablets.map((tablet) => readOne(fe, tablet)))).flat();
  const found = key === undefined ? rows : rows.filter((row) => String(row[0]) === String(key));
  if (table.keysType !== "PRIMARY" && table.keysType !== "UNIQUE") {
    return found;
  }
  return [...new Map(found.map((row) => [String(row[0]), row])).values()];
};

const bucketRange = (bucket: number): [number, number] => [bucket, bucket + 1];
