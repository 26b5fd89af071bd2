/**
 * The frozen entry. The state of every resource names these handlers for ever: none is ever renamed or removed, and each
 * must understand the state that any earlier release has written.
 */
export { beMember } from "./resources/member/be.js";
export { feMember } from "./resources/member/fe.js";
export { beNode, feNode } from "./resources/node/index.js";
export { preflight } from "./resources/preflight/handlers.js";
export { release } from "./resources/release.js";
export { rollout } from "./resources/rollout.js";
