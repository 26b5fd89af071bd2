/** One writer at a time per tablet: writes and clones take turns. */
export class TabletLocks {
  readonly #tails = new Map<number, Promise<void>>();

  async hold<T>(ids: readonly number[], action: () => Promise<T>): Promise<T> {
    const before = ids.map((id) => this.#tails.get(id) ?? Promise.resolve());
    let release = (): void => undefined;
    const tail = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const id of ids) {
      this.#tails.set(id, tail);
    }
    await Promise.all(before);
    try {
      return await action();
    } finally {
      release();
      for (const id of ids) {
        if (this.#tails.get(id) === tail) {
          this.#tails.delete(id);
        }
      }
    }
  }

  isHeld(id: number): boolean {
    return this.#tails.has(id);
  }
}
