import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const findRoot = (folder: string): string => {
  if (existsSync(join(folder, "package.json"))) {
    return folder;
  }
  const parent = dirname(folder);
  if (parent === folder) {
    throw new Error(`Expected a package.json above ${__dirname}`);
  }
  return findRoot(parent);
};

/** The package's folder: the scripts are read from its sources, the processes from its `dist`. */
export const packageRoot = findRoot(__dirname);
