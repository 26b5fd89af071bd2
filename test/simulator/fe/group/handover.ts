/** The leader's wish that a follower takes over, from being asked for to its end. */
export class HandOver {
  readonly target: string;
  /** The follower has everything and was told to take over. */
  asked = false;
  readonly outcome: Promise<void>;
  readonly #until: number;
  #end: (error?: string) => void = () => undefined;

  constructor(target: string, timeoutMs: number) {
    this.target = target;
    this.#until = performance.now() + timeoutMs;
    this.outcome = new Promise((resolve, reject) => {
      this.#end = (error) => (error === undefined ? resolve() : reject(new Error(error)));
    });
  }

  get isLate(): boolean {
    return performance.now() > this.#until;
  }

  /** Resolves at the end, whatever came of it. */
  get ended(): Promise<void> {
    return this.outcome.catch(() => undefined);
  }

  end(error?: string): void {
    this.#end(error);
  }
}
