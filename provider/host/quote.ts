import { UserError } from "../error.js";

const plain = /^[A-Za-z0-9_/:.,@%+-][A-Za-z0-9_/:.,@%+=-]*$/;
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One word that every POSIX shell reads back as exactly this argument: nothing in it is evaluated. */
export const quote = (argument: string): string => {
  if (argument.includes("\0")) {
    throw new UserError("Expected an argument of a command to hold no NUL character: no program can be given one.");
  }
  return plain.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
};

export const quoteAll = (command: readonly string[]): string => command.map(quote).join(" ");

/** `NAME=value` words for `env`. A name is checked, as `env` would take a strange one for an option or a command. */
export const quoteEnv = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => {
      if (!variable.test(name)) {
        throw new UserError(
          `Expected the name of an environment variable to be letters, digits and _, got \`${name}\`.`,
        );
      }
      return quote(`${name}=${value}`);
    })
    .join(" ");
