import { BecomeError } from "./errors.js";
import { tail } from "./output.js";

/** What sudo says (in the C locale), and what that means for whoever wrote the program. */
const reasons: readonly (readonly [RegExp, (user: string) => string])[] = [
  [
    /a password is required|a terminal is required|no password was provided/i,
    () => "sudo asks for a password: set `become.password`, or allow the login user NOPASSWD in sudoers",
  ],
  [/incorrect password|sorry, try again/i, () => "sudo did not accept `become.password`"],
  [
    /is not in the sudoers file|may not run sudo/i,
    () => "the login user may not use sudo: add it to sudoers, or log in as another user",
  ],
  [/is not allowed to execute/i, (user) => `the login user may not run bash as \`${user}\`: allow it in sudoers`],
  [
    /must have a tty|must be run from a terminal|no tty present/i,
    () => "sudo wants a terminal: remove `requiretty` from sudoers for the login user",
  ],
  [/unknown user|unknown uid/i, (user) => `there is no user \`${user}\` on the host`],
  [
    /no new privileges|effective uid is not 0|must be owned by uid 0/i,
    () => "sudo cannot work there: it is not setuid root, or the login's surroundings forbid new privileges",
  ],
];

/** Why a command did not start as another user. */
export const becomeFailure = (host: string, user: string, said: string, code: number | undefined): BecomeError => {
  const text = said.trim();
  const known = reasons.find(([pattern]) => pattern.test(text))?.[1](user);
  const missing =
    code === 127 && /sudo/.test(text) ? "sudo is not installed; install it, or log in as that user" : undefined;
  const why = missing ?? known ?? (text === "" ? "it did not get as far as running bash" : "sudo refused");
  return new BecomeError(
    `${host}: cannot run commands as \`${user}\`: ${why}.${text === "" ? "" : ` It said: ${tail(text)}`}`,
  );
};
