import { onEnd } from "../engine/end.js";
import { messageOf, UserError } from "../error.js";
import type { Limits } from "../plan/limits.js";
import { BalancePause, balanceOptions } from "./balance.js";
import type { Frontends } from "./frontends.js";
import { acquireLease } from "./lease.js";
import { keepersOf, NoMajority } from "./majority.js";
import { ownerHere } from "./owner.js";
import type { Run } from "./run.js";

export interface GuardOptions {
  readonly run: Run;
  readonly frontends: Frontends;
  readonly limits: Limits;
  /** What is going to be changed, for messages: `BE be-1`. */
  readonly node: string;
  readonly urn: string | undefined;
  readonly report: (seen: string) => void;
}

/**
 * What comes before the first act of an operation on a cluster: the lease, so that no other operator acts too, and the
 * end of what a killed operation has left. Once in a process; each later call proves that the lease is still held.
 */
export const guard = async (options: GuardOptions): Promise<void> => {
  const { frontends, node, run } = options;
  if (frontends.contacts.length === 0) {
    // A BE that is declared alone knows no FE; nobody else can be told of it.
    return;
  }
  try {
    await run.once("lease", () => begin(options));
  } catch (error) {
    if (!(error instanceof UserError) || run.first("lease")) {
      throw error;
    }
    const Refusal = error instanceof NoMajority ? NoMajority : UserError;
    throw new Refusal(`${node} was not touched: this operation has no lease on the cluster.`);
  }
  run.lease?.assertHeld();
};

/**
 * The same before something is only stopped or taken out. Where the FE hosts are gone nobody can be kept out, nor is
 * there a cluster left to be hurt: then it is done all the same.
 */
export const guardRemoval = async (options: GuardOptions): Promise<void> => {
  try {
    await guard(options);
  } catch (error) {
    if (!(error instanceof NoMajority)) {
      throw error;
    }
    options.run.journal.note(`${options.node} is removed without a lease: ${messageOf(error)}`);
  }
};

const begin = async (options: GuardOptions): Promise<void> => {
  const { frontends, limits, report, run, urn } = options;
  const hosts = keepersOf(frontends);
  report("the lease on the cluster");
  const lease = await acquireLease({
    hosts,
    owner: ownerHere(operationOf(run, urn)),
    limit: limits.lease,
    report,
    note: (text) => run.journal.note(text),
  });
  run.lease = lease;
  onEnd(() => lease.release());
  const { mark } = await BalancePause.recover(balanceOptions(options, report));
  run.leftPaused = mark === "left";
};

/** `stack dev of analytics, cluster sr`, as far as a URN tells: `urn:pulumi:dev::analytics::…`. */
const operationOf = ({ cluster }: Run, urn: string | undefined): string => {
  const [, stack, project] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(urn ?? "") ?? [];
  return stack === undefined ? `cluster ${cluster}` : `stack ${stack} of ${project}, cluster ${cluster}`;
};
