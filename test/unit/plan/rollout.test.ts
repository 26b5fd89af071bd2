import assert from "node:assert/strict";
import { decide, type Recorded } from "../../../provider/plan/node.js";
import { keyOf, nowhere, placesOf } from "../../../provider/plan/place.js";
import { defaultPolicy, type Policy } from "../../../provider/plan/policy.js";
import { preflightItem, withGate } from "../../../provider/plan/preflight.js";
import { inOrder, isEmpty, planText } from "../../../provider/plan/rollout.js";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import type { Direction, Item } from "../../../provider/plan/steps.js";
import { nodeItem } from "../../../provider/resources/node/plan.js";
import { assertGolden } from "../../golden.js";
import { be, fe, releases } from "./specs.js";

const old = releases["3.5.6"];
const next = releases["3.5.7"];
const running = (spec: NodeSpec): Recorded => ({ spec, status: "running" });

/** The nodes of the plan in the order of a program: BEs, observers, followers, leader. */
const nodes = (fields: Readonly<Record<string, unknown>> = {}): readonly NodeSpec[] => [
  ...[1, 2, 3].map((n) => be({ name: `be-${n}`, address: `10.0.0.2${n}`, ...fields })),
  fe({ name: "fe-2", address: "10.0.0.12", role: "follower", ...fields }),
  fe({ name: "fe-3", address: "10.0.0.13", role: "follower", ...fields }),
  fe({ ...fields }),
];

const stage = ({ address, kind }: NodeSpec, position: number): Item => ({
  id: `host ${address}`,
  wave: "stage",
  position,
  change: `${next.version}, ${kind}`,
  stops: false,
  steps: [{ verb: "stage", text: "" }],
});

/** What is different when nothing was there before. */
const firstStage = (spec: NodeSpec, position: number): Item => ({
  ...stage(spec, position),
  change: `${old.version}, ${spec.kind}`,
});

const member = (spec: NodeSpec, position: number): Item => ({
  id: `${spec.kind.toUpperCase()} ${spec.name} in the cluster`,
  wave: "members",
  position,
  change: "",
  stops: false,
  steps: [
    { verb: "add", text: "", when: "if the cluster does not have it" },
    { verb: "join", text: "" },
  ],
});

const survey: Item = {
  id: "rollout",
  wave: "rollout",
  position: 0,
  change: "",
  stops: false,
  steps: [{ verb: "survey", text: "" }],
};

const itemsOf = (
  declared: readonly NodeSpec[],
  recorded: (spec: NodeSpec) => Recorded | undefined,
  policy: Partial<Policy> = {},
  maxUnavailable = 1,
): readonly Item[] => {
  const places = placesOf({ nodes: declared, policy: { ...defaultPolicy, ...policy }, maxUnavailable });
  return declared.map((spec, position) =>
    nodeItem(decide(recorded(spec), spec), spec, places.get(keyOf(spec)) ?? nowhere(position)),
  );
};

/** Deterministic, and nothing like the order of a plan. */
const shuffled = (items: readonly Item[]): readonly Item[] =>
  [...items].sort((a, b) =>
    [...a.id]
      .reverse()
      .join("")
      .localeCompare([...b.id].reverse().join("")),
  );

const byName = (specs: readonly NodeSpec[]) => new Map(specs.map((spec) => [spec.name, spec]));

/** A node as recorded: at the version before, or already at the new one. */
const half = (done: readonly string[], failed: string) => {
  const before = byName(nodes({ release: old }));
  return (spec: NodeSpec): Recorded => {
    const was = before.get(spec.name) ?? spec;
    if (spec.name === failed) {
      return { spec: was, status: "failed" };
    }
    return running(done.includes(spec.name) ? spec : was);
  };
};

const fourth = be({ name: "be-4", address: "10.0.0.24" });

const inRacks = (spec: NodeSpec, index: number): NodeSpec =>
  spec.kind === "be" ? { ...spec, rack: `r${index % 2}` } : spec;

interface Scenario {
  readonly file: string;
  readonly what: string;
  readonly items: readonly Item[];
  readonly maxUnavailable?: number;
  readonly direction?: Direction;
}

