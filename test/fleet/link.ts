import type { Duplex } from "node:stream";
import type { Slowness } from "./types.js";

/** As much as may be under way before the sender is held back. */
const window = 4 << 20;

/** Joins two streams with a delay, a rate and a cut that can be changed while data flow. */
export class Link {
  private cut = false;
  private readonly pumps: readonly Pump[];

  constructor(
    readonly left: Duplex,
    right: Duplex,
    slowness: Slowness = {},
  ) {
    this.pumps = [new Pump(left, right, slowness), new Pump(right, left, slowness)];
  }

  set slowness(slowness: Slowness) {
    for (const pump of this.pumps) {
      pump.slowness = slowness;
    }
  }

  /** While cut, nothing passes, not even an end. */
  setCut(cut: boolean): void {
    if (this.cut !== cut) {
      this.cut = cut;
      for (const pump of this.pumps) {
        pump.setCut(cut);
      }
    }
  }
}

interface Parcel {
  readonly due: number;
  readonly deliver: () => void;
  readonly size: number;
}

/** One direction: parcels wait until they are due, in order. */
class Pump {
  private readonly queue: Parcel[] = [];
  private waiting = 0;
  private lineFreeAt = 0;
  private cut = false;
  private blocked = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Duplex,
    to: Duplex,
    public slowness: Slowness,
  ) {
    from.on("data", (chunk: Buffer) =>
      this.accept(chunk.length, () => {
        this.blocked = !to.destroyed && !to.write(chunk);
      }),
    );
    from.on("end", () => this.accept(0, () => to.end()));
    from.on("close", () => this.accept(0, () => to.destroy()));
    // What broke one side closes it, and that closes the other.
    from.on("error", () => {});
    to.on("drain", () => {
      this.blocked = false;
      this.deliverDue();
    });
  }

  setCut(cut: boolean): void {
    this.cut = cut;
    this.deliverDue();
  }

  private accept(size: number, deliver: () => void): void {
    const { delayMs = 0, rate = Number.POSITIVE_INFINITY } = this.slowness;
    const now = performance.now();
    this.lineFreeAt = Math.max(now, this.lineFreeAt) + (size / rate) * 1000;
    this.queue.push({ due: this.lineFreeAt + delayMs, deliver, size });
    this.waiting += size;
    this.deliverDue();
  }

  private deliverDue(): void {
    clearTimeout(this.timer);
    for (let next = this.queue[0]; next && !this.cut && !this.blocked; next = this.queue[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.deliverDue(), wait);
        break;
      }
      this.queue.shift();
      this.waiting -= next.size;
      next.deliver();
    }
    // A paused stream also holds back its end; only what is full or cut may be paused.
    if (this.cut || this.waiting > window || this.blocked) {
      this.from.pause();
    } else {
      this.from.resume();
    }
  }
}
