import { TransientError } from "../error.js";

/** A node that this operation has started and proven, and has left alone since. */
export interface Proven {
  /** For messages: `BE be-1`. */
  readonly node: string;
  /** How the cluster names it. */
  readonly row: string;
  /** Whether the process that was proven runs still; rejects where its host cannot be asked. */
  readonly same: () => Promise<boolean>;
  /** It does not: leaves the node as well as can be, and says how, for people. */
  readonly takeBack: () => Promise<string>;
}

/** What a look at the proven nodes has seen. */
export interface Seen {
  readonly ended: readonly Proven[];
  /** The rows of those whose host cannot be asked: they may be down. */
  readonly unseen: readonly string[];
}

/**
 * The nodes that this operation has changed. SHOW FRONTENDS and SHOW BACKENDS say Alive of a dead one for 16 and 20 s
 * (StarRocks' own heartbeat times), so their processes are looked at before another node is stopped.
 */
export class ProvenNodes {
  readonly #nodes = new Map<string, Proven>();

  add(one: Proven): void {
    this.#nodes.set(one.node, one);
  }

  has(node: string): boolean {
    return this.#nodes.has(node);
  }

  /** The node is going to be stopped, or it is known to have died. True where it was there. */
  remove(node: string): boolean {
    return this.#nodes.delete(node);
  }

  /** All at once, each by one question to its host; but for the node that asks, which is going to be started anew. */
  async look(asking?: string): Promise<Seen> {
    const others = [...this.#nodes.values()].filter(({ node }) => node !== asking);
    const looks = await Promise.all(others.map(lookAt));
    // One that its own change has begun to stop meanwhile has not died.
    const current = looks.filter(({ one }) => this.#nodes.get(one.node) === one);
    return {
      ended: current.flatMap(({ one, seen }) => (seen === "ended" ? [one] : [])),
      unseen: current.flatMap(({ one, seen }) => (seen === "unseen" ? [one.row] : [])),
    };
  }
}

const lookAt = async (one: Proven): Promise<{ readonly one: Proven; readonly seen: "same" | "ended" | "unseen" }> => {
  try {
    return { one, seen: (await one.same()) ? "same" : "ended" };
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    return { one, seen: "unseen" };
  }
};
