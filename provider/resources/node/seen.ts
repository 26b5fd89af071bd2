import type { Plain } from "../../engine/outputs.js";
import type { Status } from "../../plan/node.js";
import { versionOfId } from "../../plan/release-id.js";
import type { NodeSpec } from "../../plan/spec.js";
import type { ObservedHome } from "../../starrocks/observe.js";
import { differingKeys } from "./settings.js";

/** What a look at the host tells: the release that is current, and declared settings that the conf file does not have. */
export const seenOf = (
  spec: NodeSpec,
  { conf, current }: Partial<Pick<ObservedHome, "conf" | "current">>,
  recorded: Plain,
): Record<string, unknown> => {
  const { release } = recorded as { readonly release?: { readonly id?: string } };
  // A home without a release (it could not be looked at, or its disk is a new one) lacks more than settings, for which a node
  // would be restarted; where only the conf file is gone, so is every setting.
  const differing = current === undefined ? [] : differingKeys(spec, conf?.text ?? "");
  return {
    release:
      current === undefined || current === release?.id ? release : { id: current, version: versionOfId(current) },
    ...(conf && { confSha256: conf.sha256 }),
    ...(differing.length > 0 && { drift: differing }),
  };
};

/**
 * A refresh proves nothing: a node that failed stays so until an operation has proven it. One that runs on in a home that was
 * emptied under it would not come up again.
 */
export const statusOf = ({ current, process }: ObservedHome, { status }: Plain): Status => {
  if (!process) {
    return "stopped";
  }
  return status === "failed" || current === undefined ? "failed" : "running";
};

/**
 * The inputs that a refresh records: `check`, which gets nothing but inputs, must know how the node was seen to tell its
 * steps. The engine hides keys that begin with `__` from diffs.
 */
export const inputsSeen = ({ status, confSha256, ...inputs }: Plain): Record<string, unknown> =>
  status === "running" ? inputs : { ...inputs, __status: status };

/** How the last refresh saw a node, from its inputs; one that failed since is known from the outputs only. */
export const seenLast = ({ __status = "running" }: Plain): unknown => __status;
