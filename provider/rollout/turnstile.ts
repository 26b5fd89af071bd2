import { UserError } from "../error.js";
import { type Look, until } from "../wait.js";

export interface TurnOptions {
  /** The node that wants to stop, for messages. */
  readonly node: string;
  /** How `down` names it: who is inside is not counted a second time as one that is down. */
  readonly row: string;
  /** Its place in the plan; the lowest among those waiting goes first. */
  readonly position: number;
  /** Only nodes of one wave are down together. Default: all are of one. */
  readonly wave?: number;
  /** Names of the nodes of this kind that are down now, this one left out: another process may have stopped one. */
  readonly down: () => Promise<readonly string[]>;
  /** Of these rows none may be down along with this node, however many may be: another rack's. Default: there are none. */
  readonly apart?: (row: string) => boolean;
  /**
   * Milliseconds for which nothing may move: no node goes in or comes out, and none is before this one. Those that are
   * have limits of their own, and a pause is no wait for anything.
   */
  readonly limit: number;
  readonly onProgress?: (seen: string) => void;
}

interface Waiting {
  readonly position: number;
  readonly wave: number;
  readonly node: string;
  /** How many had gone in and come out at its last look. */
  moves: number;
}

interface Inside {
  /** The name that the cluster has for it. */
  readonly row: string;
  readonly wave: number;
}

/**
 * Lets at most `width` nodes of one kind be down during a change, and closes for good when one of them fails.
 * It never waits for a node that the engine has not started: the order within a wave is preferred, not promised.
 */
export class Turnstile {
  readonly #width: number;
  /** Milliseconds between two waves. */
  readonly #pause: number;
  /** Those that may be down now, by node. */
  readonly #inside = new Map<string, Inside>();
  readonly #waiting = new Set<Waiting>();
  /** The wave whose last node came out, and when. */
  #last: { readonly wave: number; readonly at: number } | undefined;
  #closed: string | undefined;
  /** How many have gone in and come out. */
  #moves = 0;

  constructor(width: number, pause = 0) {
    this.#width = width;
    this.#pause = pause;
  }

  /** Nothing passes any more; those that wait, and all that come, fail with one short line. */
  close(reason: string): void {
    this.#closed ??= reason;
  }

  /** Who may be down now, as the cluster names them. */
  get rows(): readonly string[] {
    return [...this.#inside.values()].map(({ row }) => row);
  }

  get closed(): string | undefined {
    return this.#closed;
  }

  /** Throws when the turnstile is closed. */
  assertOpen(node: string): void {
    if (this.#closed !== undefined) {
      throw new RefusedTurn(node, this.#closed);
    }
  }

  /** Waits until this node may be down. The function that it gives must be called when the node is proven up again. */
  async enter(options: TurnOptions): Promise<() => void> {
    const { node, position, wave = 0 } = options;
    const me: Waiting = { node, position, wave, moves: this.#moves };
    this.#waiting.add(me);
    try {
      await until(() => this.#look(me, options), {
        what: `the turn of ${options.node}`,
        limit: options.limit,
        ...(options.onProgress && { onProgress: options.onProgress }),
        advice:
          "It was not touched. Bring the nodes named here back (`pulumi up --refresh` starts declared ones), then run `pulumi up` again.",
      });
    } finally {
      this.#waiting.delete(me);
    }
    return () => {
      this.#moves += 1;
      this.#inside.delete(node);
      this.#last = { wave, at: performance.now() };
    };
  }

  async #look(me: Waiting, options: TurnOptions): Promise<Look<void>> {
    this.assertOpen(me.node);
    const obstacle = await this.#obstacle(me, options);
    // Another one may have failed, or gone in, while the cluster was asked.
    this.assertOpen(me.node);
    const isNext = this.#mayEnter(me);
    if (obstacle !== undefined || !isNext) {
      const moves = !isNext || me.moves !== this.#moves;
      me.moves = this.#moves;
      return { done: false, seen: obstacle ?? this.#queue(me), moves };
    }
    this.#moves += 1;
    this.#inside.set(me.node, { row: options.row, wave: me.wave });
    return { done: true, value: undefined };
  }

  async #obstacle(me: Waiting, { apart, down, row }: TurnOptions): Promise<string | undefined> {
    if (!this.#mayEnter(me)) {
      return this.#queue(me);
    }
    const obstacle = this.tooMany(row, await down(), apart);
    return obstacle && `waiting for its turn: ${obstacle}`;
  }

  /** Of these rows those that are not inside. */
  beside(rows: readonly string[]): readonly string[] {
    const inside = this.rows;
    return rows.filter((row) => !inside.includes(row));
  }

  /**
   * Who is down, or may be at any moment, where that leaves no room for this node to be stopped, for people; undefined where it
   * does. A node that is inside asks again before it is stopped: another one may have died since it came in.
   */
  tooMany(row: string, down: readonly string[], apart?: (row: string) => boolean): string | undefined {
    const others = this.beside(down);
    const inside = this.rows.filter((one) => one !== row);
    const elsewhere = others.filter((one) => apart?.(one));
    if (elsewhere.length > 0) {
      return `${elsewhere.join(", ")} down, in another rack`;
    }
    return inside.length + others.length + 1 > this.#width
      ? `${(others.length > 0 ? others : inside).join(", ")} down`
      : undefined;
  }

  #mayEnter(me: Waiting): boolean {
    return (
      this.#inside.size < this.#width &&
      this.#resting(me) === 0 &&
      [...this.#inside.values()].every(({ wave }) => wave === me.wave) &&
      ![...this.#waiting].some(({ position }) => position < me.position)
    );
  }

  /** Milliseconds for which a new wave must not begin yet. */
  #resting({ wave }: Waiting): number {
    const last = this.#last;
    return last === undefined || last.wave === wave ? 0 : Math.max(0, last.at + this.#pause - performance.now());
  }

  #queue(me: Waiting): string {
    const rest = this.#resting(me);
    if (rest > 0 && this.#inside.size === 0) {
      return `pausing between waves: ${Math.ceil(rest / 1000)} s`;
    }
    const before = [...this.#waiting].filter(({ position }) => position < me.position).map(({ node }) => node);
    return `waiting for its turn: ${[...this.#inside.keys(), ...before].join(", ") || "nobody"} first`;
  }
}

/** A node that was not touched as another one had failed before. */
export class RefusedTurn extends UserError {
  readonly reason: string;

  constructor(node: string, reason: string, deed: "touched" | "started" = "touched") {
    super(`${node} was not ${deed}: ${reason}`);
    this.reason = reason;
  }
}

/** A node that was not touched as the pre-flight of the whole cluster did not pass; its reason is told in full once. */
export class PreflightFailed extends RefusedTurn {
  constructor(node: string, found: string | undefined) {
    const story = `\n${found}\nNo running node was stopped. Mend the cause and run \`pulumi up\` again.`;
    super(node, `the pre-flight did not pass.${found === undefined ? "" : story}`);
  }
}
