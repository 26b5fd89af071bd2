let watching = false;

/**
 * Ends the program when nobody reads what it says any more: its engine was killed. Pulumi's own answer is to print that
 * error, which fails again, for ever: a core and memory without bound (seen with 3.248).
 */
export const endWithEngine = (): void => {
  if (watching) {
    return;
  }
  watching = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") {
        process.exit(1);
      }
    });
  }
};
