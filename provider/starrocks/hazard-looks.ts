import type { Look } from "./looks.js";
import { backendName } from "./rows.js";
import { showBackends } from "./show.js";
import type { Row, Sql } from "./sql.js";

/** A row of the hazard table as far as a look needs it. */
interface Looked {
  readonly looks?: Look;
}

export interface FoundHazard<H extends Looked> {
  readonly hazard: H;
  /** What exactly was found: `shop.orders (job 10050, RUNNING)`. */
  readonly seen: string;
}

/**
 * Looks at the cluster for those of the rows that only it can tell, each look once; answers the ones found, in the order
 * given. `limit` bounds each statement: milliseconds.
 */
export const lookForHazards = async <H extends Looked>(
  sql: Sql,
  hazards: readonly H[],
  limit?: number,
): Promise<readonly FoundHazard<H>[]> => {
  const session = new Cluster(sql, limit);
  const found: FoundHazard<H>[] = [];
  for (const hazard of hazards) {
    const seen = hazard.looks === undefined ? undefined : await lookers[hazard.looks](session);
    if (seen !== undefined) {
      found.push({ hazard, seen });
    }
  }
  return found;
};

/** What was asked already is not asked again: several rows look at the same thing. */
class Cluster {
  readonly #sql: Sql;
  readonly #limit: number | undefined;
  #schemaChanges: Promise<readonly SchemaChange[]> | undefined;

  constructor(sql: Sql, limit: number | undefined) {
    this.#sql = sql;
    this.#limit = limit;
  }

  get schemaChanges(): Promise<readonly SchemaChange[]> {
    this.#schemaChanges ??= this.onLeader(() => this.#readSchemaChanges());
    return this.#schemaChanges;
  }

  async #readSchemaChanges(): Promise<readonly SchemaChange[]> {
    const all: SchemaChange[] = [];
    for (const { DbId, DbName } of await this.rows("SHOW PROC '/dbs'")) {
      for (const row of await this.rows(`SHOW PROC '/jobs/${Number(DbId)}/schema_change'`)) {
        // 2.x puts its one cluster before the name.
        all.push(schemaChangeOf((DbName ?? "").replace(/^default_cluster:/, ""), row));
      }
    }
    return all;
  }

  rows(statement: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#sql.query(statement, values, this.#limit);
  }

  async decommissioning(): Promise<readonly string[]> {
    const backends = await showBackends(this.#sql, this.#limit);
    return backends
      .filter(({ decommissioned }) => decommissioned)
      .map((backend) => `${backendName(backend)} (${backend.tabletNum} tablets left)`);
  }

  /** A global variable; undefined where this version has none of that name. */
  async global(name: string): Promise<string | undefined> {
    const rows = await this.rows("SHOW GLOBAL VARIABLES LIKE ?", [name]);
    return rows.find((row) => row.Variable_name === name)?.Value ?? undefined;
  }

  /** SHOW PROC answers what the FE asked knows; the leader decides what is history. 3.x takes the variable's 2.x name too. */
  async onLeader<T>(work: () => Promise<T>): Promise<T> {
    await this.rows("SET forward_to_master = true");
    try {
      return await work();
    } finally {
      await this.rows("SET forward_to_master = false");
    }
  }
}

interface SchemaChange {
  readonly text: string;
  readonly over: boolean;
}

const schemaChangeOf = (database: string, { JobId, TableName, State }: Row): SchemaChange => ({
  text: `${database}.${TableName} (job ${JobId}, ${State})`,
  over: State === "FINISHED" || State === "CANCELLED",
});

/** At most so many of a kind are named. */
const named = 5;

const listed = (texts: readonly string[]): string | undefined => {
  const more = texts.length - named;
  return texts.length === 0 ? undefined : texts.slice(0, named).join(", ") + (more > 0 ? ` and ${more} more` : "");
};

const isOn = (value: string | undefined): boolean => value !== undefined && /^(true|1|on)$/i.test(value);

const globalThat =
  (name: string, is: (value: string) => boolean) =>
  async (cluster: Cluster): Promise<string | undefined> => {
    const value = await cluster.global(name);
    return value !== undefined && is(value) ? `${name} = ${value}` : undefined;
  };

const lookers: Readonly<Record<Look, (cluster: Cluster) => Promise<string | undefined>>> = {
  "schema changes under way": async (cluster) =>
    listed((await cluster.schemaChanges).filter(({ over }) => !over).map(({ text }) => text)),
  "schema changes in history": async (cluster) =>
    listed((await cluster.schemaChanges).filter(({ over }) => over).map(({ text }) => text)),
  "decommissions under way": async (cluster) => listed(await cluster.decommissioning()),
  "database named starrocks": async (cluster) => {
    const databases = await cluster.rows("SHOW DATABASES");
    return databases.some(({ Database }) => Database === "starrocks") ? "`starrocks` in SHOW DATABASES" : undefined;
  },
  "low cardinality optimization on": globalThat("cbo_enable_low_cardinality_optimize", isOn),
  "batch size above 4096": globalThat("batch_size", (value) => Number(value) > 4096),
  "pipeline engine off": globalThat("enable_pipeline_engine", (value) => !isOn(value)),
  "meta scan rewrite on": globalThat("enable_rewrite_simple_agg_to_meta_scan", isOn),
};
