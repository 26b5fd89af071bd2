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

/** That a fault takes a node down is nothing that the operation did. */
export interface Excuse {
  /** The fault has hit nothing. */
  readonly takeBack: () => void;
  /** The fault is over and has taken the node down: what becomes of the node once it was seen down, and runs again, is the operation's doing. */
  readonly struck: () => void;
  /** The fault that took it down again and again is over: the same, whether it was seen down or not. */
  readonly healed: () => void;
}

interface Down {
  readonly since: number;
  /** Nodes of its kind that were down by a fault when it went down. */
  readonly besides: readonly NodeName[];
}

/** `strikes`: as long as the fault does, whatever is seen; `down`: the excuse ends when the node runs. */
interface Excused {
  readonly node: NodeName;
  phase: "strikes" | "struck" | "down";
}

/** Which nodes an operation has down at once, beyond what it may. */
export class Downs {
  readonly #allowed: Readonly<Record<"fe" | "be", number>>;
  readonly #excuses = new Set<Excused>();
  readonly #down = new Map<NodeName, Down>();
  #running = new Set<NodeName>();

  constructor({ frontends, maxUnavailable }: DownsOptions) {
    // The other one of two FEs has no majority, and ends by itself when it is left alone for 43 s.
    this.#allowed = { fe: frontends === 2 ? 2 : 1, be: maxUnavailable };
  }

  /** A fault takes it down from now on. */
  excuse(node: NodeName): Excuse {
    const excused: Excused = { node, phase: "strikes" };
    this.#excuses.add(excused);
    return {
      takeBack: () => {
        this.#excuses.delete(excused);
      },
      struck: () => {
        excused.phase = "struck";
      },
      healed: () => {
        excused.phase = "down";
      },
    };
  }

  /** All is well again: no fault is an excuse any more. */
  settle(): void {
    this.#excuses.clear();
  }

  /** Those that are down too many, after a look at what runs. */
  look(nodes: readonly NodeName[], running: ReadonlySet<string>, now: number): readonly TooMany[] {
    const down = nodes.filter((node) => !running.has(node));
    this.#follow(running);
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
      const own = down.filter((node) => node.startsWith(kind) && !this.#isExcused(node));
      const besides = new Set(own.flatMap((node) => this.#down.get(node)?.besides ?? []));
      const lost = [...besides].filter((node) => this.#isExcused(node));
      const count = own.length + lost.length - this.#allowed[kind];
      return count > 0 ? [{ count, own, besides: lost }] : [];
    });
  }

  #follow(running: ReadonlySet<string>): void {
    for (const excused of this.#excuses) {
      if (!running.has(excused.node)) {
        excused.phase = excused.phase === "struck" ? "down" : excused.phase;
      } else if (excused.phase === "down") {
        this.#excuses.delete(excused);
      }
    }
  }

  #isExcused(wanted: NodeName): boolean {
    return [...this.#excuses].some(({ node }) => node === wanted);
  }

  /** Down by a fault for so long that who stops another node must have known. */
  #lost(stopped: NodeName, now: number): readonly NodeName[] {
    return [...this.#down].flatMap(([node, { since }]) =>
      this.#isExcused(node) && node.slice(0, 2) === stopped.slice(0, 2) && now - since > unnoticed ? [node] : [],
    );
  }
}

export interface TooMany {
  readonly count: number;
  readonly own: readonly NodeName[];
  /** Down by a fault when one of them was stopped. */
  readonly besides: readonly NodeName[];
}
