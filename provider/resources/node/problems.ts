import type { Refusal } from "../../plan/node.js";
import { nodeProblems, storageProblems } from "../../plan/node-problems.js";
import type { NodeSpec } from "../../plan/spec.js";
import { ownAddressProblems } from "./own-address.js";

/** All that is wrong with one node by itself, by field; `storage` as it stands in the program. */
export const declaredProblems = (spec: NodeSpec, storage: unknown): readonly Refusal[] => [
  ...storageProblems(storage),
  ...nodeProblems(spec),
  ...ownAddressProblems(spec),
];
