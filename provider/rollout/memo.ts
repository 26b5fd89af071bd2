/** What was found out once and holds as long as this lives. What could not be found out (undefined, a rejection) is asked for again. */
export class Memo<T> {
  readonly #known = new Map<string, Promise<T>>();

  get(key: string, find: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key);
    if (known) {
      return known;
    }
    const finding = find();
    this.#known.set(key, finding);
    const forget = (found?: T) => found === undefined && this.#known.delete(key);
    finding.then(forget, () => forget());
    return finding;
  }
}
