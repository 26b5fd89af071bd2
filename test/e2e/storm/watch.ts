import { setTimeout as sleep } from "node:timers/promises";
import { NodeProcesses } from "../../lab/node-processes.js";
import type { NodeName } from "./plan.js";
import type { Site } from "./site.js";

/** Milliseconds between two looks: a simulated node is down for several hundred. */
const lookEvery = 80;

/** Watches which nodes have a process, and counts those that an operation has down at once. */
export class Watch {
  readonly #processes: NodeProcesses;
  readonly #allowed: Readonly<Record<"fe" | "be", number>>;
  readonly #excused = new Set<NodeName>();
  #nodes: readonly NodeName[] = [];
  #ended = false;
  readonly #loop: Promise<void>;
  /** The most nodes that were down beyond what is allowed, and which. */
  worst: { readonly extra: number; readonly down: readonly NodeName[] } = { extra: 0, down: [] };

  private constructor(processes: NodeProcesses, maxUnavailable: number) {
    this.#processes = processes;
    this.#allowed = { fe: 1, be: maxUnavailable };
    this.#loop = this.#run();
  }

  static async of({ lab }: Site, maxUnavailable: number): Promise<Watch> {
    return new Watch(await NodeProcesses.of(lab.fleet), maxUnavailable);
  }

  /** The nodes that are to run from now on. */
  expect(nodes: readonly NodeName[]): void {
    this.#nodes = nodes;
  }

  /** A fault took it down: it does not count until all is settled. */
  excuse(node: NodeName): void {
    this.#excused.add(node);
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
    if (extra > this.worst.extra) {
      this.worst = { extra, down };
    }
  }
}
