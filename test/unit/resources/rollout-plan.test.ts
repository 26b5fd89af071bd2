import assert from "node:assert/strict";
import { runOf } from "../../../provider/rollout/run.js";
import { handlersOf, newRelease, outputsOf, release, samples } from "./samples.js";

type Inputs = Readonly<Record<string, unknown>>;
type Given = Parameters<ReturnType<typeof handlersOf>["check"]>[0];

describe("what Rollout plans", () => {
  const verify = ["SELECT count(*) FROM shop.orders"];
  const cluster = "lab/dev/proofs";
  const { beNode, feNode, rollout } = samples(cluster);
  const nodesOf = (of: typeof release, config: Inputs): readonly (readonly ["beNode" | "feNode", Inputs])[] => [
    ["beNode", { ...beNode, name: "be-1", address: "10.0.0.21", release: of, config }],
    ["beNode", { ...beNode, name: "be-2", address: "10.0.0.22", release: of, config }],
    ["feNode", { ...feNode, name: "fe-1", address: "10.0.0.11", release: of }],
  ];
  const rolloutOf = (of: typeof release, config: Inputs): Inputs => ({
    ...rollout,
    release: of,
    nodes: (rollout.nodes as readonly Inputs[]).map((node) => ({
      ...node,
      release: of,
      ...(node.kind === "be" && { config }),
    })),
    policy: { verify },
  });

  /** Its steps, where the nodes and the last end of an operation are recorded with a release and settings of BEs each. */
  const planned = async (
    nodes: readonly [typeof release, Inputs],
    end: readonly [typeof release, Inputs],
    declared: readonly [typeof release, Inputs],
    outputs: Inputs = {},
  ): Promise<readonly string[]> => {
    const run = runOf(cluster);
    run.items.clear();
    const wanted = rolloutOf(...declared);
    await handlersOf("preflight").check(wanted as Given, wanted as Given);
    await handlersOf("preflight").diff("id", outputsOf("preflight", wanted as Given), wanted as Given);
    const recorded = nodesOf(...nodes);
    for (const [index, [kind, node]] of nodesOf(...declared).entries()) {
      const { failures = [] } = await handlersOf(kind).check((recorded[index]?.[1] ?? {}) as Given, node as Given);
      assert.deepEqual(failures, []);
    }
    const olds = rolloutOf(...end);
    const { failures = [], inputs } = await handlersOf("rollout").check(olds as Given, wanted as Given);
    assert.deepEqual(failures, []);
    const recordedEnd = { ...outputsOf("rollout", olds as Given), ...outputs };
    const { changes } = await handlersOf("rollout").diff("id", recordedEnd, inputs);
    assert.equal(changes, (run.items.get("rollout")?.steps ?? []).length > 0);
    return (run.items.get("rollout")?.steps ?? []).map(({ verb, when }) => (when ? `${verb}?` : verb));
  };

  const setting = { mem_limit: "70%" };
  const cases: readonly { what: string; given: Parameters<typeof planned>; steps: readonly string[] }[] = [
    {
      what: "to prove, watch and ask after an upgrade",
      given: [
        [release, {}],
        [release, {}],
        [newRelease, {}],
      ],
      steps: ["survey", "observe", "verify", "prune?"],
    },
    {
      what: "the same where the nodes were changed by an operation that did not come to its end",
      given: [
        [newRelease, {}],
        [release, {}],
        [newRelease, {}],
      ],
      steps: ["repair?", "survey", "observe", "verify", "prune?"],
    },
    {
      what: "the same after a change of settings that did not",
      given: [
        [release, setting],
        [release, {}],
        [release, setting],
      ],
      steps: ["repair?", "survey", "observe", "verify"],
    },
    {
      what: "another proof where the last end failed, which only its outputs tell",
      given: [[release, {}], [release, {}], [release, {}], { digest: "what is declared is not proven" }],
      steps: ["repair?", "survey", "observe?"],
    },
    {
      what: "the watch and the queries, too, where that end was one of changed nodes",
      given: [
        [release, {}],
        [release, {}],
        [release, {}],
        { digest: "what is declared is not proven", unproven: true },
      ],
      steps: ["repair?", "survey", "observe", "verify"],
    },
    {
      what: "nothing where all is as it was",
      given: [
        [release, {}],
        [release, {}],
        [release, {}],
      ],
      steps: [],
    },
  ];
  for (const { given, steps, what } of cases) {
    it(what, async () => assert.deepEqual(await planned(...given), steps));
  }

  /** What is wrong with a new version, where the end of the last operation had these nodes. */
  const refusals = async (before: (nodes: readonly Inputs[]) => readonly Inputs[]): Promise<readonly string[]> => {
    runOf(cluster).items.clear();
    const wanted = rolloutOf(newRelease, {});
    const old = rolloutOf(release, {});
    await handlersOf("preflight").check(old as Given, wanted as Given);
    const recorded = nodesOf(release, {});
    for (const [index, [kind, node]] of nodesOf(newRelease, {}).entries()) {
      await handlersOf(kind).check(recorded[index]?.[1] as Given, node as Given);
    }
    const olds = { ...old, nodes: before(old.nodes as readonly Inputs[]) };
    const { failures = [] } = await handlersOf("rollout").check(olds as Given, wanted as Given);
    return failures.map(({ reason }) => reason);
  };

  it("is no new version where nodes are taken out by the same program", async () => {
    const [reason = "", ...others] = await refusals((nodes) => [
      ...nodes,
      { ...nodes[1], name: "be-3", address: "10.0.0.23" },
    ]);
    assert.match(
      reason,
      /^release\.version: \S+ → \S+: The same program takes nodes out\. .*acceptHazards: \["nodes-leave-meanwhile"\]/,
    );
    assert.deepEqual(others, []);
  });

  it("is a new version where a node has another name only", async () => {
    assert.deepEqual(await refusals(([first, ...others]) => [{ ...first, name: "of-old" }, ...others]), []);
  });
});
