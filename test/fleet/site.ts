import type { KeyPair } from "./keys.js";
import type { FleetOptions, Host } from "./types.js";

/** What one kind of fleet is asked to build; everything else is the same for both. */
export interface SiteOptions extends Omit<FleetOptions, "hosts" | "folders" | "user" | "sudo" | "maxSessions"> {
  readonly names: readonly string[];
  readonly user: string;
  readonly sudo: NonNullable<FleetOptions["sudo"]>;
  readonly folders: readonly string[];
  readonly maxSessions: number;
  /** This fleet's number among all of the machine. */
  readonly number: number;
  /** Where the hosts' disks go. */
  readonly folder: string;
  /** Public keys that log in. */
  readonly publicKeys: readonly string[];
  /** What the hosts' processes are found by. */
  readonly tag: string;
}

export interface SiteHost extends Host {
  /** The key that `knownHosts` has. */
  readonly hostKey: KeyPair;
  /** Logins by SSH since creation. */
  logins(): number;
}

export interface Site {
  readonly hosts: readonly SiteHost[];
  readonly oneAddress: boolean;
  close(): Promise<void>;
}

/** `Promise.all` that waits for all to end also when one fails: what is still at work must not meet the cleaning. */
export const all = async (works: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(works);
  await Promise.all(works);
};
