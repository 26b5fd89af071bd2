import { itemsOf, type JournalItem, journalsIn, readJournal } from "../../lab/journal.js";
import type { Plan, Trigger } from "./plan.js";
import { Site } from "./site.js";
import { isWell, play } from "./story.js";

const shape = { seed: 0, version: "3.5.7", maxUnavailable: 1, canary: true, racks: false } as const;

/** One of each kind. Another FE than the declared leader leads, so that it hands that over; the one that led is down, and repaired. */
const changes: readonly Plan[] = [
  {
    ...{ ...shape, frontends: 3, backends: 2, replicas: 2 },
    changes: [{ type: "upgrade", version: "3.5.8", faults: [{ kind: "leader change", node: "fe1" }] }],
  },
  {
    ...{ ...shape, frontends: 1, backends: 2, replicas: 2 },
    changes: [{ type: "setting", of: "be", value: 7, faults: [] }],
  },
  { ...{ ...shape, frontends: 1, backends: 1, replicas: 1 }, changes: [{ type: "one more BE", faults: [] }] },
  { ...{ ...shape, frontends: 1, backends: 3, replicas: 2 }, changes: [{ type: "one BE less", faults: [] }] },
];

/** The steps that a change does when nobody hinders it, by its journal. */
const unhindered = async (plan: Plan, site: Site): Promise<readonly Trigger[]> => {
  let items: readonly JournalItem[] = [];
  const verdict = await play(plan, site, "handlers", (driver) => ({
    ...driver,
    close: () => {
      items = journalsIn(driver.folder)
        .slice(-1)
        .flatMap((path) => itemsOf(readJournal(path)));
      return driver.close();
    },
  }));
  if (!isWell(verdict)) {
    throw new Error(`The change failed without a kill:\n${verdict.log.join("\n")}`);
  }
  return items.flatMap(({ id, steps }) =>
    steps
      .filter(({ mark }) => mark === "done")
      // Which FE leads, and hands over, may be another one each time.
      .map(({ verb }) => ({ verb, nth: 1, ...(verb !== "handover" && { item: site.lab.plain(id) }) })),
  );
};

/** As many plans as the changes have steps: in each, the operator is killed when another one of them has ended. */
export const everyStep = async (): Promise<readonly Plan[]> => {
  const site = await Site.create();
  const plans: Plan[] = [];
  try {
    for (const plan of changes) {
      for (const when of await unhindered(plan, site)) {
        plans.push({
          ...plan,
          seed: plans.length + 1,
          changes: plan.changes.map((change) => ({
            ...change,
            faults: [...change.faults, { kind: "client kill", node: "fe1", when }],
          })),
        });
      }
    }
    return plans;
  } finally {
    await site.close();
  }
};
