import { z } from "zod";
import { strictObject } from "../strict.js";

const limit = (fallback: number) => z.number().positive().default(fallback);

/**
 * The limit of every wait, in seconds. A real FE loads its image and a BE its tablets before they answer, in a time
 * that depends on the data: those limits are generous, as reaching one means that a person must look.
 */
export const limitsSchema = strictObject({
  /** One command on a host. */
  command: limit(120),
  /** Upload or download of a release to one host; hashing what is there already. */
  transfer: limit(3600),
  /** Unpacking and verifying a release on one host. */
  unpack: limit(900),
  /** From the start script to a process that answers. */
  start: limit(900),
  /** From the stop script to a process that is gone; then it is killed. */
  stop: limit(120),
  /** Until the cluster sees a node Alive, with the new version and a new start time. */
  alive: limit(300),
  /** Until a node whose turn is next may stop: nodes that are down come back first. Turns before its own and pauses do not count. */
  turn: limit(7200),
  /** Until another operator who is changing the cluster has done so. */
  lease: limit(600),
  /** Until the FE group has a leader again. */
  leader: limit(180),
  /** Until the tablets of a BE allow its stop, and have caught up after its start. */
  tablets: limit(3600),
  /** Until the leader has written a metadata image; it does so once a minute. */
  image: limit(300),
  /** Copying the leader's metadata before a version change. */
  backup: limit(1800),
  /** Until a decommissioned BE has given its tablets away. */
  decommission: limit(86_400),
  /** One SQL statement. `SHOW FRONTENDS` hangs while there is no leader. */
  sql: limit(10),
  /** One HTTP request. */
  http: limit(5),
});

export type Limits = z.output<typeof limitsSchema>;

/** The limits in milliseconds, as code waits. */
export const limitsOf = (given: unknown): Limits => {
  const inSeconds = limitsSchema.parse(given ?? {});
  return Object.fromEntries(Object.entries(inSeconds).map(([name, value]) => [name, value * 1000])) as Limits;
};
