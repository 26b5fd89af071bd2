import { hostPathProblem } from "../starrocks/host-path.js";
import type { Refusal } from "./node.js";

/** Folders on a host, by the argument that declares each. */
interface HostFolders {
  readonly deployDir: string;
  readonly home?: string | undefined;
  readonly metaDir?: string | undefined;
  readonly javaHome?: string | undefined;
}

/** Paths that StarRocks would stumble over; one inside another is judged by what it adds, as most follow from `deployDir`. */
export const hostFolderProblems = ({ deployDir, home, javaHome, metaDir }: HostFolders): readonly Refusal[] => {
  const folders = { deployDir, home, metaDir, javaHome };
  const outer = [deployDir, home].filter((path) => path !== undefined && hostPathProblem(path) !== undefined);
  return Object.entries(folders).flatMap(([property, path = ""]) => {
    const known = outer.some((folder) => path.startsWith(`${folder}/`));
    const reason = known ? undefined : hostPathProblem(path);
    return reason === undefined ? [] : [{ property, reason: `${JSON.stringify(path)} ${reason}` }];
  });
};
