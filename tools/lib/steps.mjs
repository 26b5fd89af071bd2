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
 * Runs a piece of work under a name. The work may call `progress` with what it is at; what it returns is handed on.
 *
 * @template T
 * @param {string} name
 * @param {(progress: (detail: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export const step = async (name, work) => {
  const started = performance.now();
  let detail = "";
  const say = (/** @type {string} */ mark, /** @type {string} */ text) =>
    console.log(`${mark} ${name}  ${secondsSince(started)}${text && `  ${text}`}`);
  const timer = setInterval(() => say("…", detail), reportEvery);
  try {
    const result = await work((text) => {
      detail = text;
    });
    say("✓", "");
    return result;
  } catch (error) {
    say("✗", messageLine(error));
    throw error;
  } finally {
    clearInterval(timer);
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
