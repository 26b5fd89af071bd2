import { nodeCommand } from "../../lab/node-processes.js";
import { askAny } from "./ask.js";

import type { Sign } from "./plan.js";
import type { Site } from "./site.js";

/** Looks whether it is to be seen now. What is to be seen after something else counts only once that was seen. */
export const signOf = (sign: Sign, site: Site): (() => Promise<boolean>) => {
  const be1 = site.lab.fleet.host("be1");
  const isDropped = async (): Promise<boolean> => {
    const rows = await askAny(site.login(1), "SHOW BACKENDS");
    return rows?.every(({ IP }) => IP !== be1.address) ?? false;
  };
  const since = (before: () => Promise<boolean>, then: () => Promise<boolean>): (() => Promise<boolean>) => {
    let seen = false;
    return async () => {
      seen ||= await before();
      return seen && (await then());
    };
  };
  const looks: Readonly<Record<Sign, () => Promise<boolean>>> = {
    "be1 dropped": isDropped,
    "be1's data aside": async () => (await site.asideOn("be1")).length > 0,
    "be1 started on empty folders": since(isDropped, async () =>
      (await be1.processes()).some(({ command }) => nodeCommand.test(command)),
    ),
    "be1 added again": since(isDropped, async () => !(await isDropped())),
    "copy begun": async () => (await site.rehearsed()).copies.length > 0,
    "copy started": async () => (await site.rehearsed()).processes.some((command) => nodeCommand.test(command)),
  };
  return looks[sign];
};
