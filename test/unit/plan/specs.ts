import { type BeSpec, beSpec, beSpecSchema, type FeSpec, feSpec, feSpecSchema } from "../../../provider/plan/spec.js";

export const releases = {
  "3.5.6": { id: "3.5.6-aaaaaaaaaaaa", version: "3.5.6" },
  "3.5.7": { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" },
} as const;

const common = { cluster: "lab/dev/analytics", deployDir: "/opt/starrocks", release: releases["3.5.6"] };

/** A backend by its arguments, defaults filled in as `check` does it. */
export const be = (fields: Readonly<Record<string, unknown>> = {}): BeSpec =>
  beSpec(
    beSpecSchema.parse({
      ...common,
      kind: "be",
      name: "be-1",
      address: "10.0.0.21",
      storage: ["/disk1/starrocks"],
      ...fields,
    }),
  );

/** A frontend by its arguments. */
export const fe = (fields: Readonly<Record<string, unknown>> = {}): FeSpec =>
  feSpec(feSpecSchema.parse({ ...common, kind: "fe", name: "fe-1", address: "10.0.0.11", role: "leader", ...fields }));
