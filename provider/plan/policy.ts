import { z } from "zod";
import { strictObject } from "../strict.js";

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

const durationError = 'must be seconds, or a text with its unit such as "90s", "5m" or "1h"';

/** Seconds as a number, or text with its unit: `90`, `"90s"`, `"5m"`, `"1h"`. Gives seconds. */
export const duration = z
  .union([z.number().nonnegative(durationError), z.string().regex(durationPattern, durationError)], {
    error: durationError,
  })
  .transform((given) => {
    const [, amount = "", unit = ""] = typeof given === "string" ? (durationPattern.exec(given) ?? []) : [];
    return typeof given === "number" ? given : Number(amount) * (units[unit] ?? 1);
  });

const unavailableError = 'must be a number of nodes from 1 on, or a share such as "25%"';

/** A number of nodes, or a share of those that there are: `2`, `"25%"`. */
export const unavailable = z.union(
  [z.int(unavailableError).min(1, unavailableError), z.string().regex(/^([1-9]\d?|100)%$/, unavailableError)],
  {
    error: unavailableError,
  },
);

/** How many of `nodes` may be down at once: never more than there are; a share is rounded down, and is never less than one. */
export const unavailableOf = (given: z.output<typeof unavailable>, nodes: number): number => {
  const wanted = typeof given === "number" ? given : Math.floor((nodes * Number.parseInt(given, 10)) / 100);
  return Math.max(1, Math.min(wanted, nodes));
};

/** What is allowed, but hardly meant. Of BEs in racks, never more than those of one are down together. */
export const unavailableWarnings = (
  given: z.output<typeof unavailable>,
  backends: readonly { readonly rack?: string | undefined }[],
): readonly string[] => {
  const { length: nodes } = backends;
  const sparesNone = nodes > 1 && unavailableOf(given, nodes) === nodes && backends.every(({ rack }) => !rack);
  return sparesNone
    ? [
        `backends.rollout.maxUnavailable: ${given} spares none of ${nodes} BEs. Only what their tablets can do without keeps them from being down together.`,
      ]
    : [];
};

const verificationError = "expected a query, or `{ sql, expect: [[…row…]] }`";

/** A query of the user's own; with `expect`, its rows must be exactly these (all values as text, NULL as null). */
export const verification = z.union(
  [
    z
      .string()
      .min(1, verificationError)
      .transform((sql) => ({ sql, expect: undefined })),
    strictObject({
      sql: z.string().min(1, verificationError),
      expect: z.array(z.array(z.union([z.string(), z.number(), z.null()]))).optional(),
    }),
  ],
  { error: verificationError },
);

/** How a change of a running cluster is made. None of it makes another cluster: a new value alone changes nothing. */
export const policySchema = strictObject({
  /** `downgrade` must be said, and turns the order round: FEs first. */
  direction: z.enum(["upgrade", "downgrade"]).default("upgrade"),
  /** Ids of hazards that preview has shown and that the user takes. */
  acceptHazards: z.array(z.string()).default([]),
  /** Name of the BE that goes first and alone; default the first one. `false`: none does. */
  canary: z.union([z.string().min(1), z.literal(false)]).optional(),
  /** How long the canary is watched before any other BE, in seconds. */
  soak: duration.default(60),
  /** Seconds between two waves of BEs. */
  pause: duration.default(0),
  /** How long queries that run on a node may take to end when it is stopped, in seconds. Default: the version's own. */
  drain: duration.optional(),
  /** Tables that no order of steps keeps readable while a node is down (R=1, R=2, `write_quorum=ALL`). */
  singleReplicaTables: z.enum(["report", "refuse"]).default("report"),
  /** What to do with a canary BE that starts with neither the new release nor the old one. */
  onUnrecoverable: z.enum(["stop", "rebuild"]).default("stop"),
  /** How long all nodes are watched after the last one, in seconds. */
  observe: duration.default(60),
  /** Run after the canary, and through each FE at the end. */
  verify: z.array(verification).default([]),
});

export type Policy = z.output<typeof policySchema>;

export const defaultPolicy: Policy = policySchema.parse({});
