import { posix } from "node:path";
import { homePaths, kindLayouts, releasesFolder } from "../starrocks/layout.js";
import type { Refusal } from "./node.js";
import type { NodeSpec } from "./spec.js";

/**
 * Data folders that are, hold or lie in what belongs to the node itself or to all releases of its host. Data is moved aside
 * as whole folders when a node leaves its cluster, and what is beside it must stay.
 */
export const ownFolderProblems = (spec: NodeSpec): readonly Refusal[] =>
  dataOf(spec).flatMap(({ path, property }) => {
    const what = inTheWay(path, spec);
    return what === undefined ? [] : [{ property, reason: `${path} ${what}: data needs a folder of its own` }];
  });

const inTheWay = (path: string, spec: NodeSpec): string | undefined => {
  if (path === spec.home) {
    return "is the node's own `home`";
  }
  if (within(spec.home, path)) {
    return `holds the node's own \`home\` (${spec.home})`;
  }
  const own = ownFolders(spec).find((folder) => within(path, folder));
  if (own !== undefined) {
    return `is kept for the node's own files (${own})`;
  }
  const releases = releasesFolder(spec.deployDir);
  return within(path, releases) || within(releases, path) ? `is in the way of the releases in ${releases}` : undefined;
};

export const within = (inner: string, outer: string): boolean => {
  const way = posix.relative(outer, inner);
  return way !== ".." && !way.startsWith("../");
};

const dataOf = (spec: NodeSpec): readonly { readonly path: string; readonly property: string }[] =>
  spec.kind === "fe"
    ? [{ path: spec.metaDir, property: "metaDir" }]
    : spec.storage.map(({ path }) => ({ path, property: "storage" }));

/** What a node's home holds beside its data; `lib` and the like lead into a release. */
const ownFolders = ({ home, kind }: NodeSpec): readonly string[] => {
  const paths = homePaths(home, kind);
  const linked = ["lib", ...kindLayouts[kind].linked].map((name) => posix.join(home, name));
  return [
    paths.bin,
    posix.dirname(paths.conf),
    paths.log,
    paths.state,
    paths.views,
    paths.current,
    paths.previous,
    ...linked,
  ];
};
