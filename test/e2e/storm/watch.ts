import { setTimeout as sleep } from "node:timers/promises";
import { NodeProcesses } from "../../lab/node-processes.js";
import { Downs, type DownsOptions, type Excuse } from "./downs.js";
import type { NodeName } from "./plan.js";
import type { Site } from "./site.js";

/** Milliseconds between two looks: a simulated node is down for several hundred. */
const lookEvery = 80;

export interface WatchOptions extends DownsOptions {
  readonly tell: (text: string) => void;
}

/** Watches which nodes have a process, and counts those that an operation has down at once. */
export class Watch {
  readonly #processes: NodeProcesses;
  readonly #downs: Downs;
  #nodes: readonly NodeName[] = [];
  #ended = false;
  readonly #loop: Promise<void>;
  readonly #tell: (text: string) => void;
  /** The most nodes that were down at once beyond what is allowed. */
  extra = 0;

  constructor({ lab }: Site, { tell, ...options }: WatchOptions) {
    this.#processes = new NodeProcesses(lab.fleet);
    this.#downs = new Downs(options);
    this.#tell = tell;
    this.#loop = this.#run();
  }

  /** The nodes that are to run from now on. */
  expect(nodes: readonly NodeName[]): void {
    this.#nodes = nodes;
  }

  /** A fault takes it down from now on. */
  excuse(node: NodeName): Excuse {
    return this.#downs.excuse(node);
  }

  settle(): void {
    this.#downs.settle();
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
    const tooMany = this.#downs.look(this.#nodes, new Set(this.running()), performance.now());
    const extra = tooMany.reduce((sum, { count }) => sum + count, 0);
    if (extra > this.extra) {
      this.extra = extra;
      const who = tooMany.map(({ besides, own }) =>
        [own.join(", "), ...(besides.length > 0 ? [`besides ${besides.join(", ")}, down by a fault`] : [])].join(", "),
      );
      this.#tell(`EXTRA DOWN: ${extra} more than allowed (${who.join("; ")})`);
    }
  }
}
