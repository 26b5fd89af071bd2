import { z } from "zod";
import type { Plain } from "../../engine/outputs.js";
import { connectionSchema } from "../../host/connection.js";
import { limitsOf, limitsSchema } from "../../plan/limits.js";
import { releaseOfPart } from "../../plan/overlay.js";
import type { Ran } from "../../plan/rehearsal.js";
import { absolutePath, releaseSchema } from "../../plan/spec.js";
import { checkSettings } from "../../starrocks/settings.js";
import { strictObject } from "../../strict.js";
import { contactSchema, context, read, sqlSchema } from "../inputs.js";

/** As the `config` of a node. */
const config = z.record(z.string(), z.string()).superRefine((settings, context) => {
  for (const { key, message } of checkSettings("fe", settings)) {
    context.addIssue({ code: "custom", path: [key], message });
  }
});

export const rehearsalInputs = strictObject({
  ...context,
  cluster: z.string().min(1),
  release: releaseSchema,
  /** Where it is done, for people; `connection` says how to get there. */
  host: z.string().min(1),
  connection: connectionSchema,
  deployDir: absolutePath,
  javaHome: absolutePath.optional(),
  sql: sqlSchema.prefault({}),
  frontends: z.array(contactSchema).min(1, "wants at least one FE, whose metadata is copied"),
  /** What fe.conf is to say, declared for every FE. Where it is not told, the leader's file counts as it is. */
  config: config.optional(),
  /** The same for some of them, by their names: it wins. Which FE leads, and is rehearsed, is known when it is done. */
  ownConfig: z.record(z.string(), config).default({}),
  when: z.enum(["auto", "always"]).default("auto"),
  memory: z
    .string()
    .regex(/^[1-9]\d*[kmgKMG]$/, 'must be a size as Java takes it, such as "1g" or "2048m"')
    .default("1g"),
  /** The copy stays also after a success. */
  keep: z.boolean().default(false),
  /** The host has no route to the cluster; then no namespace is needed. */
  isolated: z.boolean().default(false),
  /** Seconds from the start of the FE to the verdict. Default: the limit `start`. */
  limit: z.number().positive().optional(),
  limits: limitsSchema.optional(),
});

export const inputsOf = (inputs: Plain) => {
  const parsed = read(rehearsalInputs, inputs);
  const limits = limitsOf(parsed.limits);
  return {
    ...parsed,
    to: releaseOfPart(parsed.release, "fe"),
    limits,
    limit: parsed.limit === undefined ? limits.start : parsed.limit * 1000,
  };
};

/** What the outputs say that the leader ran; states of before this was kept do not. */
export const againstIn = (outputs: Plain): Ran | undefined =>
  z.object({ id: z.string().optional(), version: z.string() }).safeParse(outputs.against).data;

export type Inputs = ReturnType<typeof inputsOf>;
