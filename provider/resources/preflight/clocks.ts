import { UserError } from "../../error.js";
import { type Clock, clockProblem } from "../../plan/clocks.js";
import { labelOf, type NodeContext } from "../node/context.js";
import type { Topology } from "./topology.js";

export const assertClocks = async ({ nodes }: Topology): Promise<void> => {
  const problem = clockProblem(await Promise.all(nodes.map(readClock)));
  if (problem !== undefined) {
    throw new UserError(problem);
  }
};

export const readClock = async ({ host, spec }: NodeContext): Promise<Clock> => {
  const asked = Date.now();
  const { stdout } = await host.run(["date", "+%s.%N"]);
  const answered = Date.now();
  return {
    label: labelOf(spec),
    host: host.name,
    offset: Number(stdout) - (asked + answered) / 2000,
    doubt: (answered - asked) / 2000,
  };
};
