import { versionOf } from "../../starrocks/versions.js";
import { applies, type Hazard, type Path } from "./hazard.js";
import { hazards } from "./table.js";

/** Everything known of a way that applies to it, in the table's order: what users have accepted, too. */
export const hazardsOf = (path: Path): readonly Hazard[] =>
  hazards.filter(({ when, settledBy }) => applies(when, path) && !(settledBy && isSettled(settledBy, path)));

const isSettled = (settledBy: NonNullable<Hazard["settledBy"]>, { settings = [], to }: Path): boolean =>
  settings.length > 0 && settings.every((config) => settledBy(config, versionOf(to)));
