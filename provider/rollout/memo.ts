/** What was found out once and holds as long as this lives. What could not be found out is asked for again. */
export class Memo<T> {
  readonly #known = new Map<string, Promise<T>>();

  get(key: string, find: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key);
    if (known) {
      return known;
    }
    const finding = find();
    this.#known.set(key, finding);
    finding.catch(() => this.#known.delete(key));
    return finding;
  }
}
