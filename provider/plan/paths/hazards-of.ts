import { applies, type Hazard, type Path, type Settings } from "./hazard.js";
import { hazards } from "./table.js";

/** Everything known of a way that applies to it, in the table's order: what users have accepted, too. */
export const hazardsOf = (path: Path): readonly Hazard[] =>
  hazards.filter(({ when, settledBy }) => applies(when, path) && !(settledBy && isSettled(settledBy, path)));

const isSettled = (settledBy: (config: Settings) => boolean, { settings = [] }: Path): boolean =>
  settings.length > 0 && settings.every(settledBy);
