import { posix } from "node:path";
import { z } from "zod";
import type { CheckFailure } from "../engine/failure.js";
import type { Plain } from "../engine/outputs.js";
import { Recent } from "../engine/recent.js";
import { hasUnknown, isUnknown, valueAt } from "../engine/unknown.js";
import { connectionSchema } from "../host/connection.js";
import { limitsSchema } from "../plan/limits.js";
import { policySchema, unavailable } from "../plan/policy.js";
import {
  absolutePath,
  beFields,
  feFields,
  fePortsSchema,
  nodeReleaseSchema,
  releaseSchema,
  roles,
} from "../plan/spec.js";
import { strictObject } from "../strict.js";

export const sqlSchema = strictObject({
  user: z.string().min(1).default("root"),
  password: z.string().optional(),
});

export type SqlAccess = z.output<typeof sqlSchema>;

/**
 * An FE as others reach it, in as few fields as say it: every node records all of them. The connection holds only what
 * differs from that of the node that asks.
 */
export const contactSchema = strictObject({
  name: z.string(),
  address: z.string(),
  role: z.enum(roles),
  ports: fePortsSchema.prefault({}),
  home: absolutePath,
  metaDir: absolutePath.optional(),
  connection: z.record(z.string(), z.unknown()).optional(),
}).transform(({ metaDir, connection, ...contact }) => ({
  ...contact,
  metaDir: metaDir ?? posix.join(contact.home, "meta"),
  connection: { host: contact.address, ...connection },
}));

export type Contact = z.output<typeof contactSchema>;

/**
 * A schema for what many resources have in common: an object is parsed once. Objects are the same where their packed
 * texts are (`unpacked`).
 */
const shared = <S extends z.ZodType>(schema: S) => {
  const parsed = new WeakMap<object, z.output<S>>();
  return z.unknown().transform((value, context): z.output<S> => {
    const known = typeof value === "object" && value !== null ? parsed.get(value) : undefined;
    if (known !== undefined) {
      return known;
    }
    const result = schema.safeParse(value);
    if (!result.success) {
      context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: value }) as never));
      return z.NEVER;
    }
    if (typeof value === "object" && value !== null) {
      parsed.set(value, result.data);
    }
    return result.data;
  });
};

const connectionInput = shared(connectionSchema);

/**
 * What every resource carries beside its own fields: its place in the plan, and where to show its progress. The engine
 * hides keys that begin with `__` from diffs.
 */
export const context = {
  position: z.number().default(0),
  __urn: z.string().optional(),
  __clusterUrn: z.string().optional(),
};

const nodeContext = {
  ...context,
  connection: connectionInput,
  sql: sqlSchema.prefault({}),
  frontends: shared(z.array(contactSchema).default([])),
  /** Name of the `Preflight` that guards this node. Without one a node is started and stopped, but its version stays. */
  preflight: z.string().optional(),
};

export const feNodeInputs = strictObject({ ...feFields, ...nodeContext });
export const beNodeInputs = strictObject({ ...beFields, ...nodeContext });

export const releaseInputs = strictObject({
  ...context,
  cluster: z.string().min(1),
  host: z.string().min(1),
  connection: connectionInput,
  deployDir: absolutePath,
  release: releaseSchema,
  parts: z.array(z.enum(["fe", "be"])).min(1),
  javaHome: absolutePath.optional(),
  limits: limitsSchema.optional(),
});

export const memberFields = {
  ...context,
  cluster: z.string().min(1),
  name: z.string().min(1),
  address: z.string().min(1),
  home: absolutePath,
  connection: connectionInput,
  sql: sqlSchema.prefault({}),
  frontends: shared(z.array(contactSchema).min(1, "wants at least one FE to ask")),
  release: nodeReleaseSchema,
  limits: limitsSchema.optional(),
};

export const feMemberInputs = strictObject({
  ...memberFields,
  role: z.enum(roles),
  metaDir: absolutePath,
  ports: fePortsSchema.prefault({}),
});

export const beMemberInputs = strictObject({
  ...memberFields,
  port: z.int().min(1).max(65_535),
});

