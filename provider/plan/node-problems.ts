import { argumentKeys, checkSettings } from "../starrocks/settings.js";
import { parseStorage } from "../starrocks/storage.js";
import { hostFolderProblems } from "./host-folders.js";
import type { Refusal } from "./node.js";
import { ownFolderProblems } from "./own-folders.js";
import type { NodeSpec } from "./spec.js";

/** What is wrong with one node by itself, by field. */
export const nodeProblems = (spec: NodeSpec): readonly Refusal[] => [
  ...ownPorts(spec),
  ...settings(spec),
  ...hostFolderProblems(spec),
  ...ownFolderProblems(spec),
];

const ownPorts = (spec: NodeSpec): readonly Refusal[] => {
  const taken = new Map<number, string>();
  return Object.entries(spec.ports).flatMap(([name, port]) => {
    const other = taken.get(port);
    taken.set(port, name);
    return other === undefined
      ? []
      : [{ property: `ports.${name}`, reason: `${port} is also ports.${other}: each port of a node is its own` }];
  });
};

const settings = (spec: NodeSpec): readonly Refusal[] =>
  checkSettings(spec.kind, spec.config, argumentKeys[spec.kind]).map(({ key, message }) => ({
    property: `config.${key}`,
    reason: message,
  }));

/** Entries of `storage` that StarRocks would misread, as they stand in the program. */
export const storageProblems = (entries: unknown): readonly Refusal[] =>
  Array.isArray(entries) ? parseStorage(entries).problems.map((reason) => ({ property: "storage", reason })) : [];
