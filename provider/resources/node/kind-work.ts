import type { Outcome } from "../../rollout/execute.js";
import { BeWork } from "./be.js";
import { isBe, isFe, type NodeContext, type Report, type StopAsked } from "./context.js";
import { FeWork } from "./fe.js";
import type { Ended } from "./watch.js";

/** The differences between the kinds of node, behind one face. */
export interface KindWork {
  /** Whether the start script was run here: then what it left is ours to stop. */
  readonly started: boolean;
  /** Whether a process that was started here may have opened the metadata, though its start may have had no answer. */
  readonly opened: boolean;
  /** How `down` names this node. */
  readonly row: string;
  /** Whether what was started here was proven. */
  readonly proven: boolean;
  /** Names of the nodes of this kind that are down, this one left out: by the cluster's rows, and by their processes. */
  readonly down: () => Promise<readonly string[]>;
  /** Takes note of what the cluster says before anything is stopped; `now`: it may need this very node for an answer. */
  note(now?: boolean): Promise<void>;
  /** What must be so before the node is stopped: no tablet and no vote may be missed for it. */
  readonly mayStop: (report: Report, asked?: StopAsked) => Promise<Outcome>;
  /** Just before the stop script: gives running queries their time. */
  readonly drain: () => Promise<void>;
  /** Runs the stop, and sees to what follows from it elsewhere. */
  readonly stop: (stop: () => Promise<Outcome>, report: Report) => Promise<Outcome>;
  /** `before` is called where leadership is going to be handed over: the process that leads ends by that. */
  readonly handOver: (report: Report, before: () => Promise<void>) => Promise<Outcome>;
  /** `mayStart` is called again where the start had to wait for another one. */
  readonly start: (mayStart?: () => Promise<void>) => Promise<Outcome>;
  /** The work is over, whatever came of it: lets others start that waited for this one's proof. */
  readonly close: () => void;
  /** `together`: other nodes are started along with it and all are proven afterwards, so it need not be ready without them. */
  readonly prove: (report: Report, together?: boolean) => Promise<Outcome>;
  readonly heal: (report: Report) => Promise<Outcome>;
  readonly soak: (report: Report) => Promise<Outcome>;
  /** Whether the process that was proven is still there. */
  readonly same: () => Promise<boolean>;
  /** What is known of its end. */
  readonly ended: () => Promise<Ended>;
  /** Whether the process that was started here has written metadata as a leader. */
  led(): Promise<boolean>;
}

/** `before`: the work on the same node that has failed. */
export const workOf = (context: NodeContext, before?: KindWork): KindWork => {
  if (isFe(context)) {
    return new FeWork(context, before instanceof FeWork ? before : undefined);
  }
  if (isBe(context)) {
    return new BeWork(context);
  }
  throw new Error(`No work for a node of kind ${(context as NodeContext).spec.kind}`);
};