/** The whole cluster, for the two resources that look at it as one. `nodes` are the nodes' own inputs without what they share. */
const topologyFields = {
  ...context,
  cluster: z.string().min(1),
  release: nodeReleaseSchema,
  nodes: z.array(
    z.discriminatedUnion("kind", [
      strictObject({ kind: z.literal("fe"), ...feFields }),
      strictObject({ kind: z.literal("be"), ...beFields }),
    ]),
  ),
  /** The connection of the first node; `connections` holds, for each node, what differs from it. */
  connection: connectionInput,
  connections: z.array(z.record(z.string(), z.unknown())),
  sql: sqlSchema.prefault({}),
  frontends: z.array(contactSchema).default([]),
  maxUnavailable: unavailable.default(1),
  policy: policySchema.prefault({}),
  limits: limitsSchema.optional(),
};

export const topologyInputs = strictObject(topologyFields);

/**
 * Inputs with defaults filled in; throws for what `check` has refused. State of other releases of this package may have
 * keys more, at any depth: they are left out. The same is read once: a preview asks for each several times, and what is
 * recorded is mostly what is declared.
 */
export const read = <S extends z.ZodObject>(schema: S, inputs: Plain): z.output<S> => {
  const picked = pick(schema, inputs);
  return readBefore(schema).get(fingerprint(picked), () => parse(schema, picked)) as z.output<S>;
};

/** Between check and diff of a resource the engine asks for few others. */
const remembered = 100;

const readings = new WeakMap<z.ZodObject, Recent<string, unknown>>();

const readBefore = (schema: z.ZodObject): Recent<string, unknown> => {
  const known = readings.get(schema) ?? new Recent<string, unknown>(remembered);
  readings.set(schema, known);
  return known;
};

/** The same for the same inputs: what is unpacked of the same text is the same object. */
const fingerprint = (inputs: Plain): string =>
  Object.keys(inputs)
    .sort()
    .map((key) => `${key} ${identityOf(inputs[key])}`)
    .join("\n");

const identities = new WeakMap<object, number>();
let objects = 0;

const identityOf = (value: unknown): string => {
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value) ?? "undefined";
  }
  const identity = identities.get(value) ?? ++objects;
  identities.set(value, identity);
  return `#${identity}`;
};

/** Nearly all that is recorded has keys more at the top: the provider's text, and what only outputs have. */
const pick = (schema: z.ZodObject, inputs: Plain): Plain =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => key in schema.shape));

const parse = <S extends z.ZodObject>(schema: S, inputs: Plain): z.output<S> => {
  const result = schema.safeParse(inputs);
  if (result.success) {
    return result.data as z.output<S>;
  }
  const known = structuredClone(inputs);
  for (const issue of result.error.issues) {
    const holder = valueAt(known, issue.path) as Record<string, unknown>;
    for (const key of issue.code === "unrecognized_keys" ? issue.keys : []) {
      delete holder[key];
    }
  }
  return schema.parse(known) as z.output<S>;
};

/** What is wrong with inputs, by field. What preview does not know yet is not judged. */
export const failuresOf = (schema: z.ZodObject, inputs: Plain): readonly CheckFailure[] => {
  const own = withoutProvider(inputs);
  const result = schema.safeParse(own);
  if (result.success) {
    readBefore(schema).get(fingerprint(own), () => result.data);
    return [];
  }
  return result.error.issues
    .filter((issue) => issue.code === "unrecognized_keys" || !dependsOnUnknown(valueAt(inputs, issue.path)))
    .map((issue) => ({ property: pathText(issue.path), reason: reasonOf(issue, valueAt(own, issue.path)) }));
};

/** The dynamic layer adds the provider's text to every resource's inputs. */
export const withoutProvider = (inputs: Plain): Plain => {
  const { __provider, ...rest } = inputs;
  return rest;
};

/** A rule on a whole object cannot be judged while a part of it is unknown; that a key is none of ours can. */
const dependsOnUnknown = (value: unknown): boolean =>
  isUnknown(value) || (typeof value === "object" && hasUnknown(value));

/** `storage[0].path` */
export const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");

const reasonOf = ({ code, message }: z.core.$ZodIssue, value: unknown): string =>
  code === "invalid_type" && value === undefined ? "must be given" : message;
