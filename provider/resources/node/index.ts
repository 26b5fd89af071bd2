import { nodeHandlers } from "./handlers.js";

export const feNode = nodeHandlers("fe");
export const beNode = nodeHandlers("be");
