import { messageOf, UserError } from "../../error.js";
import type { Host } from "../../host/types.js";
import { isRunning } from "../../starrocks/process.js";
import { type Look, type UntilOptions, until } from "../../wait.js";
import { type Logged, lastWordsOf } from "../node/watch.js";
import { type Access, accessSecrets } from "../reach.js";

/** Milliseconds between two looks at the process of a node whose cluster is waited for: each is a command on its host. */
const lookEvery = 3000;

/** A node that was started and proven before, and for which its cluster is waited now. */
interface Joining {
  readonly kind: "fe" | "be";
  readonly host: Host;
  readonly inputs: Access & {
    readonly name: string;
    readonly home: string;
    readonly release: { readonly version: string };
  };
}

/**
 * Waits until the cluster sees the node. One whose process has ended meanwhile is not waited for; and as the cluster tells
 * little of a node, every error ends with what its own log says.
 */
export const untilJoined = async (
  { host, inputs, kind }: Joining,
  look: () => Promise<Look<void>>,
  options: UntilOptions,
): Promise<void> => {
  const { home, release } = inputs;
  const node: Logged = { host, spec: { kind, home, release }, secrets: accessSecrets(inputs) };
  let lookedAt = Number.NEGATIVE_INFINITY;
  try {
    await until(async () => {
      const seen = await look();
      if (!seen.done && performance.now() - lookedAt >= lookEvery) {
        lookedAt = performance.now();
        await assertRuns(node, `${kind.toUpperCase()} ${inputs.name}`, options.what);
      }
      return seen;
    }, options);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${error.message}\n${await logOf(node)}`) : error;
  }
};

/** A host that does not answer for a moment tells nothing of its process. */
const assertRuns = async ({ host, spec }: Logged, label: string, what: string): Promise<void> => {
  if ((await isRunning(host, spec.kind, spec.home)) === false) {
    throw new UserError(
      `Waited for ${what}, but the process of ${label} on ${host.name}, which was proven before, has ended. ` +
        "Mend the cause and run `pulumi up --refresh`: it starts the node and goes on from here.",
    );
  }
};

const logOf = (node: Logged): Promise<string> =>
  lastWordsOf(node).catch((error: unknown) => `Its log could not be read: ${messageOf(error)}`);
