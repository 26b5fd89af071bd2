import { messageOf, UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { majorityOf } from "../plan/quorum.js";
import { homePaths } from "../starrocks/layout.js";
import { seconds } from "../wait.js";
import type { Frontends } from "./frontends.js";

/** An FE host that keeps what all operators of a cluster must know: the lease, and notes. */
export interface Keeper {
  /** For people: `FE fe-1 (10.0.0.11)`. */
  readonly name: string;
  readonly host: Host;
  /** The keeper's own folder for it; made when it is missing. */
  readonly folder: string;
}

/** Too few FE hosts answered. */
export class NoMajority extends UserError {}

export type Answer<T> =
  | { readonly keeper: Keeper; readonly value: T }
  | { readonly keeper: Keeper; readonly problem: string };

/** In the home of each FE, so that two programs that declare one cluster under different names meet. */
const subfolder = "cluster";

export const keepersOf = (frontends: Frontends): readonly Keeper[] =>
  frontends.contacts.map((contact) => {
    const host = frontends.hostOf(contact);
    return {
      name: `FE ${contact.name} (${host.name})`,
      host,
      folder: `${homePaths(contact.home, "fe").state}/${subfolder}`,
    };
  });

/** Asks all at once; one that fails, or does not answer in `limit` milliseconds, is told apart and hinders no other. */
export const askAll = <T>(
  keepers: readonly Keeper[],
  question: (keeper: Keeper) => Promise<T>,
  limit: number,
): Promise<readonly Answer<T>[]> =>
  Promise.all(
    keepers.map(async (keeper) => {
      try {
        return { keeper, value: await within(question(keeper), limit) };
      } catch (error) {
        if (error instanceof UserError) {
          return { keeper, problem: messageOf(error) };
        }
        throw error;
      }
    }),
  );

/** A host that is gone is dialled for minutes; whoever asks a majority need not wait for that. */
const within = async <T>(answer: Promise<T>, limit: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UserError(`no answer within ${seconds(limit)}`)), limit);
  });
  try {
    return await Promise.race([answer, alarm]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
};

/** The answers that came; throws when they are no majority, naming who did not answer. */
export const answersOfMajority = <T>(
  answers: readonly Answer<T>[],
  purpose: string,
): readonly Extract<Answer<T>, { readonly value: T }>[] => {
  const good = answers.filter((answer) => "value" in answer);
  const needed = majorityOf(answers.length);
  if (good.length < needed) {
    const bad = answers.flatMap((answer) => ("problem" in answer ? [`${answer.keeper.name}: ${answer.problem}`] : []));
    throw new NoMajority(
      `Expected ${needed} of ${answers.length} FE hosts to ${purpose}, but ${good.length === 0 ? "none" : `only ${good.length}`} could. ` +
        `Make these reachable and writable for the run user, then run \`pulumi up\` again:\n${bad.join("\n")}`,
    );
  }
  return good;
};
