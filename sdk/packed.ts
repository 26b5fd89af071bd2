import * as pulumi from "@pulumi/pulumi";
import { packedKeys } from "../provider/engine/packed.js";
import { isPlain } from "./plain.js";

/** Credentials are secret whatever the program wrapped them in. */
export const secretKeys = ["connection", "sql"];

/** The texts of outputs and of what holds some, made once for all resources that share them: outputs are dear. */
const texts = new WeakMap<object, pulumi.Output<string>>();

/** One part makes the whole text unknown or secret. */
const textOf = (value: pulumi.Input<object>): pulumi.Input<string> => {
  if (isPlain(value)) {
    return JSON.stringify(value);
  }
  const text = texts.get(value) ?? pulumi.output(value).apply((known: object) => JSON.stringify(known));
  texts.set(value, text);
  return text;
};

/** Inputs as the provider unpacks them: see `packedKeys`. */
export const packed = (args: Readonly<Record<string, pulumi.Input<object> | undefined>>): pulumi.Inputs =>
  Object.fromEntries(
    Object.entries(args).map(([key, value]) => {
      if (value === undefined || !packedKeys.includes(key)) {
        return [key, value];
      }
      return [key, secretKeys.includes(key) ? pulumi.secret(textOf(value)) : textOf(value)];
    }),
  );
