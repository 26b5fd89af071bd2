// How long steps show that they go on: a line when one ends, and one every ten seconds meanwhile.

/** Short enough that nobody thinks it hangs, long enough that a log of five minutes stays readable. */
const reportEvery = 10_000;

/** An error that the person at the terminal can act on: its message is the whole story. */
export class SetupError extends Error {
  /** @override */
  name = "SetupError";
}

/** @param {number} started as given by `performance.now()` */
export const secondsSince = (started) => `${((performance.now() - started) / 1000).toFixed(1)} s`;

/**
 * What it is at, it says by `progress`.
 *
 * @template T
 * @typedef {(progress: (detail: string) => void) => Promise<T>} Work
 */

/** @param {string} mark @param {string} name @param {number} started @param {string} [detail] */
const say = (mark, name, started, detail = "") =>
  console.log(`${mark} ${name}  ${secondsSince(started)}${detail && `  ${detail}`}`);

/**
 * Runs a piece of work and shows meanwhile that it goes on; how it ended is for the caller to say.
 *
 * @template T
 * @param {string} name
 * @param {Work<T>} work
 * @param {number} [every] milliseconds
 * @returns {Promise<T>}
 */
export const shown = async (name, work, every = reportEvery) => {
  const started = performance.now();
  let detail = "";
  const timer = setInterval(() => say("…", name, started, detail), every);
  try {
    return await work((text) => {
      detail = text;
    });
  } finally {
    clearInterval(timer);
  }
};

/**
 * Runs a piece of work under a name, and says how it ended. What it returns is handed on.
 *
 * @template T
 * @param {string} name
 * @param {Work<T>} work
 * @returns {Promise<T>}
 */
export const step = async (name, work) => {
  const started = performance.now();
  try {
    const result = await shown(name, work);
    say("✓", name, started);
    return result;
  } catch (error) {
    say("✗", name, started, messageLine(error));
    throw error;
  }
};

/** The whole message comes at the end; here one line of it is enough to know why it goes on another way. */
const messageLine = (/** @type {unknown} */ error) =>
  error instanceof SetupError ? (error.message.split("\n")[0] ?? "") : "";

/**
 * Runs a whole tool: the message of a SetupError and exit code 1, or the stack of a defect.
 *
 * @param {() => Promise<number | void>} main gives the exit code
 */
export const runTool = async (main) => {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    console.error(`\n${error.message}`);
    // Not by exitCode: another part, such as a build, may still be under way, and nobody wants its result any more.
    process.exit(1);
  }
};
