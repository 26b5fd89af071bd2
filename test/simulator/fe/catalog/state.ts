import type { Role } from "../meta/identity.js";

/** One FE's row. Times are milliseconds, `null` prints as the string NULL. */
export interface FrontendRow {
  readonly id: number;
  readonly name: string;
  host: string;
  readonly editLogPort: number;
  readonly role: Role;
  alive: boolean;
  replayedJournalId: number;
  lastHeartbeat: number | null;
  startTime: number | null;
  version: string | null;
  queryPort: number;
  rpcPort: number;
  errMsg: string;
}

export type NodeKind = "backend" | "compute";

export type StatusCode = "CONNECTING" | "OK" | "SHUTDOWN" | "DISCONNECTED";

/** One BE's or CN's row. */
export interface NodeRow {
  readonly id: number;
  readonly kind: NodeKind;
  host: string;
  readonly heartbeatPort: number;
  bePort: number;
  httpPort: number;
  brpcPort: number;
  starletPort: number;
  alive: boolean;
  decommissioned: boolean;
  lastStartTime: number | null;
  lastHeartbeat: number | null;
  /** When it was last heard of, for the time that a dead one is tolerated. */
  lastSeen: number;
  errMsg: string;
  version: string;
  cores: number;
  memLimit: number;
  isSetStoragePath: boolean;
  statusCode: StatusCode;
  location: string;
}

export interface Replica {
  readonly id: number;
  readonly backendId: number;
  version: number;
  lastFailedVersion: number;
  lastSuccessVersion: number;
  /** CLONE: being copied to, not readable yet. */
  state: "NORMAL" | "CLONE" | "DECOMMISSION";
  bad: boolean;
}

export interface Tablet {
  readonly id: number;
  /** The visible version. */
  version: number;
  readonly replicas: Replica[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
}

export type WriteQuorum = "MAJORITY" | "ONE" | "ALL";

export interface Table {
  readonly id: number;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly keysType: "DUPLICATE" | "PRIMARY" | "UNIQUE" | "AGGREGATE";
  readonly partitionId: number;
  readonly indexId: number;
  replicationNum: number;
  readonly writeQuorum: WriteQuorum;
  readonly properties: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly tablets: Tablet[];
}

export interface Database {
  readonly id: number;
  readonly name: string;
  readonly tables: Table[];
}

/** An ALTER TABLE that rewrites data. */
export interface SchemaChange {
  readonly id: number;
  readonly databaseId: number;
  readonly tableName: string;
  readonly createdAt: number;
  finishedAt: number | null;
  state: "RUNNING" | "FINISHED" | "CANCELLED";
}

export interface User {
  /** Hex of SHA1(SHA1(password)), empty for none. */
  passwordHash: string;
  admin: boolean;
}

/** The whole metadata, as it is in an image. */
export interface CatalogState {
  clusterId: number;
  token: string;
  nextId: number;
  frontends: FrontendRow[];
  nodes: NodeRow[];
  users: Record<string, User>;
  databases: Database[];
  schemaChanges: SchemaChange[];
  globals: Record<string, string>;
  epoch: number;
}

export const emptyState = (): CatalogState => ({
  clusterId: 0,
  token: "",
  nextId: 10_001,
  frontends: [],
  nodes: [],
  users: { root: { passwordHash: "", admin: true } },
  databases: [],
  schemaChanges: [],
  globals: {},
  epoch: 0,
});

export const allTables = (state: CatalogState): { readonly database: Database; readonly table: Table }[] =>
  state.databases.flatMap((database) => database.tables.map((table) => ({ database, table })));

export const allTablets = (
  state: CatalogState,
): { readonly database: Database; readonly table: Table; readonly tablet: Tablet }[] =>
  allTables(state).flatMap(({ database, table }) => table.tablets.map((tablet) => ({ database, table, tablet })));

export const replicasOn = (state: CatalogState, backendId: number): number =>
  allTablets(state).filter(({ tablet }) => tablet.replicas.some((replica) => replica.backendId === backendId)).length;

/** A replica that missed no visible version. */
export const isComplete = (replica: Replica, tablet: Tablet): boolean =>
  replica.state === "NORMAL" && !replica.bad && replica.version >= tablet.version;
