import { setTimeout as sleep } from "node:timers/promises";
import { NodeProcesses } from "../../lab/node-processes.js";
import type { NodeName } from "./plan.js";
import type { Site } from "./site.js";

/** Milliseconds between two looks: a simulated node is down for several hundred. */
const lookEvery = 80;

export interface WatchOptions {
  readonly frontends: number;
  readonly maxUnavailable: number;
  readonly tell: (text: string) => void;
}

/** Watches which nodes have a process, and counts those that an operation has down at once. */
export class Watch {
  readonly #processes: NodeProcesses;
  readonly #allowed: Readonly<Record<"fe" | "be", number>>;
  readonly #excused = new Set<NodeName>();
  #nodes: readonly NodeName[] = [];
  #ended = false;
  readonly #loop: Promise<void>;
  readonly #tell: (text: string) => void;
  /** The most nodes that were down at once beyond what is allowed. */
  extra = 0;

  private constructor(processes: NodeProcesses, { frontends, maxUnavailable, tell }: WatchOptions) {
    this.#processes = processes;
    // The other one of two FEs has no majority, and ends by itself when it is left alone for 43 s.
    this.#allowed = { fe: frontends === 2 ? 2 : 1, be: maxUnavailable };
    this.#tell = tell;
    this.#loop = this.#run();
  }

  static async of({ lab }: Site, options: WatchOptions): Promise<Watch> {
    return new Watch(await NodeProcesses.of(lab.fleet), options);
  }

  /** The nodes that are to run from now on. */
  expect(nodes: readonly NodeName[]): void {
    this.#nodes = nodes;
  }

  /** A fault takes it down now: it does not count until all is settled. Gives what takes that back. */
  excuse(node: NodeName): () => void {
    const isNew = !this.#excused.has(node);
    this.#excused.add(node);
    return () => {
      if (isNew) {
        this.#excused.delete(node);
      }
    };
  }

  /** All is well again: every node counts. */
  settle(): void {
    this.#excused.clear();
  }

  running(): readonly string[] {
    return this.#processes.look().map(({ host }) => host);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      this.#look();
      await sleep(lookEvery);
    }
  }

  #look(): void {
    if (this.#nodes.length === 0) {
      return;
    }
    const running = new Set(this.running());
    const down = this.#nodes.filter((node) => !running.has(node) && !this.#excused.has(node));
    const count = (kind: "fe" | "be") => down.filter((node) => node.startsWith(kind)).length;
    const extra = (["fe", "be"] as const).reduce(
      (sum, kind) => sum + Math.max(0, count(kind) - this.#allowed[kind]),
      0,
    );
    if (extra > this.extra) {
      this.extra = extra;
      this.#tell(`EXTRA DOWN: ${extra} more than allowed (${down.join(", ")})`);
    }
  }
}
