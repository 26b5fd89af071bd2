import fs from "node:fs";
import path from "node:path";
import { buildCarried } from "../../release/carried.js";
import type { Fault } from "./faults.js";
import type { Options } from "./options.js";

/** In the jar, else in `lib/build.json` next to it: which release this is, and what is wrong with it. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly options?: Partial<Options>;
  readonly faults?: readonly Fault[];
}

const read = (file: string): Build => JSON.parse(fs.readFileSync(file, "utf8"));

export const readBuild = (home: string, jar: string): Build => {
  const carried = buildCarried(jar);
  if (carried !== undefined) {
    return JSON.parse(carried);
  }
  const ofHome = path.join(home, "lib", "build.json");
  return read(fs.existsSync(ofHome) ? ofHome : path.join(path.dirname(jar), "build.json"));
};
