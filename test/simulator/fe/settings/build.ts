import fs from "node:fs";
import path from "node:path";
import type { Fault } from "./faults.js";
import type { Options } from "./options.js";

/** `lib/build.json`, next to the jar: which release this is, and what is wrong with it. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly options?: Partial<Options>;
  readonly faults?: readonly Fault[];
}

const read = (file: string): Build => JSON.parse(fs.readFileSync(file, "utf8"));

export const readBuild = (home: string, jar: string): Build => {
  const ofHome = path.join(home, "lib", "build.json");
  return read(fs.existsSync(ofHome) ? ofHome : path.join(path.dirname(jar), "build.json"));
};
