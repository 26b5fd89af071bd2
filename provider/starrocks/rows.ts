import type { Backend, Frontend } from "./show.js";

/** What an FE group knows an FE by. */
interface FrontendKey {
  readonly address: string;
  readonly ports: { readonly editLog: number };
}

/** What a cluster knows a BE by. */
interface BackendKey {
  readonly address: string;
  readonly ports: { readonly heartbeat: number };
}

export const isRowOf = ({ address, ports }: FrontendKey, row: Frontend): boolean =>
  row.address === address && row.editLogPort === ports.editLog;

export const frontendRow = (frontend: FrontendKey, rows: readonly Frontend[]): Frontend | undefined =>
  rows.find((row) => isRowOf(frontend, row));

export const backendRow = ({ address, ports }: BackendKey, rows: readonly Backend[]): Backend | undefined =>
  rows.find((row) => row.address === address && row.heartbeatPort === ports.heartbeat);

/** The row of a node of either kind. */
export const nodeRow = (
  node: ({ readonly kind: "fe" } & FrontendKey) | ({ readonly kind: "be" } & BackendKey),
  { backends, frontends }: { readonly frontends: readonly Frontend[]; readonly backends: readonly Backend[] },
): Frontend | Backend | undefined => (node.kind === "fe" ? frontendRow(node, frontends) : backendRow(node, backends));

/** For people: `BE 10.0.0.21:9050`. */
export const backendName = ({ address, heartbeatPort }: Pick<Backend, "address" | "heartbeatPort">): string =>
  `BE ${address}:${heartbeatPort}`;
