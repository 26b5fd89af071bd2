import type { Operation } from "./operations.js";
import { allTables, allTablets, type CatalogState, emptyState, type Table, type Tablet } from "./state.js";

/** The metadata of this FE: the journal replayed so far. Only `apply` changes it. */
export class Catalog {
  state: CatalogState = emptyState();

  restore(state: CatalogState): void {
    this.state = structuredClone(state);
    for (const row of this.state.frontends) {
      row.startTime = null;
    }
  }

  /** An image: start times are not part of it, as they are not of a real one. */
  snapshot(): CatalogState {
    return structuredClone(this.state);
  }

  table(id: number): Table | undefined {
    return allTables(this.state).find(({ table }) => table.id === id)?.table;
  }

  tablet(id: number): Tablet | undefined {
    return allTablets(this.state).find(({ tablet }) => tablet.id === id)?.tablet;
  }

  apply(operation: Operation): void {
    const { state } = this;
    switch (operation.type) {
      case "members":
      case "roll":
        return;
      case "leader":
        state.epoch = operation.epoch;
        return;
      case "found":
        state.clusterId = operation.clusterId;
        state.token = operation.token;
        state.frontends = [{ ...operation.frontend }];
        return;
      case "addFrontend":
        state.frontends.push({ ...operation.frontend });
        this.#reserve(operation.frontend.id);
        return;
      case "dropFrontend":
        state.frontends = state.frontends.filter(({ name }) => name !== operation.name);
        return;
      case "resetFrontends":
        state.frontends = [{ ...operation.frontend }];
        return;
      case "moveFrontend":
        for (const row of state.frontends) {
          if (row.host === operation.from) {
            row.host = operation.to;
          }
        }
        return;
      case "heartbeat":
        for (const beat of operation.frontends) {
          Object.assign(state.frontends.find(({ id }) => id === beat.id) ?? {}, beat);
        }
        for (const beat of operation.nodes) {
          Object.assign(state.nodes.find(({ id }) => id === beat.id) ?? {}, beat);
        }
        return;
      case "ids":
        this.#reserve(operation.nextId - 1);
        return;
      default:
        this.#applyToNodes(operation);
    }
  }

  #applyToNodes(operation: Operation): void {
    const { state } = this;
    const node = "id" in operation ? state.nodes.find(({ id }) => id === operation.id) : undefined;
    switch (operation.type) {
      case "addNode":
        state.nodes.push({ ...operation.node });
        this.#reserve(operation.node.id);
        return;
      case "dropNode":
        state.nodes = state.nodes.filter(({ id }) => id !== operation.id);
        return;
      case "moveNode":
        if (node !== undefined) {
          node.host = operation.host;
        }
        return;
      case "decommission":
        if (node !== undefined) {
          node.decommissioned = operation.on;
        }
        return;
      case "locate":
        if (node !== undefined) {
          node.location = operation.location;
        }
        return;
      case "setPassword":
        state.users[operation.user] = {
          passwordHash: operation.passwordHash,
          admin: operation.admin ?? state.users[operation.user]?.admin ?? false,
        };
        return;
      case "grantAdmin": {
        const user = state.users[operation.user];
        if (user !== undefined) {
          user.admin = true;
        }
        return;
      }
      case "dropUser":
        delete state.users[operation.user];
        return;
      case "setGlobal":
        state.globals[operation.name] = operation.value;
        return;
      default:
        this.#applyToTables(operation);
    }
  }

  #applyToTables(operation: Operation): void {
    const { state } = this;
    switch (operation.type) {
      case "createDatabase":
        state.databases.push({ ...operation.database, tables: [...operation.database.tables] });
        this.#reserve(operation.database.id);
        return;
      case "dropDatabase":
        state.databases = state.databases.filter(({ id }) => id !== operation.id);
        return;
      case "createTable": {
        const table = structuredClone(operation.table);
        state.databases.find(({ id }) => id === operation.databaseId)?.tables.push(table);
        const ids = table.tablets.flatMap((tablet) => [tablet.id, ...tablet.replicas.map((replica) => replica.id)]);
        this.#reserve(Math.max(table.id, table.partitionId, table.indexId, ...ids));
        return;
      }
      case "dropTable":
        for (const { tables } of state.databases) {
          const index = tables.findIndex(({ id }) => id === operation.tableId);
          if (index >= 0) {
            tables.splice(index, 1);
          }
        }
        return;
      case "setReplication": {
        const table = this.table(operation.tableId);
        if (table !== undefined) {
          table.replicationNum = operation.replicationNum;
        }
        return;
      }
      case "schemaChange":
        state.schemaChanges.push({ ...operation.job });
        this.#reserve(operation.job.id);
        return;
      case "endSchemaChange": {
        const job = state.schemaChanges.find(({ id }) => id === operation.id);
        if (job !== undefined) {
          Object.assign(job, { state: operation.state, finishedAt: operation.at });
        }
        return;
      }
      case "forgetSchemaChange":
        state.schemaChanges = state.schemaChanges.filter(({ id }) => id !== operation.id);
        return;
      default:
        this.#applyToTablets(operation);
    }
  }

  #applyToTablets(operation: Operation): void {
    if (operation.type === "commit") {
      for (const { id, version, written } of operation.tablets) {
        const tablet = this.tablet(id);
        if (tablet === undefined) {
          continue;
        }
        tablet.version = version;
        for (const replica of tablet.replicas) {
          if (written.includes(replica.id)) {
            replica.version = version;
            replica.lastSuccessVersion = version;
            replica.lastFailedVersion = -1;
          } else {
            replica.lastFailedVersion = version;
          }
        }
      }
      return;
    }
    if (!("tabletId" in operation)) {
      return;
    }
    const tablet = this.tablet(operation.tabletId);
    if (tablet === undefined) {
      return;
    }
    if (operation.type === "addReplica") {
      tablet.replicas.push({ ...operation.replica });
      this.#reserve(operation.replica.id);
      return;
    }
    const index = tablet.replicas.findIndex(({ id }) => id === operation.replicaId);
    const replica = tablet.replicas[index];
    if (replica === undefined) {
      return;
    }
    if (operation.type === "dropReplica") {
      tablet.replicas.splice(index, 1);
    } else if (operation.type === "reported") {
      replica.version = operation.version;
      replica.bad = operation.bad;
      if (replica.version < tablet.version) {
        replica.lastFailedVersion = tablet.version;
      }
    } else if (operation.type === "cloned") {
      replica.version = operation.version;
      replica.lastSuccessVersion = operation.version;
      replica.state = "NORMAL";
      if (replica.version >= tablet.version) {
        replica.lastFailedVersion = -1;
      }
    }
  }

  #reserve(id: number): void {
    this.state.nextId = Math.max(this.state.nextId, id + 1);
  }
}
