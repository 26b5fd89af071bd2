import { until } from "../../../provider/wait.js";
import { journalsIn, readJournal } from "../../lab/journal.js";
import type { Lab } from "../../lab/lab.js";
import type { Driver, Ended } from "./driver.js";
import type { Trigger } from "./plan.js";

/** Waits until an operation has come to where a fault strikes; false when it ended before. */
export const comesTo = ({ folder }: Driver, { item: wanted, nth, verb }: Trigger, lab: Lab) => {
  const known = new Set(journalsIn(folder));
  return async (ended: Promise<Ended>): Promise<boolean> => {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    return until<boolean>(
      async () => {
        const entries = journalsIn(folder)
          .filter((path) => !known.has(path))
          .flatMap(readWhole);
        const counts = (item = "") => (wanted === undefined ? isNode(item) : lab.plain(item) === wanted);
        const count = entries.filter(({ item, mark, step }) => step === verb && mark === "done" && counts(item)).length;
        return count >= nth || over ? { done: true, value: count >= nth } : { done: false, seen: `${count}` };
      },
      { what: `${verb} to be done ${nth} times`, limit: 600_000, every: 30 },
    );
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
