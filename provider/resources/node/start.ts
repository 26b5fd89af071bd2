import { startProcess } from "../../starrocks/start.js";
import { javaHomeFor, runtimeFor } from "../staging.js";
import type { NodeContext } from "./context.js";
import { logsOfNode, Watch } from "./watch.js";

export interface StartWish {
  /** FE that joins: a member of the group, `address:edit_log_port`. */
  readonly helper?: string;
  readonly hostType?: "FQDN";
}

/** Runs the start script and watches from before its first line of log on. */
export const startNode = async (
  context: NodeContext,
  wish: StartWish,
  /** Called before the script is sent: it may do its work though its answer is lost. */
  before: () => void = () => undefined,
): Promise<Watch> => {
  const { host, limits, spec } = context;
  const [javaHome, logs] = await Promise.all([javaHomeOf(context), logsOfNode(context)]);
  before();
  const started = await startProcess(host, spec.kind, spec.home, {
    ...wish,
    ...(javaHome !== undefined && { javaHome }),
    logs,
    limit: limits.start,
  });
  const watch = new Watch(context, started);
  if (started.code !== 0 && !(await watch.alive())) {
    throw await watch.died();
  }
  return watch;
};

/** An FE needs a JDK that fits its version; a BE can do without one. */
export const javaHomeOf = async ({ host, spec }: NodeContext): Promise<string | undefined> =>
  spec.kind === "be" ? (await runtimeFor(host, spec)).home : javaHomeFor(host, spec);
