import { UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { type HttpOptions, httpGet } from "./http.js";
import { features, type Version } from "./versions.js";

/** A BE that is told to stop looks every 10 s whether queries still run on it (`loop_count_wait_fragments_finish`, 3.4). */
const roundSeconds = 10;

/**
 * Lets the queries that run on a BE take so long to end when it is stopped; holds until the process ends. False where the
 * version does not wait for them.
 */
export const allowDrain = async (
  host: Host,
  be: { readonly address: string; readonly httpPort: number; readonly version: Version },
  seconds: number,
  options: HttpOptions = {},
): Promise<boolean> => {
  if (features(be.version).beGraceful !== "drains") {
    return false;
  }
  const rounds = Math.ceil(seconds / roundSeconds);
  const path = `/api/update_config?loop_count_wait_fragments_finish=${rounds}`;
  const { body } = await httpGet(host, be.address, be.httpPort, path, { ...options, method: "POST" });
  // The handler says HTTP 200 whatever happened.
  if (!/"status"\s*:\s*"OK"/.test(body)) {
    throw new UserError(
      `The BE at ${be.address}:${be.httpPort} did not take loop_count_wait_fragments_finish = ${rounds} for \`drain\`: ${body.trim().slice(0, 200)}`,
    );
  }
  return true;
};
