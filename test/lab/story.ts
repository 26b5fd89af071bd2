import assert from "node:assert/strict";
import type { Direction } from "../../provider/plan/steps.js";
import type { Outcome } from "../engine/stack.js";
import type { Lab } from "./lab.js";
import { NodeProcesses, restarted } from "./node-processes.js";
import { assertRunFollowedPlan, diagnosticsOf } from "./plan.js";

/** What one change of a program was seen to do. */
export interface Told {
  /** The message on the component's row, as a plain preview printed it; undefined when there was none. */
  readonly plan: string | undefined;
  readonly preview: Outcome;
  readonly up: Outcome;
  /** Hosts whose node is another process than before. */
  readonly restarted: readonly string[];
}

/** The plan of what is declared, as a plain preview prints it. Asking no host is part of the promise. */
export const previewPlan = async (
  lab: Lab,
  ...args: readonly string[]
): Promise<Outcome & { plan: string | undefined }> => {
  const before = lab.fleet.handshakes();
  const preview = await lab.stack.preview(args);
  assert.equal(lab.fleet.handshakes(), before, "a preview asks no host");
  return { ...preview, plan: diagnosticsOf(preview.stdout) };
};

/** Previews what is declared, does it, and holds what was done against what was printed. */
export const previewThenUp = async (lab: Lab, direction: Direction = "upgrade"): Promise<Told> => {
  const preview = await previewPlan(lab);
  const processes = new NodeProcesses(lab.fleet);
  const journals = lab.journals().length;
  const before = processes.byHost();
  const up = await lab.stack.up();
  const after = processes.byHost();
  if (preview.plan === undefined) {
    assert.equal(lab.journals().length, journals, "what has no plan does nothing");
  } else {
    assertRunFollowedPlan(preview.plan, lab.journal(), direction);
  }
  return { plan: preview.plan, preview, up, restarted: restarted(before, after) };
};
