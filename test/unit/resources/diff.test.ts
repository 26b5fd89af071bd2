import assert from "node:assert/strict";
import { packedKeys } from "../../../provider/engine/packed.js";
import { unknownValue } from "../../../provider/engine/unknown.js";
import { connection, contacts, handlersOf, type Kind, kinds, newRelease, outputsOf, sample } from "./samples.js";

type Inputs = Readonly<Record<string, unknown>>;

/** What diff says of a resource that was created from a sample and is now declared with changes. */
const diff = async (kind: Kind, changes: Inputs, outputs: Inputs = {}) => {
  const inputs = sample(kind);
  return handlersOf(kind).diff("id", { ...outputsOf(kind, inputs), ...outputs }, { ...inputs, ...changes });
};

/** An FE that no sample has. */
const otherFe = (n: number): Inputs => ({
  ...contacts[0],
  name: `fe-${n}`,
  address: `10.0.0.1${n}`,
  connection: { host: `10.0.0.1${n}` },
});

const nodes: readonly Kind[] = ["feNode", "beNode"];
const members: readonly Kind[] = ["feMember", "beMember"];

for (const kind of kinds) {
  describe(`diff of ${kind}`, () => {
    it("sees no change where there is none, whatever the order of keys", async () => {
      assert.equal((await diff(kind, {})).changes, false);
      const inputs = sample(kind);
      const reversed = JSON.parse(JSON.stringify(inputs), (_key, value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).reverse())
          : value,
      ) as Inputs;
      assert.equal((await handlersOf(kind).diff("id", outputsOf(kind, inputs), reversed)).changes, false);
    });

    it("sees no change between values that an earlier release recorded and their texts", async () => {
      const inputs = sample(kind);
      const texts = packedKeys.filter((key) => key in inputs).map((key) => [key, JSON.stringify(inputs[key])]);
      const packed = { ...inputs, ...Object.fromEntries(texts) };
      assert.equal((await handlersOf(kind).diff("id", outputsOf(kind, inputs), packed)).changes, false);
    });

    it("never replaces", async () => {
      const everything = Object.fromEntries(Object.keys(sample(kind)).map((key) => [key, unknownValue]));
      for (const changes of [{}, everything, { release: newRelease }]) {
        const answer: object = await diff(kind, kind === "release" || kind === "rehearsal" ? {} : changes);
        assert.equal((answer as { replaces?: unknown }).replaces, undefined);
        assert.equal((answer as { deleteBeforeReplace?: unknown }).deleteBeforeReplace, true);
      }
    });

    for (const key of Object.keys(sample(kind)).filter((name) => name !== "frontends")) {
      it(`takes an unknown \`${key}\` for a change`, async () => {
        assert.equal((await diff(kind, { [key]: unknownValue })).changes, true);
      });
    }

    it("does not mind its place in the plan, nor where it is shown", async () => {
      assert.equal((await diff(kind, { position: 9, __urn: "urn:other", __clusterUrn: "urn:other" })).changes, false);
    });

    it("does not mind the plan among the inputs, which the outputs do not have", async () => {
      const inputs = sample(kind);
      const { inputs: checked } = await handlersOf(kind).check({}, inputs);
      const olds = outputsOf(kind, inputs);
      const { changes } = await handlersOf(kind).diff("id", olds, kind === "rollout" ? inputs : checked);
      assert.equal(changes, false);
    });
  });
}

describe("diff in another login session", () => {
  const agent = (session: number): Inputs => ({ agentSocketPath: `/tmp/ssh-${session}/agent.${session}` });
  const { password, ...byAgent } = connection;
  const through = (session: number): Inputs => ({
    ...byAgent,
    ...agent(session),
    proxy: { host: "jump", ...agent(session) },
  });

  for (const kind of kinds) {
    it(`of ${kind} does not mind that the agent's socket lies elsewhere`, async () => {
      const outputs = { connection: through(1) };
      assert.equal((await diff(kind, { connection: through(2) }, outputs)).changes, false);
      assert.equal(
        (await diff(kind, { connection: byAgent }, { connection: { ...byAgent, ...agent(1) } })).changes,
        false,
      );
    });
  }

  it("sees an agent where there was only a password", async () => {
    assert.equal((await diff("beNode", { connection: { ...connection, ...agent(1) } })).changes, true);
  });
});

