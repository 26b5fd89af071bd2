/** What a suite opened, ended in reverse order, even when the process is killed by a failing test run. */
export class Cleanup {
  private readonly steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.steps.push(step);
  }

  readonly run = async (): Promise<void> => {
    for (const step of this.steps.splice(0).reverse()) {
      await step();
    }
  };
}
