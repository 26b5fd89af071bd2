import { resolve } from "node:path";

/** The repository's folder; this file runs as dist/test/engine/root.js. */
export const root = resolve(__dirname, "../../..");
