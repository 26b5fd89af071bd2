import { engineAlive } from "./log.js";

/** Milliseconds between SIGINT and SIGKILL of a plugin, less what it takes to be told and to go. */
const signalLimit = 4000;

/** Milliseconds for the hooks where nobody is going to kill the process. */
const orphanLimit = 60_000;

/** Milliseconds between two looks at the engine; while it lives, one costs nothing. */
const every = 1000;

type Hook = () => Promise<void>;

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

/** Work that is let come to its own end where only the engine is gone: nobody hurries, and a node must not be left stopped. */
export const untilEnd = <T>(work: () => Promise<T>): Promise<T> => {
  const running = work();
  working.add(running);
  const done = (): void => {
    working.delete(running);
  };
  running.then(done, done);
  return running;
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
  look();
};

const look = (): void => {
  const timer = setTimeout(async () => {
    if (ending || (await engineAlive())) {
      look();
      return;
    }
    ending = true;
    await Promise.allSettled(working);
    await bounded(runHooks(), orphanLimit);
    process.exit(1);
  }, every);
  timer.unref();
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
