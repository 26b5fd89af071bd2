import type { Handlers } from "../../../provider/resources/handlers.js";
import { Mutex } from "../../../provider/rollout/mutex.js";

export type Props = Readonly<Record<string, unknown>>;

export type Kind = keyof typeof import("../../../provider/index.js");

/** A resource as a program declares it. */
export interface Declared {
  readonly name: string;
  readonly kind: Kind;
  readonly dependsOn: readonly string[];
  /** The component whose end is its end too; "" where there is none. */
  readonly deletedWith: string;
  readonly inputs: Props;
}

/** A resource as the state has it. */
export interface Recorded {
  readonly name: string;
  readonly kind: Kind;
  readonly deletedWith: string;
  readonly id: string;
  readonly inputs: Props;
  readonly outputs: Props;
  /** It was changed and is not as wished: its next operation is an update, whatever differs. */
  readonly failed: boolean;
}

export interface Operation {
  readonly resources: readonly Declared[];
  /** In the order in which they were made. */
  readonly state: readonly Recorded[];
}

/** Called as soon as a resource's state is another one; undefined: it is gone. */
export type Checkpoint = (name: string, recorded: Recorded | undefined) => void;

/** As the engine carries values. */
const carried = <T>(value: T): T => JSON.parse(JSON.stringify(value));

interface Partial {
  readonly id: string;
  readonly properties: Props;
  readonly reasons: readonly string[];
}

const isPartial = (error: unknown): error is Partial =>
  error instanceof Error && "reasons" in error && "properties" in error;

/**
 * An `up` as the engine makes it, without the engine: a resource is checked and compared when all that it depends on has
 * ended, one at a time; creates and updates run side by side; after a failure nothing new begins; what is no longer
 * declared is deleted when all else was done, unless its component goes too. Gives what failed.
 */
export const operate = async (
  { resources, state }: Operation,
  handlers: Readonly<Record<Kind, Handlers>>,
  checkpoint: Checkpoint,
): Promise<readonly string[]> => {
  const before = new Map(state.map((one) => [one.name, one]));
  const planning = new Mutex();
  const failures: string[] = [];
  const ended = new Map<string, Promise<boolean>>();

  const guarded = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    if (failures.length > 0) {
      return false;
    }
    try {
      await work();
      return true;
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };

  /** Saves what a change has left, well or not. */
  const change = async (base: Omit<Recorded, "id" | "outputs" | "failed">, work: () => Promise<Changed>) => {
    try {
      checkpoint(base.name, { ...base, ...carried(await work()), failed: false });
    } catch (error) {
      if (isPartial(error)) {
        checkpoint(base.name, { ...base, id: error.id, outputs: carried(error.properties), failed: true });
      }
      throw error;
    }
  };

  const bring = async ({ deletedWith, inputs: declared, kind, name }: Declared): Promise<void> => {
    const handler = handlers[kind];
    const old = before.get(name);
    const { changes, inputs } = await planning.run(async () => {
      const checked = await handler.check(old?.inputs ?? {}, carried(declared));
      if (checked.failures && checked.failures.length > 0) {
        throw new Error(checked.failures.map(({ reason }) => reason).join("; "));
      }
      const news = carried(checked.inputs);
      return { inputs: news, changes: !old || (await handler.diff(old.id, old.outputs, news)).changes };
    });
    const base = { name, kind, deletedWith, inputs };
    if (!old) {
      await change(base, async () => {
        const { id, outs } = await handler.create(inputs);
        return { id, outputs: outs };
      });
    } else if (changes || old.failed) {
      await change(base, async () => ({
        id: old.id,
        outputs: (await handler.update(old.id, old.outputs, inputs)).outs,
      }));
    } else {
      checkpoint(name, { ...old, inputs });
    }
  };

  for (const resource of resources) {
    const after = resource.dependsOn.map((name) => ended.get(name) ?? Promise.resolve(true));
    const own = Promise.all(after).then((oks) =>
      oks.includes(false) ? false : guarded(resource.name, () => bring(resource)),
    );
    ended.set(resource.name, own);
  }
  await Promise.all(ended.values());
  const declared = new Set(resources.map(({ name }) => name));
  const components = new Set(resources.map((one) => one.deletedWith));
  for (const { deletedWith, id, kind, name, outputs } of [...state]
    .reverse()
    .filter((one) => !declared.has(one.name))) {
    await guarded(name, async () => {
      if (deletedWith === "" || components.has(deletedWith)) {
        await handlers[kind].delete(id, outputs);
      }
      checkpoint(name, undefined);
    });
  }
  return failures;
};

interface Changed {
  readonly id: string;
  readonly outputs: Props;
}
