/** The leadership went away under a write. */
export class NotLeader extends Error {}

interface Pending {
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
}

/** Who waits for a journal entry: its writer, and readers that must not see less than it. */
export class Waiters {
  readonly #writers = new Map<number, Pending>();
  #readers: { readonly index: number; readonly resolve: () => void }[] = [];

  /** Resolves when the entry is applied, rejects when it may never be. */
  write(index: number): Promise<number> {
    return new Promise((resolve, reject) => this.#writers.set(index, { resolve, reject }));
  }

  read(index: number): Promise<void> {
    return new Promise((resolve) => this.#readers.push({ index, resolve }));
  }

  applied(index: number): void {
    this.#writers.get(index)?.resolve(index);
    this.#writers.delete(index);
    for (const reader of this.#readers.filter((waiting) => waiting.index <= index)) {
      reader.resolve();
    }
    this.#readers = this.#readers.filter((waiting) => waiting.index > index);
  }

  leadershipLost(): void {
    for (const { reject } of this.#writers.values()) {
      reject(new NotLeader("the leadership was lost"));
    }
    this.#writers.clear();
  }
}
