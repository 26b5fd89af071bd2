// npm run storm -- [number of plans] [--seed X] [--from X] [--engine] [--lanes N] [--minutes M] [--verbose]
// npm run storm -- --every-step [--each N] [--first K] [--seed X] [--lanes N] [--verbose]

import { parseArgs } from "node:util";
import { realHosts } from "../../fleet/possible.js";
import { everyStep } from "./every-step.js";
import { lengthOf, type Plan, planOf } from "./plan.js";
import { storm, type Totals, together } from "./storm.js";

/** Plans through the real engine, on hosts with an sshd each where this machine allows them. */
const throughEngine = 10;

/** The part of the kills that must strike: a step that was done once need not be done each time. */
const mostStrike = 0.9;

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      from: { type: "string" },
      lanes: { type: "string", default: "6" },
      minutes: { type: "string" },
      engine: { type: "boolean", default: false },
      "every-step": { type: "boolean", default: false },
      each: { type: "string", default: "1" },
      first: { type: "string", default: "1" },
      verbose: { type: "boolean", default: false },
    },
  });
  const { engine, seed, verbose } = values;
  const lanes = Number(values.lanes);
  const limit = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000;
  const kind = realHosts();
  if (values["every-step"]) {
    const began = performance.now();
    const since = () => `${Math.round((performance.now() - began) / 1000)} s`;
    const steps = await everyStep(kind);
    if (kind === "loopback") {
      console.log("no rehearsal is killed: this machine has no hosts that can cut a process off from their networks");
    }
    const total = steps.plans.length + steps.isolated.length;
    const chosen = (plans: readonly Plan[]) =>
      plans.filter((plan) =>
        seed === undefined
          ? (plan.seed - Number(values.first)) % Number(values.each) === 0
          : plan.seed === Number(seed),
      );
    const plans = [...chosen(steps.plans), ...chosen(steps.isolated)];
    console.log(
      `changes of a cluster, their operator killed at ${plans.length} of ${total} steps (found in ${since()})`,
    );
    const how = { named: "step", limit, verbose } as const;
    const all = await Promise.all([
      storm({ ...how, plans: chosen(steps.plans), lanes }),
      storm({ ...how, plans: chosen(steps.isolated), lanes: 1, kind: "namespaces" }),
    ]);
    console.log(`all of it took ${since()}`);
    finish(all, [], "--every-step ");
    const planned = plans.flatMap(({ changes }) => changes.flatMap(({ faults }) => faults)).length;
    const struck = together(all).faults;
    if (struck < planned * mostStrike) {
      console.error(`${struck} of ${planned} faults did strike: the others' steps were not done again`);
      process.exitCode = 1;
    }
    return;
  }
  if (seed !== undefined) {
    const totals = await storm({
      plans: [planOf(Number(seed))],
      verbose: true,
      ...(engine && ({ way: "engine", kind } as const)),
    });
    finish([totals], engine ? [totals] : []);
    return;
  }
  const count = Number(positionals[0] ?? 200);
  const first = Number(values.from ?? Math.floor(Math.random() * 1_000_000));
  const some = Math.min(throughEngine, Math.floor(count / 20));
  console.log(`${count} plans, seeds ${first} to ${first + count - 1}; the last ${some} through the real engine`);
  const plans = Array.from({ length: count }, (_, index) => planOf(first + index));
  // The longest first: no lane plays one alone at the end, and little is under way when time is up.
  const inOrder = (chosen: readonly Plan[]) => [...chosen].sort((a, b) => lengthOf(b) - lengthOf(a));
  // Side by side, as an engine waits more than it computes; its plans begin first, and two at a time, so that time is not up
  // before they were played.
  const all = await Promise.all([
    storm({ plans: inOrder(plans.slice(count - some)), lanes: 2, limit, verbose, way: "engine", kind }),
    storm({ plans: inOrder(plans.slice(0, count - some)), lanes, limit, verbose }),
  ]);
  finish(all, all.slice(0, 1));
};

const finish = (all: readonly Totals[], real: readonly Totals[], mode = ""): void => {
  for (const totals of all) {
    for (const seed of totals.failedSeeds) {
      console.log(`replay: npm run storm -- ${mode}--seed ${seed}${real.includes(totals) ? " --engine" : ""}`);
    }
  }
  const totals = together(all);
  const throughEngine = real.reduce((sum, { plans }) => sum + plans, 0);
  console.log(JSON.stringify({ ...totals, throughEngine }));
  process.exitCode = totals.failedSeeds.length > 0 ? 1 : 0;
};

void main();
