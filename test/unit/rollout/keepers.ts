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
        if (keeper.cut) {
          throw new TransientError(`${name}: connection refused`);
        }
        return call(...args);
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

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
