import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./root.js";

interface EngineTool {
  ensureEngine(): Promise<{ readonly binFolder: string }>;
}

let found: Promise<string> | undefined;

/** The folder with the engine's programs. The tools say it by PULUMI_STARROCKS_ENGINE; run without them, tests find it. */
export const engineFolder = (): Promise<string> => {
  found ??= find();
  return found;
};

const find = async (): Promise<string> => {
  const told = process.env.PULUMI_STARROCKS_ENGINE;
  if (told) {
    return told;
  }
  const tool: EngineTool = await import(pathToFileURL(join(root, "tools/engine.mjs")).href);
  return (await tool.ensureEngine()).binFolder;
};
