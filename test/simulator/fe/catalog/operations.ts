import type { Role } from "../meta/identity.js";
import type { Database, FrontendRow, NodeRow, Replica, SchemaChange, Table } from "./state.js";

/** A node of the BDB group. Unlike the frontend list it says who may vote. */
export interface Member {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly role: Role;
}

type FrontendHeartbeat = { readonly id: number } & Partial<Omit<FrontendRow, "id">>;
type NodeHeartbeat = { readonly id: number } & Partial<Omit<NodeRow, "id">>;

/** What a journal entry can say. */
export type Operation =
  | { readonly type: "members"; readonly members: readonly Member[] }
  | { readonly type: "leader"; readonly name: string; readonly epoch: number }
  | { readonly type: "found"; readonly clusterId: number; readonly token: string; readonly frontend: FrontendRow }
  | { readonly type: "roll" }
  | { readonly type: "addFrontend"; readonly frontend: FrontendRow }
  | { readonly type: "dropFrontend"; readonly name: string }
  | { readonly type: "resetFrontends"; readonly frontend: FrontendRow }
  | { readonly type: "moveFrontend"; readonly from: string; readonly to: string }
  | { readonly type: "addNode"; readonly node: NodeRow }
  | { readonly type: "dropNode"; readonly id: number }
  | { readonly type: "moveNode"; readonly id: number; readonly host: string }
  | { readonly type: "decommission"; readonly id: number; readonly on: boolean }
  | { readonly type: "locate"; readonly id: number; readonly location: string }
  | {
      readonly type: "heartbeat";
      readonly frontends: readonly FrontendHeartbeat[];
      readonly nodes: readonly NodeHeartbeat[];
    }
  | { readonly type: "setPassword"; readonly user: string; readonly passwordHash: string; readonly admin?: boolean }
  | { readonly type: "grantAdmin"; readonly user: string }
  | { readonly type: "dropUser"; readonly user: string }
  | { readonly type: "setGlobal"; readonly name: string; readonly value: string }
  | { readonly type: "createDatabase"; readonly database: Database }
  | { readonly type: "dropDatabase"; readonly id: number }
  | { readonly type: "createTable"; readonly databaseId: number; readonly table: Table }
  | { readonly type: "dropTable"; readonly tableId: number }
  | { readonly type: "setReplication"; readonly tableId: number; readonly replicationNum: number }
  | { readonly type: "schemaChange"; readonly job: SchemaChange }
  | {
      readonly type: "endSchemaChange";
      readonly id: number;
      readonly state: "FINISHED" | "CANCELLED";
      readonly at: number;
    }
  | { readonly type: "forgetSchemaChange"; readonly id: number }
  /** A visible transaction: the tablet's new version and the replicas that have it. */
  | {
      readonly type: "commit";
      readonly tablets: readonly {
        readonly id: number;
        readonly version: number;
        readonly written: readonly number[];
      }[];
    }
  | { readonly type: "addReplica"; readonly tabletId: number; readonly replica: Replica }
  | { readonly type: "dropReplica"; readonly tabletId: number; readonly replicaId: number }
  | { readonly type: "cloned"; readonly tabletId: number; readonly replicaId: number; readonly version: number }
  /** What a BE's tablet report said of one of its replicas. */
  | {
      readonly type: "reported";
      readonly tabletId: number;
      readonly replicaId: number;
      readonly version: number;
      readonly bad: boolean;
    }
  | { readonly type: "ids"; readonly nextId: number };
