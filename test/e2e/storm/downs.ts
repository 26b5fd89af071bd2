import type { NodeName } from "./plan.js";

/**
 * Milliseconds for which a node may have been down by a fault when another one goes down: in them an operation that has
 * looked at all processes brings the stop that it has decided on to its end. FEs call a dead node Alive for longer.
 */
export const unnoticed = 1000;

export interface DownsOptions {
  readonly frontends: number;
  readonly maxUnavailable: number;
}

interface Down {
  readonly since: number;
  /** Nodes of its kind that were down by a fault when it went down. */
  readonly besides: readonly NodeName[];
}

/** Which nodes an operation has down at once, beyond what it may. */
export class Downs {
  readonly #allowed: Readonly<Record<"fe" | "be", number>>;
  readonly #excused = new Set<NodeName>();
  readonly #down = new Map<NodeName, Down>();
  #running = new Set<NodeName>();

  constructor({ frontends, maxUnavailable }: DownsOptions) {
    // The other one of two FEs has no majority, and ends by itself when it is left alone for 43 s.
    this.#allowed = { fe: frontends === 2 ? 2 : 1, be: maxUnavailable };
  }

  /** A fault takes it down now: that is nothing that the operation did. Gives what takes that back. */
  excuse(node: NodeName): () => void {
    const isNew = !this.#excused.has(node);
    this.#excused.add(node);
    return () => {
      if (isNew) {
        this.#excused.delete(node);
      }
    };
  }

  /** All is well again: no fault is an excuse any more. */
  settle(): void {
    this.#excused.clear();
  }

  /** Those that are down too many, after a look at what runs. */
  look(nodes: readonly NodeName[], running: ReadonlySet<string>, now: number): readonly TooMany[] {
    const down = nodes.filter((node) => !running.has(node));
    for (const node of down) {
      if (!this.#down.has(node)) {
        // One that never ran, as of a new cluster, was not stopped by anybody.
        this.#down.set(node, { since: now, besides: this.#running.has(node) ? this.#lost(node, now) : [] });
      }
    }
    for (const node of [...this.#down.keys()].filter((one) => !down.includes(one))) {
      this.#down.delete(node);
    }
    this.#running = new Set(nodes.filter((node) => running.has(node)));
    return (["fe", "be"] as const).flatMap((kind) => {
      const own = down.filter((node) => node.startsWith(kind) && !this.#excused.has(node));
      const besides = new Set(own.flatMap((node) => this.#down.get(node)?.besides ?? []));
      const lost = [...besides].filter((node) => this.#excused.has(node));
      const count = own.length + lost.length - this.#allowed[kind];
      return count > 0 ? [{ count, own, besides: lost }] : [];
    });
  }

  /** Down by a fault for so long that who stops another node must have known. */
  #lost(stopped: NodeName, now: number): readonly NodeName[] {
    return [...this.#down].flatMap(([node, { since }]) =>
      this.#excused.has(node) && node.slice(0, 2) === stopped.slice(0, 2) && now - since > unnoticed ? [node] : [],
    );
  }
}

export interface TooMany {
  readonly count: number;
  readonly own: readonly NodeName[];
  /** Down by a fault when one of them was stopped. */
  readonly besides: readonly NodeName[];
}
