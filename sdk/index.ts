export type * from "./args.js";
export { Cluster } from "./cluster.js";
export { BeGroup, type BeGroupArgs, FeGroup, type FeGroupArgs, type FeGroupNode } from "./groups.js";
export * from "./resources.js";
