import { UserError } from "../error.js";
import { becomeFailure } from "./become.js";
import type { Line } from "./command-line.js";

/** Milliseconds that a login shell and sudo have until the command starts (sudo may ask a directory service). */
export const startLimit = 60_000;

interface Begun {
  readonly line: Line;
  /** User that sudo should make of us. */
  readonly becomes?: string | undefined;
  readonly cwd?: string | undefined;
  /** What was said on stderr. */
  readonly said: string;
  readonly code?: number | undefined;
}

/** Why a command did not start. `what`: how that showed. */
export const notStarted = (host: string, what: string, { line, becomes, cwd, said, code }: Begun): UserError => {
  if (said.includes(line.noFolder)) {
    return new UserError(
      `${host}: cannot enter the working folder \`${cwd ?? ""}\`${saidAs(said.replace(line.noFolder, ""))}`,
    );
  }
  if (becomes !== undefined) {
    return becomeFailure(host, becomes, said.replaceAll(line.prompt, ""), code);
  }
  const exit = code === undefined ? "" : ` (exit code ${code})`;
  return new UserError(
    `${host}: the command ${what}${exit}: the login shell did not get as far as running bash${saidAs(said)} ` +
      "The host needs bash, and a login shell that runs commands.",
  );
};

const saidAs = (said: string): string => (said.trim() === "" ? "." : `: ${said.trim()}.`);
