import { itemsOf, type JournalItem, journalsIn, readJournal } from "../../lab/journal.js";
import type { Plan, Trigger } from "./plan.js";
import { Site } from "./site.js";
import { isWell, play } from "./story.js";

const upgrade: Plan = {
  ...{ seed: 0, frontends: 1, backends: 2, replicas: 2, version: "3.5.7" },
  ...{ maxUnavailable: 1, canary: true, racks: false },
  changes: [{ type: "upgrade", version: "3.5.8", faults: [] }],
};

/** The steps that an unhindered upgrade does, by its journal. */
const unhindered = async (): Promise<readonly Trigger[]> => {
  const site = await Site.create();
  let items: readonly JournalItem[] = [];
  try {
    const verdict = await play(upgrade, site, "handlers", (driver) => ({
      ...driver,
      close: () => {
        items = journalsIn(driver.folder)
          .slice(-1)
          .flatMap((path) => itemsOf(readJournal(path)));
        return driver.close();
      },
    }));
    if (!isWell(verdict)) {
      throw new Error(`The upgrade failed without a fault:\n${verdict.log.join("\n")}`);
    }
    return items.flatMap(({ id, steps }) =>
      steps.filter(({ mark }) => mark === "done").map(({ verb }) => ({ item: site.lab.plain(id), verb, nth: 1 })),
    );
  } finally {
    await site.close();
  }
};

/** As many plans as an upgrade has steps: in each, the operator is killed when another one of them has ended. */
export const everyStep = async (): Promise<readonly Plan[]> =>
  (await unhindered()).map((when, index) => ({
    ...upgrade,
    seed: index + 1,
    changes: [{ type: "upgrade", version: "3.5.8", faults: [{ kind: "client kill", node: "fe1", when }] }],
  }));
