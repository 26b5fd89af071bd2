import type { Part } from "./layout.js";

export interface StageOptions {
  readonly deployDir: string;
  readonly releaseId: string;
  /** As declared: `3.5.7`, or with the commit `3.5.7-d2da301`. */
  readonly version: string;
  readonly sha256: string;
  readonly source: { readonly archive: string } | { readonly url: string };
  readonly parts: readonly Part[];
  /** JDK on the host, with which the FE is asked for its version; may still be looked for. */
  readonly javaHome?: string | Promise<string>;
  readonly onProgress?: (message: string) => void;
  readonly limits?: Partial<StageLimits>;
}

export interface StageLimits {
  /** Milliseconds for the way of an archive to the host, by upload or by a download of its own. */
  readonly transfer: number;
  /** Milliseconds for unpacking and verifying. */
  readonly unpack: number;
}

/** A release is 3 to 4 GB packed: an hour is 1 MB/s; unpacking takes 1 to 3 minutes on a slow disk. */
export const stageLimits: StageLimits = { transfer: 3_600_000, unpack: 900_000 };
