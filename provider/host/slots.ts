/** A fair queue for a number of slots that can shrink: first come, first served. */
export class Slots {
  private used = 0;
  private readonly waiting: { readonly grant: () => void; readonly refuse: (error: Error) => void }[] = [];
  private refusal: Error | undefined;

  constructor(private limit: number) {}

  get inUse(): number {
    return this.used;
  }

  /** Waits for a slot; the answer gives it back (calling it twice does no harm). */
  acquire(): Promise<() => void> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ grant: () => resolve(this.releaseOnce()), refuse: reject });
      this.next();
    });
  }

  /** Lowers the limit to what is in use now: the other side said that there is no more. */
  shrink(): void {
    this.limit = Math.max(1, this.used);
  }

  /** Refuses all that wait and all that come. */
  close(reason: Error): void {
    this.refusal = reason;
    for (const { refuse } of this.waiting.splice(0)) {
      refuse(reason);
    }
  }

  private releaseOnce(): () => void {
    let held = true;
    return () => {
      if (held) {
        held = false;
        this.used -= 1;
        this.next();
      }
    };
  }

  private next(): void {
    while (this.used < this.limit) {
      const first = this.waiting.shift();
      if (!first) {
        return;
      }
      this.used += 1;
      first.grant();
    }
  }
}
