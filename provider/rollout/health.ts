import type { ClusterRows } from "./frontends.js";
import type { Health } from "./journal.js";

/** What rows of SHOW FRONTENDS and SHOW BACKENDS say of a cluster, in a few figures. */
export const healthOf = (rows: ClusterRows): Health => {
  const alive = (nodes: readonly { readonly alive: boolean }[]): string =>
    `${nodes.filter((node) => node.alive).length} of ${nodes.length} Alive`;
  const versions = [...rows.frontends, ...rows.backends].flatMap(({ version }) => version ?? []);
  return {
    frontends: alive(rows.frontends),
    backends: alive(rows.backends),
    leader: rows.frontends.find(({ role }) => role === "leader")?.address,
    versions: [...new Set(versions)].sort(),
  };
};
