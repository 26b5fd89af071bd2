import type { Host } from "../../host/types.js";
import { prepareHome, switchTo } from "../../starrocks/home.js";
import { releaseFolder } from "../../starrocks/layout.js";
import { composeParts, type Staging, stageParts } from "../staging.js";
import type { Inputs } from "./inputs.js";

/** The FE part of the release on the host: a rehearsal alone stages what it needs. */
export const stage = async (
  host: Host,
  inputs: Inputs,
  report: (seen: string) => void,
): Promise<"staged" | "present"> => {
  const staging: Staging = { ...inputs, parts: ["fe"] };
  const did = await stageParts(host, staging, report);
  const composed = await composeParts(host, staging, report);
  return composed.length > 0 ? "staged" : did;
};

/** A home of its own for the FE, as that of a node. */
export const makeHome = async (host: Host, home: string, { deployDir, to }: Inputs): Promise<void> => {
  const options = { home, kind: "fe", releaseId: to.id, releaseFolder: releaseFolder(deployDir, to.id) } as const;
  await prepareHome(host, options);
  await switchTo(host, options);
};
