import type { NodeSpec } from "../../plan/spec.js";
import { parseConf } from "../../starrocks/conf.js";
import { type DataFolder, describeFolder, type FolderOwner, ownershipOf } from "../../starrocks/folders.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { parseStorage } from "../../starrocks/storage.js";
import { labelOf } from "./context.js";
import { dataPaths } from "./settings.js";

/** A node as the markers in its folders name it. */
export const ownerOf = ({ cluster, kind, name }: NodeSpec): FolderOwner => ({ cluster, node: name, kind });

type Before = Pick<ObservedHome, "conf" | "data" | "marker">;

/** Why the node must not be started on these folders, for people; undefined where they are its own. */
export const dataProblem = (spec: NodeSpec, host: string, before: Before): string | undefined => {
  const owner = ownerOf(spec);
  const { marker } = before;
  if (spec.adopt) {
    return undefined;
  }
  if (marker && (marker.cluster !== owner.cluster || marker.node !== owner.node)) {
    return (
      `${spec.home} on ${host} is the home of ${marker.kind.toUpperCase()} "${marker.node}" of cluster "${marker.cluster}". ` +
      `Choose another \`deployDir\` or \`home\`, or set \`adopt: true\` to take it over.`
    );
  }
  const used = new Set(usedFolders(spec, before));
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
 * say, but its be.conf does; a home without one has lost it, so none counts as new. An FE that lost its metadata joins again.
 */
const usedFolders = (spec: NodeSpec, { conf, marker }: Before): readonly string[] => {
  if (spec.kind !== "be" || !marker || marker.left || marker.releases.length === 0) {
    return [];
  }
  const written = conf && parseConf(conf.text).get("storage_root_path");
  return marker.data ?? (written === undefined ? dataPaths(spec) : pathsIn(written));
};

const pathsIn = (storageRootPath: string): readonly string[] =>
  parseStorage(storageRootPath.split(";").filter(Boolean)).storage.map(({ path }) => path);
