import type { Contact } from "../../rollout/frontends.js";
import { declaredConf } from "../node/settings.js";
import type { Inputs } from "./inputs.js";

/**
 * The fe.conf with which the FE that leads is going to run the new version, as its own step writes it from the one there is.
 * What was declared once is in that node's state, which is not asked here; but the file shows what came from us.
 */
export const leaderConf = (
  text: string,
  leader: Contact,
  { config, ownConfig }: Pick<Inputs, "config" | "ownConfig">,
): string =>
  declaredConf(
    { ...leader, kind: "fe", config: { ...config, ...ownConfig[leader.name] } },
    text,
    config === undefined ? [] : undefined,
  );
