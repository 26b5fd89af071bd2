import { until } from "../../../provider/wait.js";
import { journalsIn, readJournal } from "../../lab/journal.js";
import type { Driver, Ended } from "./driver.js";
import type { StepsDone, Trigger } from "./plan.js";
import { signOf } from "./sign.js";
import type { Site } from "./site.js";

/** Waits until an operation has come to where a fault strikes; false when it ended before. */
export const comesTo = (driver: Driver, trigger: Trigger, site: Site) => {
  const isThere = "sign" in trigger ? signOf(trigger.sign, site) : stepsDone(driver, trigger, site);
  return async (ended: Promise<Ended>): Promise<boolean> => {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    return until<boolean>(
      async () => {
        const there = await isThere();
        return there || over ? { done: true, value: there } : { done: false, seen: "not there" };
      },
      { what: `an operation to come to ${JSON.stringify(trigger)}`, limit: 600_000, every: 30 },
    );
  };
};

const stepsDone = ({ folder }: Driver, { item: wanted, nth, verb }: StepsDone, { lab }: Site) => {
  const known = new Set(journalsIn(folder));
  const counts = (item = "") => (wanted === undefined ? isNode(item) : lab.plain(item) === wanted);
  return async (): Promise<boolean> => {
    const entries = journalsIn(folder)
      .filter((path) => !known.has(path))
      .flatMap(readWhole);
    return entries.filter(({ item, mark, step }) => step === verb && mark === "done" && counts(item)).length >= nth;
  };
};

const isNode = (item: string): boolean => /^(BE|FE) \S+$/.test(item);

/** None while a line of it is half written. */
const readWhole = (path: string): ReturnType<typeof readJournal> => {
  try {
    return readJournal(path);
  } catch {
    return [];
  }
};
