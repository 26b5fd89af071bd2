import { onEngineGone } from "./alive.js";
import { onCancel } from "./cancel.js";

/** Milliseconds between SIGINT and SIGKILL of a plugin, less what it takes to be told and to go. */
const signalLimit = 4000;

/** Milliseconds for the hooks where nobody is going to kill the process. */
const orphanLimit = 60_000;

type Hook = () => Promise<void>;

/** Why nothing new may begin: Ctrl-C, of which the engine lets be finished what was begun; or a killed engine. */
export type Stop = "canceled" | "gone";

const told = new Set<Stop>();
let asked = 0;
const stopListeners: ((stop: Stop) => Promise<unknown>)[] = [];
const hooks: Hook[] = [];
const working = new Set<Promise<unknown>>();
let ending = false;
let cleanup: Promise<void> | undefined;
let watching = false;

/**
 * Has `hook` run before this process ends: on SIGINT, which the engine sends at the end of each operation and at a second
 * Ctrl-C, with SIGKILL 5 s later; on SIGTERM; or when the engine is gone, as a killed one leaves this process behind.
 * The last hook runs first. Gives the function that takes it back.
 */
export const onEnd = (hook: Hook): (() => void) => {
  watch();
  hooks.push(hook);
  return () => {
    const index = hooks.indexOf(hook);
    if (index >= 0) {
      hooks.splice(index, 1);
    }
  };
};

/** Runs what the engine has asked for: only while there is such work is its Cancel a Ctrl-C. */
export const whileAsked = async <T>(work: () => Promise<T>): Promise<T> => {
  asked += 1;
  try {
    return await work();
  } finally {
    asked -= 1;
  }
};

/** Calls `listener` when nothing new may begin any more. */
export const onStop = (listener: (stop: Stop) => Promise<unknown>): void => {
  watch();
  stopListeners.push(listener);
};

/**
 * Work that is let come to its own end where only the engine is gone: a node that was stopped must not be left so. All
 * else is cut, as nobody hears of it any more.
 */
export const untilEnd = async <T>(work: () => Promise<T>): Promise<T> => {
  const running = work();
  working.add(running);
  try {
    return await running;
  } finally {
    working.delete(running);
  }
};

/** The same for work that begins here and ends there: call what it gives when it has ended. */
export const hold = (): (() => void) => {
  let letGo = (): void => undefined;
  void untilEnd(
    () =>
      new Promise<void>((resolve) => {
        letGo = resolve;
      }),
  );
  return letGo;
};

/** Whether this process is going to end: nothing may be begun any more. */
export const isEnding = (): boolean => ending;

const watch = (): void => {
  if (watching) {
    return;
  }
  watching = true;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const end = (): void => {
      ending = true;
      void bounded(runHooks(), signalLimit).then(() => {
        // Its fate without us, so that whoever waits for this process sees what it expects.
        process.off(signal, end);
        process.kill(process.pid, signal);
      });
    };
    process.on(signal, end);
  }
  onEngineGone(() => void endAlone());
  onCancel(() => {
    // It comes at the end of every operation, too, when there is nothing left to be stopped.
    if (asked > 0) {
      void tellStop("canceled");
    }
  });
};

/** Each once: an engine tells of a Ctrl-C again when it ends. */
const tellStop = async (stop: Stop): Promise<void> => {
  if (!told.has(stop)) {
    told.add(stop);
    await Promise.allSettled(stopListeners.map((listener) => listener(stop)));
  }
};

/** Nobody ends a provider whose engine was killed. */
const endAlone = async (): Promise<void> => {
  ending = true;
  await tellStop("gone");
  while (working.size > 0) {
    await Promise.allSettled(working);
  }
  await bounded(runHooks(), orphanLimit);
  process.exit(1);
};

/** Once, however often the end is announced. */
const runHooks = (): Promise<void> => {
  cleanup ??= runAll();
  return cleanup;
};

const runAll = async (): Promise<void> => {
  for (let hook = hooks.pop(); hook !== undefined; hook = hooks.pop()) {
    try {
      await hook();
    } catch {
      // There is nobody left to tell; what a hook could not do, the next operation does.
    }
  }
};

const bounded = async (work: Promise<void>, limit: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([work, alarm]);
  clearTimeout(timer);
};
