/** How many replicas of a tablet must take a write before it counts. */
export type WriteQuorum = "MAJORITY" | "ONE" | "ALL";

/** What a table's owner asked for. */
export interface Declared {
  readonly replicationNum: number;
  readonly writeQuorum: WriteQuorum;
}

export interface Replica {
  readonly backendId: string;
  /** Complete, not bad and in its normal state, as the FEs know it; says nothing of the BE that it lies on. */
  readonly sound: boolean;
}

export interface Tablet {
  readonly id: string;
  /** `db.table` */
  readonly table: string;
  readonly declared: Declared;
  readonly replicas: readonly Replica[];
}
