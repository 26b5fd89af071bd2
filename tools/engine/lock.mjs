import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Longer than any build: past it the number in the lock belongs to some other process that got it again. */
const oldest = 3_600_000;

/**
 * Takes a lock file that names its holder; one that a dead process left is taken over. It spares two processes the same
 * long work; what they make is renamed into place whole, so nothing breaks should both get it.
 *
 * @param {string} file
 * @returns {(() => void) | undefined} gives the lock back; undefined while a living process holds it
 */
export const tryLock = (file) => {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    // A link appears with its content, so a lock never names nobody.
    linkSync(own, file);
    return () => rmSync(file, { force: true });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") {
      throw error;
    }
  } finally {
    rmSync(own, { force: true });
  }
  if (isHeld(file)) {
    return undefined;
  }
  rmSync(file, { force: true });
  return tryLock(file);
};

const isHeld = (/** @type {string} */ file) => {
  try {
    return Date.now() - statSync(file).mtimeMs < oldest && isAlive(Number(readFileSync(file, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return false;
    }
    throw error;
  }
};

const isAlive = (/** @type {number} */ pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
};

const codeOf = (/** @type {unknown} */ error) => /** @type {NodeJS.ErrnoException} */ (error).code;
