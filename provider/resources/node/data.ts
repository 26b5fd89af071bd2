import type { NodeSpec } from "../../plan/spec.js";
import { parseConf } from "../../starrocks/conf.js";
import { type DataFolder, describeFolder, type FolderOwner, ownershipOf } from "../../starrocks/folders.js";
import { isInUse, isMarkerOf } from "../../starrocks/marker.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { parseStorage } from "../../starrocks/storage.js";
import { labelOf } from "./context.js";
import { dataPaths } from "./settings.js";

/** A node as the markers in its folders name it. */
export const ownerOf = ({ cluster, kind, name }: NodeSpec) => ({ cluster, node: name, kind }) satisfies FolderOwner;

type Before = Pick<ObservedHome, "conf" | "data" | "foreign" | "marker">;

/** Why nothing may be done in this home, for people: no release can be switched where files stand in place of links. */
export const homeProblem = (spec: NodeSpec, host: string, { foreign }: Pick<Before, "foreign">): string | undefined =>
  foreign &&
  `${foreign} on ${host} is not a link: ${spec.home} was not made by pulumi-starrocks, but by hand or by another tool. ` +
    "Nothing was changed, and what runs from it goes on. Choose another `deployDir` or `home` for this node.";

/**
 * Why the node must not be started on these folders, for people; undefined where they are its own. `recorded`: the state knows
 * the node, so its home has had a marker.
 */
export const dataProblem = (spec: NodeSpec, host: string, before: Before, recorded = false): string | undefined => {
  const owner = ownerOf(spec);
  const { marker } = before;
  const problem = homeProblem(spec, host, before);
  if (problem !== undefined) {
    return problem;
  }
  if (spec.adopt) {
    return undefined;
  }
  if (marker && !marker.left && !isMarkerOf(marker, owner)) {
    return (
      `${spec.home} on ${host} is the home of ${marker.kind.toUpperCase()} "${marker.node}" of cluster "${marker.cluster}". ` +
      `Choose another \`deployDir\` or \`home\`, or set \`adopt: true\` to take it over.`
    );
  }
  const used = new Set(usedFolders(spec, before, recorded));
  for (const folder of before.data) {
    const ownership = ownershipOf(folder, owner);
    if (ownership === "foreign") {
      return foreign(spec, host, folder);
    }
    if (ownership !== "ours" && used.has(folder.path)) {
      return (
        `${folder.path} on ${host} is ${folder.state}, but ${labelOf(spec)} has run before: is its disk not mounted? ` +
        "Mount it and run `pulumi up` again; or, if the disk was replaced and its tablets shall be made anew from other replicas, set `adopt: true` on this node."
      );
    }
  }
  return undefined;
};

const foreign = (spec: NodeSpec, host: string, folder: DataFolder): string =>
  `${folder.path} on ${host} holds data that is not known to be ${labelOf(spec)}'s: ${describeFolder(folder)}. ` +
  "Nothing was changed. Choose another folder, or set `adopt: true` on this node if the data is its own.";

/**
 * Folders that a BE has run with; one that is declared beside them is a new disk. A home of an earlier package does not
 * say, but its be.conf does; a home without one has lost it, so none counts as new: nor does any where the home itself is not
 * there. An FE that lost its metadata joins again.
 */
const usedFolders = (spec: NodeSpec, { conf, marker }: Before, recorded: boolean): readonly string[] => {
  if (spec.kind === "be" && !marker && recorded) {
    return dataPaths(spec);
  }
  if (spec.kind !== "be" || !isInUse(marker)) {
    return [];
  }
  const written = conf && parseConf(conf.text).get("storage_root_path");
  return marker.data ?? (written === undefined ? dataPaths(spec) : pathsIn(written));
};

const pathsIn = (storageRootPath: string): readonly string[] =>
  parseStorage(storageRootPath.split(";").filter(Boolean)).storage.map(({ path }) => path);
