import { entry } from "./resources/handlers.js";
import { beMember as beMembers } from "./resources/member/be.js";
import { feMember as feMembers } from "./resources/member/fe.js";
import { beNode as beNodes, feNode as feNodes } from "./resources/node/index.js";
import { preflight as preflights } from "./resources/preflight/handlers.js";
import { rehearsal as rehearsals } from "./resources/rehearsal/handlers.js";
import { release as releases } from "./resources/release.js";
import { rollout as rollouts } from "./resources/rollout.js";

// The frozen entry. The state of every resource names these handlers for ever: none is ever renamed or removed, and each
// must understand the state that any earlier release has written.

export const beMember = entry(beMembers);
export const feMember = entry(feMembers);
export const beNode = entry(beNodes);
export const feNode = entry(feNodes);
export const preflight = entry(preflights);
export const rehearsal = entry(rehearsals);
export const release = entry(releases);
export const rollout = entry(rollouts);
