import type { Plan } from "./plan.js";
import { describePlan } from "./plan.js";
import { Site, type Way } from "./site.js";
import { play } from "./story.js";
import { type Counts, isWell, type Verdict } from "./verdict.js";

export interface StormOptions {
  readonly plans: readonly Plan[];
  /** What a plan's number is called. */
  readonly named?: "seed" | "step";
  readonly way?: Way;
  readonly kind?: "loopback" | "namespaces";
  /** Plans at a time. */
  readonly lanes?: number;
  /** Milliseconds after which no further plan begins. */
  readonly limit?: number;
  readonly say?: (line: string) => void;
  /** Tell of every plan all that happened, not only of those that failed. */
  readonly verbose?: boolean;
}

export interface Totals extends Counts {
  readonly storm: number;
  readonly plans: number;
  readonly failedSeeds: readonly number[];
  readonly seconds: number;
}

/** Plays plans, some side by side, and tells of those that failed. */
export const storm = async (options: StormOptions): Promise<Totals> => {
  const {
    kind,
    lanes = 2,
    limit = Number.POSITIVE_INFINITY,
    named = "seed",
    plans,
    say = console.log,
    verbose = false,
    way = "handlers",
  } = options;
  const started = performance.now();
  const left = [...plans];
  const verdicts: Verdict[] = [];

  const one = async (plan: Plan, site: Site): Promise<void> => {
    const began = performance.now();
    const verdict = await play(plan, site, way).catch(
      (error): Verdict => ({
        ...countsOf([]),
        seed: plan.seed,
        unfinished: 1,
        log: [`broken: ${error instanceof Error ? error.stack : String(error)}`],
      }),
    );
    verdicts.push(verdict);
    const well = isWell(verdict);
    const time = `${((performance.now() - began) / 1000).toFixed(1)} s`;
    say(`${well ? "✓" : "✗"} ${named} ${plan.seed}, ${way}, ${time}: ${describePlan(plan)}`);
    if (!well || verbose) {
      for (const line of verdict.log) {
        say(`    ${line.replaceAll("\n", "\n      ")}`);
      }
    }
  };

  const lane = async (): Promise<void> => {
    const site = await Site.create(kind);
    try {
      while (performance.now() - started < limit) {
        const plan = left.shift();
        if (plan === undefined) {
          break;
        }
        await one(plan, site);
      }
    } finally {
      await site.close();
    }
  };

  await Promise.all(Array.from({ length: Math.min(lanes, plans.length) }, lane));
  return {
    storm: plans.length,
    plans: verdicts.length,
    ...countsOf(verdicts),
    failedSeeds: verdicts
      .filter((verdict) => !isWell(verdict))
      .map(({ seed }) => seed)
      .sort((a, b) => a - b),
    seconds: Math.round((performance.now() - started) / 1000),
  };
};

/** Totals of several storms as of one. */
export const together = (all: readonly Totals[]): Totals => {
  return {
    storm: sum(all.map((one) => one.storm)),
    plans: sum(all.map((one) => one.plans)),
    ...countsOf(all),
    failedSeeds: all.flatMap((one) => one.failedSeeds),
    // They are played side by side.
    seconds: Math.max(...all.map((one) => one.seconds)),
  };
};

const countsOf = (all: readonly Counts[]): Counts => ({
  faults: sum(all.map((one) => one.faults)),
  writesAcknowledged: sum(all.map((one) => one.writesAcknowledged)),
  writesLost: sum(all.map((one) => one.writesLost)),
  extraNodesDown: sum(all.map((one) => one.extraNodesDown)),
  untrueExits: sum(all.map((one) => one.untrueExits)),
  unfinished: sum(all.map((one) => one.unfinished)),
});

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
