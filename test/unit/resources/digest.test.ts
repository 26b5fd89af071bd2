import assert from "node:assert/strict";
import { digestOf } from "../../../provider/resources/preflight/topology.js";
import { newRelease, samples } from "./samples.js";

type Inputs = Readonly<Record<string, unknown>>;

const inputs: Inputs = samples("lab/dev/analytics").preflight;
const nodes = inputs.nodes as readonly Inputs[];

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, reversed(inner)]),
      )
    : value;
};

describe("digestOf", () => {
  it("stays what it is: it stands in users' state", () => {
    assert.equal(digestOf(inputs), "9a3b7dbabe709b5c");
  });

  const same: readonly { what: string; changed: Inputs }[] = [
    { what: "the order of keys", changed: reversed(inputs) as Inputs },
    { what: "how hosts are reached", changed: { ...inputs, connection: { host: "h" }, connections: [] } },
    { what: "the SQL login", changed: { ...inputs, sql: { user: "admin" } } },
    {
      what: "limits",
      changed: { ...inputs, limits: { start: 1 }, nodes: nodes.map((node) => ({ ...node, limits: { start: 1 } })) },
    },
    { what: "contacts and place", changed: { ...inputs, frontends: [], position: 7 } },
    { what: "where it is shown", changed: { ...inputs, __urn: "urn:a", __clusterUrn: "urn:b", __provider: "text" } },
    { what: "adoption", changed: { ...inputs, nodes: nodes.map((node) => ({ ...node, adopt: true })) } },
  ];
  for (const { what, changed } of same) {
    it(`does not depend on ${what}`, () => assert.equal(digestOf(changed), digestOf(inputs)));
  }

  const other: readonly { what: string; changed: Inputs }[] = [
    { what: "the release", changed: { ...inputs, release: newRelease } },
    { what: "the nodes", changed: { ...inputs, nodes: nodes.slice(1) } },
    { what: "the order of nodes", changed: { ...inputs, nodes: [...nodes].reverse() } },
    { what: "a setting", changed: { ...inputs, nodes: nodes.map((node) => ({ ...node, config: { a: "b" } })) } },
    { what: "how many may be down", changed: { ...inputs, maxUnavailable: 2 } },
    { what: "the cluster", changed: { ...inputs, cluster: "lab/dev/other" } },
  ];
  for (const { what, changed } of other) {
    it(`depends on ${what}`, () => assert.notEqual(digestOf(changed), digestOf(inputs)));
  }
});
