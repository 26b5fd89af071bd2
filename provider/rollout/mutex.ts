/** Runs pieces of work one after the other, in the order in which they came. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Gives what lets the next one in: for work that ends elsewhere than it begins. */
  acquire(): Promise<() => void> {
    return new Promise((entered) => {
      this.run(() => new Promise<void>((release) => entered(release))).catch(() => undefined);
    });
  }
}

/** A mutex for each key: work on one thing goes one after the other. */
export class Mutexes {
  readonly #byKey = new Map<string, Mutex>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mutex = this.#byKey.get(key) ?? new Mutex();
    this.#byKey.set(key, mutex);
    return mutex.run(work);
  }
}
