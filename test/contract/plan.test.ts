import assert from "node:assert/strict";
import * as provider from "../../provider/index.js";
import type { Handlers } from "../../provider/resources/handlers.js";
import { digestOf } from "../../provider/resources/preflight/topology.js";
import type { Kind } from "../../sdk/providers.js";
import type { Registered } from "../unit/sdk/monitor.js";
import { clusterOf } from "../unit/sdk/program.js";
import { unknownValue } from "./harness.js";
import { type Operation, startOperation } from "./program.js";

const handlers: Readonly<Record<Kind, Handlers>> = { ...provider };

type Inputs = Readonly<Record<string, unknown>>;

/** A resource as the engine checks it. */
interface Declared {
  readonly name: string;
  readonly kind: Kind;
  readonly inputs: Inputs;
}

const kindOf = ({ type }: Registered): Kind => {
  const name = type.split(":").at(-1) ?? "";
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}` as Kind;
};

/** The resources of the README's cluster, as its component registers them. */
const declared = async (version: string): Promise<readonly Declared[]> => {
  const sha256 = (version === "3.5.7" ? "a" : "b").repeat(64);
  const all = await clusterOf({ release: { version, archive: `./StarRocks-${version}.tar.gz`, sha256 } });
  return all
    .filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic"))
    .map((resource) => {
      const { __provider, ...inputs } = resource.inputs;
      return { name: resource.name, kind: kindOf(resource), inputs };
    });
};

const waves: readonly (readonly Kind[])[] = [
  ["release"],
  ["preflight"],
  ["rehearsal"],
  ["beNode"],
  ["feNode"],
  ["feMember", "beMember"],
  ["rollout"],
];

/** An order that edges allow: waves after each other, and within one backwards or by a stride. */
const inEdgeOrder = (resources: readonly Declared[], shuffle: (wave: readonly Declared[]) => readonly Declared[]) =>
  waves.flatMap((kinds) => shuffle(resources.filter(({ kind }) => kinds.includes(kind))));

const shuffles: Readonly<Record<string, (wave: readonly Declared[]) => readonly Declared[]>> = {
  backwards: (wave) => [...wave].reverse(),
  "odd ones first": (wave) => [
    ...wave.filter((_, index) => index % 2 === 1),
    ...wave.filter((_, index) => index % 2 === 0),
  ],
};

interface State {
  readonly inputs: Inputs;
  readonly outputs: Inputs;
}

/** Checks and diffs as a preview does it, and gives what was logged when. */
const preview = async (
  operation: Operation,
  resources: readonly Declared[],
  state: ReadonlyMap<string, State> = new Map(),
): Promise<readonly string[]> => {
  const { provider } = operation;
  const before = provider.logged.length;
  for (const { name, kind, inputs } of resources) {
    const calls = operation.of(kind);
    const recorded = state.get(name);
    assert.equal(messages(operation, before).length, 0, `a message before ${name} was checked`);
    const checked = await calls.check(recorded?.inputs ?? {}, inputs);
    assert.deepEqual(checked.failures, [], name);
    if (recorded) {
      await calls.diff(name, recorded.outputs, checked.inputs);
    }
  }
  const rollout = resources.find(({ kind }) => kind === "rollout");
  const plans = messages(operation, before);
  for (const { urn } of plans) {
    assert.equal(urn, rollout?.inputs.__clusterUrn);
  }
  return plans.map(({ message }) => message);
};

const messages = ({ provider }: Operation, before: number) =>
  provider.logged.slice(before).filter(({ ephemeral, severity }) => !ephemeral && severity === "info");

/** What a state holds after all of these were created. */
const stateOf = async (
  resources: readonly Declared[],
  failed: readonly string[] = [],
): Promise<ReadonlyMap<string, State>> => {
  const entries = resources.map(async ({ name, kind, inputs }) => {
    const { inputs: checked } = await handlers[kind].check({}, inputs);
    const { plan, ...echoed } = checked;
    const status = /Node$/.test(kind) ? "running" : "member";
    const digest = kind === "preflight" || kind === "rollout" ? { digest: digestOf(inputs) } : {};
    const outputs = { ...echoed, ...digest, status: failed.includes(name) ? "failed" : status, staged: true };
    return [name, { inputs: checked, outputs }] as const;
  });
  return new Map(await Promise.all(entries));
};

describe("the plan of a whole operation", function () {
  // Each test starts the processes of one or two operations.
  this.timeout(60_000);
  let first: readonly Declared[];
  let next: readonly Declared[];
  before(async () => {
    first = await declared("3.5.7");
    next = await declared("3.5.8");
  });

  const inProcess = async <T>(work: (operation: Operation) => Promise<T>): Promise<T> => {
    const operation = await startOperation();
    try {
      return await work(operation);
    } finally {
      await operation.end();
    }
  };

  it("is one message on the cluster, after all others were checked, and the same for any order that edges allow", async () => {
    const plans = await Promise.all(
      Object.values(shuffles).map((shuffle) =>
        inProcess((operation) => preview(operation, inEdgeOrder(first, shuffle))),
      ),
    );
    const [plan = []] = plans;
    assert.equal(plan.length, 1);
    assert.match(plan[0] ?? "", /7 nodes are started, no other running node is stopped/);
    for (const other of plans) {
      assert.deepEqual(other, plan);
    }
    const order = [...(plan[0] ?? "").matchAll(/^ +\d+\. (\w+ [\w.]+|pre-flight|rollout)/gm)].map(([, id]) => id);
    assert.deepEqual(order.filter((id) => /^(BE|FE) /.test(id ?? "")).slice(0, 7), [
      "BE 10.0.0.21",
      "BE 10.0.0.22",
      "BE 10.0.0.23",
      "FE 10.0.0.14",
      "FE 10.0.0.12",
      "FE 10.0.0.13",
      "FE 10.0.0.11",
    ]);
    assert.equal(order.at(-1), "rollout");
  });

  it("tells of a version change what stops in which order", async () => {
    const [plan = "", ...more] = await inProcess(async (operation) => {
      const state = await stateOf(first);
      return preview(
        operation,
        inEdgeOrder(next, (wave) => [...wave].reverse()),
        state,
      );
    });
    assert.deepEqual(more, []);
    assert.match(plan, /^.*StarRocks 3\.5\.7 → 3\.5\.8 \(patch version\) on 3 BE, 4 FE\./);
    assert.ok(plan.indexOf("gate") < plan.indexOf("BE 10.0.0.21, 3.5.7 → 3.5.8"));
    assert.ok(plan.indexOf("FE 10.0.0.13, 3.5.7 → 3.5.8") < plan.indexOf("FE 10.0.0.11, 3.5.7 → 3.5.8"));
    assert.doesNotMatch(plan, /secret/);
  });

  it("tells of a half-done version change only what is left", async () => {
    const [plan = ""] = await inProcess(async (operation) => {
      const before = await stateOf(first);
      const after = await stateOf(next, ["analytics-be-10.0.0.22"]);
      const done = ["analytics-be-10.0.0.21", "analytics-be-10.0.0.22"];
      const state = new Map(
        [...before].map(([name, one]) => [name, done.includes(name) ? (after.get(name) ?? one) : one]),
      );
      return preview(
        operation,
        inEdgeOrder(next, (wave) => wave),
        state,
      );
    });
    assert.doesNotMatch(plan, /BE 10\.0\.0\.21,/);
    assert.match(plan, /BE 10\.0\.0\.22, repair \(was failed\)/);
    assert.match(plan, /BE 10\.0\.0\.23, 3\.5\.7 → 3\.5\.8/);
  });

  it("is silent when nothing changes, and when only credentials do", async () => {
    const state = await stateOf(first);
    assert.deepEqual(
      await inProcess((operation) =>
        preview(
          operation,
          inEdgeOrder(first, (wave) => wave),
          state,
        ),
      ),
      [],
    );
    const rotated = first.map((one) => ({
      ...one,
      inputs: { ...one.inputs, connection: { ...(one.inputs.connection as object), password: "rotated" } },
    }));
    assert.deepEqual(
      await inProcess((operation) =>
        preview(
          operation,
          inEdgeOrder(rotated, (wave) => wave),
          state,
        ),
      ),
      [],
    );
  });

  it("is refused as a whole when it would go back behind what all FEs run", async () => {
    await inProcess(async (operation) => {
      const state = await stateOf(next);
      const resources = inEdgeOrder(first, (wave) => wave);
      for (const { name, kind, inputs } of resources) {
        const recorded = state.get(name);
        const { failures } = await operation.of(kind).check(recorded?.inputs ?? {}, inputs);
        if (kind === "rollout") {
          assert.equal(failures.length, 1);
          assert.match(
            failures[0]?.reason ?? "",
            /^release\.version: 3\.5\.7 is older than 3\.5\.8, which FEs of this cluster run: .*`direction: "downgrade"`/,
          );
        } else {
          assert.deepEqual(failures, []);
        }
      }
    });
  });

  it("cannot be told while something of the cluster is unknown, which is said in its place; nothing crashes", async () => {
    await inProcess(async (operation) => {
      const resources = inEdgeOrder(
        first.map((one) => ({ ...one, inputs: { ...one.inputs, connection: unknownValue, release: unknownValue } })),
        (wave) => wave,
      );
      const [said = "", ...more] = await preview(operation, resources);
      assert.deepEqual(more, []);
      assert.match(
        said,
        /^The plan cannot be told in this preview: `connection`, `release` of this cluster hold what is known only once/,
      );
    });
  });
});