describe("diff of a node", () => {
  const limits = { start: 60 };
  const table: readonly { what: string; changes: Inputs; outputs?: Inputs; changed: boolean }[] = [
    { what: "another version", changes: { release: newRelease }, changed: true },
    { what: "another setting", changes: { config: { a: "b" } }, changed: true },
    { what: "other limits", changes: { limits }, changed: true },
    { what: "another password", changes: { connection: { ...connection, password: "rotated" } }, changed: true },
    { what: "another SSH address", changes: { connection: { ...connection, host: "127.0.0.2" } }, changed: true },
    { what: "another SQL password", changes: { sql: { user: "root", password: "rotated" } }, changed: true },
    {
      what: "one more FE to ask",
      changes: { frontends: [...contacts, { ...contacts[0], name: "fe-9" }] },
      changed: false,
    },
    { what: "an FE instead of another", changes: { frontends: [...contacts.slice(1), otherFe(9)] }, changed: false },
    {
      what: "another leader",
      changes: { frontends: contacts.map((fe) => ({ ...fe, role: "follower" })) },
      changed: false,
    },
    {
      what: "that most FEs to ask are others",
      changes: { frontends: [contacts[0], otherFe(8), otherFe(9)] },
      changed: true,
    },
    {
      what: "that its only FE got a second one and an observer",
      changes: { frontends: [...contacts.slice(0, 2), { ...otherFe(9), role: "observer" }] },
      outputs: { frontends: contacts.slice(0, 1) },
      changed: false,
    },
    {
      what: "that the group goes on without the only FE that it knows",
      changes: {},
      outputs: { frontends: contacts.slice(0, 1) },
      changed: true,
    },
    {
      what: "that three FEs became five",
      changes: { frontends: [...contacts, otherFe(8), otherFe(9)] },
      changed: false,
    },
    { what: "FEs that are not known yet", changes: { frontends: unknownValue }, changed: false },
    {
      what: "an FE whose address is not known yet",
      changes: { frontends: [{ ...contacts[0], home: unknownValue, ports: unknownValue }] },
      changed: false,
    },
    { what: "another name of its pre-flight", changes: { preflight: "other" }, changed: false },
  ];
  for (const kind of nodes) {
    for (const { what, changes, outputs, changed } of table) {
      it(`of ${kind} ${changed ? "sees" : "ignores"} ${what}`, async () => {
        assert.equal((await diff(kind, changes, outputs)).changes, changed);
      });
    }

    for (const status of ["failed", "stopped", "unreachable"]) {
      it(`of ${kind} brings back one that is ${status}`, async () => {
        assert.equal((await diff(kind, {}, { status })).changes, true);
      });
    }

    it(`of ${kind} sees that it runs another release than declared`, async () => {
      assert.equal((await diff(kind, {}, { release: newRelease })).changes, true);
    });
  }

  it("sees another role of an FE", async () => {
    assert.equal((await diff("feNode", { role: "follower" })).changes, true);
  });
});

describe("diff of a member", () => {
  for (const kind of members) {
    const table: readonly { what: string; changes: Inputs; outputs?: Inputs; changed: boolean }[] = [
      { what: "another version", changes: { release: newRelease }, changed: false },
      { what: "an FE less to ask", changes: { frontends: contacts.slice(0, 2) }, changed: false },
      {
        what: "that the group goes on without the only FE that it knows",
        changes: {},
        outputs: { frontends: contacts.slice(0, 1) },
        changed: true,
      },
      { what: "that most FEs to ask are gone", changes: { frontends: contacts.slice(0, 1) }, changed: true },
      { what: "that all FEs to ask are others", changes: { frontends: [otherFe(8), otherFe(9)] }, changed: true },
      { what: "another password", changes: { connection: { ...connection, password: "rotated" } }, changed: true },
      { what: "another SQL password", changes: { sql: { user: "root", password: "rotated" } }, changed: true },
      { what: "that the cluster lost it", changes: {}, outputs: { status: "missing" }, changed: true },
    ];
    for (const { what, changes, outputs, changed } of table) {
      it(`of ${kind} ${changed ? "sees" : "ignores"} ${what}`, async () => {
        assert.equal((await diff(kind, changes, outputs)).changes, changed);
      });
    }
  }
});

describe("diff of a release", () => {
  const own = sample("release").release as Inputs;
  const { archive, ...rest } = own;
  const table: readonly { what: string; changes: Inputs; outputs?: Inputs; changed: boolean }[] = [
    { what: "another digest", changes: { release: { ...own, sha256: "b".repeat(64) } }, changed: true },
    { what: "another version", changes: { release: { ...own, version: "3.5.7" } }, changed: true },
    {
      what: "another path of the same archive",
      changes: { release: { ...own, archive: "/elsewhere.tar.gz" } },
      changed: false,
    },
    {
      what: "a download of the same archive",
      changes: { release: { ...rest, url: "https://h/s.tar.gz" } },
      changed: false,
    },
    { what: "another deployDir", changes: { deployDir: "/srv" }, changed: true },
    { what: "one more part", changes: { parts: ["be", "fe"] }, changed: true },
    { what: "a part less", changes: { parts: ["be"] }, outputs: { parts: ["be", "fe"] }, changed: false },
    { what: "that it is gone from the host", changes: {}, outputs: { staged: false }, changed: true },
    { what: "another password", changes: { connection: { ...connection, password: "rotated" } }, changed: true },
  ];
  for (const { what, changes, outputs, changed } of table) {
    it(`${changed ? "sees" : "ignores"} ${what}`, async () => {
      assert.equal((await diff("release", changes, outputs)).changes, changed);
    });
  }
});

describe("diff of the pre-flight and the rollout", () => {
  for (const kind of ["preflight", "rollout"] as const) {
    const table: readonly { what: string; changes: Inputs; changed: boolean }[] = [
      { what: "another version", changes: { release: newRelease }, changed: true },
      { what: "a node less", changes: { nodes: (sample(kind).nodes as readonly unknown[]).slice(1) }, changed: true },
      {
        what: "another connection",
        changes: { connection: { ...connection, host: "127.0.0.2" }, connections: [] },
        changed: false,
      },
      { what: "another SQL password", changes: { sql: { user: "root", password: "rotated" } }, changed: false },
      { what: "other limits", changes: { limits: { start: 60 } }, changed: false },
    ];
    for (const { what, changes, changed } of table) {
      it(`of ${kind} ${changed ? "sees" : "ignores"} ${what}`, async () => {
        assert.equal((await diff(kind, changes)).changes, changed);
      });
    }
  }
});
