import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransientError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";
import type { Keeper } from "../../../provider/rollout/majority.js";
import { localHost } from "../starrocks/local-host.js";

export interface TestKeeper extends Keeper {
  /** While set, the host cannot be reached. */
  cut: boolean;
  /** Called before each command on it. */
  before: (() => Promise<void>) | undefined;
}

/** FE hosts of a test: folders of this machine, each of which can be cut off. */
export class Keepers {
  readonly #folder = mkdtempSync(join(tmpdir(), "keepers-"));
  readonly all: readonly TestKeeper[];
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(count: number) {
    this.all = Array.from({ length: count }, (_, index) => this.keeper(`fe-${index + 1}`));
  }

  /** A view of one keeper of its own: what it is cut from, another one may reach. */
  keeper(name: string): TestKeeper {
    const local = localHost();
    const keeper: TestKeeper = {
      name: `FE ${name}`,
      host: undefined as unknown as Host,
      folder: join(this.#folder, name, "state/cluster"),
      cut: false,
      before: undefined,
    };
    const guarded =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        await keeper.before?.();
        if (keeper.cut || this.#closed) {
          throw new TransientError(`${name}: connection refused`);
        }
        const answer = call(...args);
        this.#underWay.add(answer);
        try {
          return await answer;
        } finally {
          this.#underWay.delete(answer);
        }
      };
    const host: Host = {
      ...local,
      name,
      run: guarded(local.run),
      script: guarded(local.script),
      readFile: guarded(local.readFile),
      writeFile: guarded(local.writeFile),
    };
    return Object.assign(keeper, { host });
  }

  /** A command whose asker no longer waits for it may still write into the folder. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
