const undo = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What was begun last is undone first: nothing that still runs makes files where they were removed already. */
const undoAll = () => {
  for (const action of [...undo].reverse()) {
    action();
  }
  undo.clear();
};

const onSignal = (signal: NodeJS.Signals) => {
  // Somebody else (mocha) decides about this signal; when it exits, the `exit` event finds us.
  if (process.listenerCount(signal) > 1) {
    return;
  }
  undoAll();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
};

/** Runs a synchronous action when this process exits or is interrupted, unless the returned function was called before. */
export const atExit = (action: () => void): (() => void) => {
  if (undo.size === 0) {
    process.on("exit", undoAll);
    for (const signal of signals) {
      process.on(signal, onSignal);
    }
  }
  undo.add(action);
  return () => {
    undo.delete(action);
    if (undo.size === 0) {
      process.removeListener("exit", undoAll);
      for (const signal of signals) {
        process.removeListener(signal, onSignal);
      }
    }
  };
};
