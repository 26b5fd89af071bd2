import { join } from "node:path";
import { root } from "../engine/root.js";

/** Put on PATH of a stack (`createStack({ path: [standIns] })`), it gives its engine the stand-in plugins. */
export const standIns = join(root, "test/stand-ins");
