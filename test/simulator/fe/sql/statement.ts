import type { Value } from "../data/backends.js";
import type { TabletLocks } from "../data/lock.js";
import type { Frontend } from "../frontend.js";
import type { Disks } from "../leader/disks.js";
import type { Repairs } from "../leader/repair.js";
import type { Tokens } from "./tokens.js";

export interface Session {
  readonly id: number;
  readonly user: string;
  readonly remoteHost: string;
  database: string | undefined;
  readonly variables: Map<string, string>;
  closed: boolean;
}

export type Result =
  | {
      readonly columns: readonly string[];
      readonly rows: readonly (readonly Value[])[];
      readonly numeric?: readonly number[];
    }
  | { readonly affected: number; readonly info?: string };

export const done: Result = { affected: 0 };

/** What statements work with. */
export interface Engine {
  readonly fe: Frontend;
  readonly locks: TabletLocks;
  readonly repairs: Repairs;
  readonly disks: Disks;
}

export interface Context extends Engine {
  readonly session: Session;
}

export interface Statement {
  /** The words it begins with; the longest match wins. */
  readonly words: string;
  /** `leader`: forwarded by the others. */
  readonly runsOn: "leader" | "here";
  /** Needs the rights of an administrator. */
  readonly admin?: boolean;
  readonly run: (context: Context, tokens: Tokens) => Result | Promise<Result>;
}
