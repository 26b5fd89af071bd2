import { z } from "zod";

/** An object that refuses arguments that it does not have, and names those that it has. Keys that begin with `__` are nobody's to give. */
export const strictObject = <S extends z.core.$ZodLooseShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? unknownArguments(issue.keys, Object.keys(shape)) : undefined,
  });

const unknownArguments = (given: readonly string[], known: readonly string[]): string =>
  `unknown argument ${given.map((key) => `\`${key}\``).join(", ")}; it has ${known.filter((key) => !key.startsWith("__")).join(", ")}`;
