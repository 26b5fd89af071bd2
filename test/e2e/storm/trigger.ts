import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../../provider/wait.js";
import { readJournal } from "../../lab/journal.js";
import type { Driver, Ended } from "./driver.js";
import type { Trigger } from "./plan.js";

const journalsOf = ({ folder }: Driver): readonly string[] => {
  const journals = join(folder, ".pulumi-starrocks", "journal");
  return existsSync(journals) ? readdirSync(journals).map((name) => join(journals, name)) : [];
};

/** Waits until an operation has come to where a fault strikes; false when it ended before. */
export const comesTo = (driver: Driver, { nth, verb }: Trigger) => {
  const known = new Set(journalsOf(driver));
  return async (ended: Promise<Ended>): Promise<boolean> => {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    return until<boolean>(
      async () => {
        const entries = journalsOf(driver)
          .filter((path) => !known.has(path))
          .flatMap(readWhole);
        const count = entries.filter(({ item, mark, step }) => step === verb && mark === "done" && isNode(item)).length;
        return count >= nth || over ? { done: true, value: count >= nth } : { done: false, seen: `${count}` };
      },
      { what: `${verb} to be done ${nth} times`, limit: 600_000, every: 30 },
    );
  };
};

const isNode = (item: string | undefined): boolean => /^(BE|FE) \S+$/.test(item ?? "");

/** None while a line of it is half written. */
const readWhole = (path: string): ReturnType<typeof readJournal> => {
  try {
    return readJournal(path);
  } catch {
    return [];
  }
};
