import { TransientError, UserError } from "../error.js";

export type Unreachable = "dns" | "refused" | "unreachable" | "timeout" | "lost";

/** The host could not be reached, or was lost: the network's or the machine's fault, so trying later may help. */
export class UnreachableError extends TransientError {
  constructor(
    message: string,
    readonly reason: Unreachable,
  ) {
    super(message);
  }
}

/** The host answers and does not let us in. */
export class AuthenticationError extends UserError {}

/** The host showed a key that nobody vouched for. */
export class HostKeyError extends UserError {}

/** The command was never run, as we could not become the user that it has to run as. */
export class BecomeError extends UserError {}

export interface CommandFailure {
  readonly host: string;
  /** The command as shown to people; it must hold no secret. */
  readonly command: string;
  readonly code?: number;
  readonly signal?: string;
  /** The last lines of each. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A command ran and failed, was killed, or took too long. */
export class CommandError extends UserError implements CommandFailure {
  readonly host: string;
  readonly command: string;
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(what: string, failure: CommandFailure) {
    super(
      `${failure.host}: \`${failure.command}\` ${what}.${shown("stderr", failure.stderr)}${shown("stdout", failure.stdout)}`,
    );
    this.host = failure.host;
    this.command = failure.command;
    this.code = failure.code;
    this.signal = failure.signal;
    this.stdout = failure.stdout;
    this.stderr = failure.stderr;
  }
}

/** The command took longer than its limit and was ended. */
export class LimitError extends CommandError {}

const shown = (stream: string, text: string): string =>
  text === "" ? "" : `\n${stream}:\n${text.replaceAll(/^/gm, "  ")}`;