const scenarios: readonly Scenario[] = [
  {
    file: "first-deployment",
    what: "a first deployment",
    items: [
      ...nodes().map(firstStage),
      preflightItem(true, 0),
      ...itemsOf(nodes(), () => undefined, { canary: "be-1" }),
      ...nodes().map(member),
      survey,
    ],
  },
  {
    file: "version-change",
    what: "a version change of three BEs and three FEs",
    items: [...nodes().map(stage), preflightItem(true, 0), ...itemsOf(nodes({ release: next }), half([], "")), survey],
  },
  {
    file: "resumed",
    what: "the rest of a version change that failed half-way",
    items: [
      preflightItem(false, 0),
      ...itemsOf(nodes({ release: next }), half(["be-1", "be-2"], "be-3"), { canary: "be-1" }),
      survey,
    ],
  },
  {
    file: "canary-and-racks",
    what: "a version change with a canary, and racks that go together",
    maxUnavailable: 2,
    items: [
      preflightItem(true, 0),
      ...itemsOf(
        [...nodes({ release: next }), be({ name: "be-4", address: "10.0.0.24", release: next })].map(inRacks),
        half([], ""),
        { canary: "be-2", verify: [{ sql: "SELECT 1", expect: undefined }] },
        2,
      ),
      survey,
    ],
  },
  {
    file: "downgrade",
    what: "a declared downgrade",
    direction: "downgrade",
    items: [
      preflightItem(true, 0),
      ...itemsOf(nodes({ release: old }), (spec) => running({ ...spec, release: next })),
      survey,
    ],
  },
  {
    file: "one-more-be",
    what: "one more BE",
    items: [
      firstStage(fourth, 0),
      preflightItem(true, 0),
      ...itemsOf([...nodes(), fourth], (spec) => (spec === fourth ? undefined : running(spec))),
      member(fourth, 6),
      survey,
    ],
  },
  {
    file: "changed-setting",
    what: "a changed setting of all BEs, two at a time",
    maxUnavailable: 2,
    items: [
      preflightItem(true, 0),
      ...itemsOf(
        nodes().map((spec) => (spec.kind === "be" ? { ...spec, config: { mem_limit: "80%" } } : spec)),
        (spec) => running({ ...spec, config: {} }),
      ),
      survey,
    ],
  },
];

