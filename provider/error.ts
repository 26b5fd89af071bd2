/**
 * An error that a user can act on: what was wanted, what was seen, what to do.
 * Anything else that is thrown is a defect and keeps its stack.
 */
export class UserError extends Error {
  override readonly name = "UserError";

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    // The dynamic provider prints `stack` beside the message; for people the message is the whole story.
    this.stack = "";
  }
}

/** A failure that may heal by itself (a refused connection, a lost tunnel), so that a bounded wait may try again. */
export class TransientError extends UserError {}

/** The error as people read it: a defect says that it is one, with its stack. */
export const explained = (error: unknown): UserError => {
  if (error instanceof UserError) {
    return error;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new UserError(`This is a bug of pulumi-starrocks; please report it with these lines:\n${stack}`, {
    cause: error,
  });
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
