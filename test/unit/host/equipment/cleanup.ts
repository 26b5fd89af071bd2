/** What a suite opened, ended in reverse order. */
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

const atExit: (() => void)[] = [];
process.on("exit", () => {
  // Processes, which were started later, go before the folders that they write to.
  for (const step of atExit.reverse()) {
    try {
      step();
    } catch (error) {
      console.error(error);
    }
  }
});

/** For what must not outlive the tests even when they are ended before their own cleanup. */
export const beforeExit = (step: () => void): void => void atExit.push(step);