describe("planText", () => {
  for (const { file, what, items, maxUnavailable = 1, direction = "upgrade" } of scenarios) {
    const text = planText("analytics", withGate(shuffled(items)), { maxUnavailable, direction });

    it(`reads well for ${what} (golden/${file}.txt)`, () => {
      assertGolden(
        `unit/plan/golden/${file}.txt`,
        `${text}
`,
      );
    });

    it(`fits the width of a terminal for ${what}`, () => {
      assert.deepEqual(
        text.split("\n").filter((one) => one.length > 120),
        [],
      );
    });
  }

  it("is the same whatever the order in which the engine checked the resources", () => {
    for (const { items } of scenarios) {
      const bounds = { maxUnavailable: 1 };
      assert.equal(planText("a", shuffled(items), bounds), planText("a", [...items].reverse(), bounds));
    }
  });

  it("says that a group of one or two voting FEs pauses", () => {
    const change = itemsOf(nodes({ release: next }), half([], ""));
    const text = planText("a", change, { maxUnavailable: 1, voters: 2 });
    assert.match(text, /^The cluster pauses while an FE restarts: a group of two voting FEs has no majority/m);
    assert.doesNotMatch(planText("a", change, { maxUnavailable: 1, voters: 3 }), /pauses/);
  });

  it("says what a failure does, where running nodes are stopped", () => {
    const said = /^The first failure stops the change: that node is taken back, no other is begun\.$/m;
    assert.match(planText("a", itemsOf(nodes({ release: next }), half([], "")), { maxUnavailable: 1 }), said);
    assert.doesNotMatch(
      planText(
        "a",
        itemsOf(nodes(), () => undefined),
        { maxUnavailable: 1 },
      ),
      said,
    );
  });

  it("says that a new cluster's root gets the declared password", () => {
    const first = itemsOf(nodes(), () => undefined);
    const said = /^The root of a new cluster gets the declared password\.$/m;
    assert.match(planText("a", first, { maxUnavailable: 1, setsPassword: true }), said);
    assert.doesNotMatch(planText("a", first, { maxUnavailable: 1 }), said);
  });

  it("says of FEs that they go one by one only of first starts", () => {
    const down = itemsOf(nodes(), (spec) => ({ spec, status: "stopped" }));
    assert.match(planText("a", down, { maxUnavailable: 1 }), /^Follower FEs:$/m);
    assert.match(
      planText(
        "a",
        itemsOf(nodes(), () => undefined),
        { maxUnavailable: 1 },
      ),
      /^Follower FEs, one by one:$/m,
    );
  });

  it("says of a version change what it is: direction and size", () => {
    const back = itemsOf(nodes({ release: old }), (spec) => running({ ...spec, release: next }));
    assert.match(
      planText("a", back, { maxUnavailable: 1 }),
      /^a: StarRocks 3\.5\.7 → 3\.5\.6 \(back to an older patch version\)/,
    );
    const build = { ...old, id: `${old.version}-cccccccccccc` };
    assert.match(
      planText("a", itemsOf(nodes({ release: build }), half([], "")), { maxUnavailable: 1 }),
      /^a: StarRocks 3\.5\.6 \(another build\) on 3 BE, 3 FE\.$/m,
    );
  });

  it("is empty when nothing but credentials or limits changed", () => {
    assert.ok(isEmpty(itemsOf(nodes(), running)));
    assert.ok(isEmpty(itemsOf(nodes({ limits: { start: 60 } }), (spec) => running({ ...spec, limits: undefined }))));
  });

  it("lists no node that nothing is done to", () => {
    const items = itemsOf(nodes(), (spec) => (spec.name === "be-2" ? { spec, status: "stopped" } : running(spec)));
    const text = planText("a", items, { maxUnavailable: 1 });
    assert.match(text, /be-2, repair \(was stopped\)/);
    assert.doesNotMatch(text, /be-1|fe-/);
    assert.match(text, /no other running node is stopped/);
  });
});

describe("inOrder", () => {
  it("puts BEs before observers, followers, the leader and the members, each by position", () => {
    const specs = [
      fe(),
      fe({ name: "fe-9", address: "10.0.0.19", role: "observer" }),
      fe({ name: "fe-2", address: "10.0.0.12", role: "follower" }),
      ...[10, 9].map((n) => be({ name: `be-${n}`, address: `10.0.0.${n}` })),
    ];
    const items = itemsOf(specs, () => undefined);
    assert.deepEqual(
      inOrder([survey, ...items]).map(({ id }) => id),
      ["BE be-10", "BE be-9", "FE fe-9", "FE fe-2", "FE fe-1", "rollout"],
    );
  });
});

describe("withGate", () => {
  it("adds the gate only where a running node is going to be stopped", () => {
    const first = itemsOf(nodes(), () => undefined);
    assert.deepEqual(withGate(first), first);
    const change = itemsOf(nodes({ release: next }), half([], ""));
    assert.deepEqual(
      withGate(change)
        .filter(({ wave }) => wave === "preflight")
        .map(({ id }) => id),
      ["gate"],
    );
    assert.deepEqual(
      withGate(change).flatMap(({ id }) => (id.startsWith("balancing") ? [id] : [])),
      ["balancing off", "balancing on"],
    );
  });

  it("has the metadata backed up before another build of a version, as before another version", () => {
    const verbsFor = (release: { readonly id: string; readonly version: string }): readonly string[] => {
      const items = withGate(itemsOf(nodes({ release }), half([], "")));
      return items.filter(({ id }) => id === "gate").flatMap(({ steps }) => steps.map(({ verb }) => verb));
    };
    assert.deepEqual(verbsFor(next).slice(-2), ["image", "backup"]);
    assert.deepEqual(verbsFor({ ...old, id: `${old.version}-cccccccccccc` }), verbsFor(next));
  });
});
