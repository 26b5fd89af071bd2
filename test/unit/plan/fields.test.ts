import assert from "node:assert/strict";
import { inArguments, nodeFields } from "../../../provider/plan/fields.js";

const nodes = [
  { kind: "be" },
  { kind: "be" },
  { kind: "fe", role: "observer" },
  { kind: "fe", role: "follower" },
  { kind: "fe", role: "leader" },
] as const;

describe("nodeFields", () => {
  it("names the argument that declares each node", () => {
    assert.deepEqual(nodeFields(nodes), [
      "backends.nodes[0]",
      "backends.nodes[1]",
      "frontends.observers[0]",
      "frontends.followers[0]",
      "frontends.leader",
    ]);
  });
});

describe("inArguments", () => {
  const table: readonly { what: string; properties: readonly string[]; told: readonly string[] }[] = [
    { what: "a node", properties: ["nodes[1].storage[0]"], told: ["backends.nodes[1].storage[0]"] },
    {
      what: "a contact, which is an FE",
      properties: ["frontends[0].metaDir"],
      told: ["frontends.observers[0].metaDir"],
    },
    {
      what: "an FE and its contact, once",
      properties: ["nodes[4].home", "frontends[2].home"],
      told: ["frontends.leader.home"],
    },
    {
      what: "a node's connection",
      properties: ["connections[3].port"],
      told: ["frontends.followers[0].connection.port"],
    },
    {
      what: "what all of a group say alike",
      properties: ["nodes[0].config.a", "nodes[1].config.a"],
      told: ["backends.config.a"],
    },
    { what: "what one of a group says", properties: ["nodes[0].config.a"], told: ["backends.nodes[0].config.a"] },
    {
      what: "how BEs are changed",
      properties: ["maxUnavailable", "policy.soak", "policy.canary", "policy.onUnrecoverable"],
      told: [
        "backends.rollout.maxUnavailable",
        "backends.rollout.soak",
        "backends.rollout.canary",
        "backends.rollout.onUnrecoverable",
      ],
    },
    {
      what: "how a change ends",
      properties: ["policy.verify[0]", "policy.observe"],
      told: ["rollout.verify[0]", "rollout.observe"],
    },
    {
      what: "which way a change goes",
      properties: ["policy.direction", "policy.acceptHazards[0]"],
      told: ["direction", "acceptHazards[0]"],
    },
    { what: "what is no node's", properties: ["release.version", ""], told: ["release.version", ""] },
    { what: "a node that is not there", properties: ["nodes[9].home"], told: ["nodes[9].home"] },
  ];
  for (const { what, properties, told } of table) {
    it(`tells of ${what}`, () => {
      const failures = properties.map((property) => ({ property, reason: "is wrong" }));
      assert.deepEqual(
        inArguments(failures, nodes).map(({ property }) => property),
        told,
      );
    });
  }
});
