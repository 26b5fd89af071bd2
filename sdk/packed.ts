import * as pulumi from "@pulumi/pulumi";
import { packedKeys } from "../provider/engine/packed.js";
import { isPlain } from "./plain.js";

/** Credentials are secret whatever the program wrapped them in. */
export const secretKeys = ["connection", "sql"];

/** The texts of outputs and of what holds some, made once for all resources that share them: outputs are dear. */
const texts = new WeakMap<object, pulumi.Output<string>>();

/** One part makes the whole text unknown or secret. */
const textOf = (value: pulumi.Input<object>): pulumi.Input<string> =>
  isPlain(value)
    ? JSON.stringify(value)
    : once(texts, value, () => pulumi.output(value).apply((known: object) => JSON.stringify(known)));

const secrets = new WeakMap<object, pulumi.Output<string>>();

const secretTextOf = (value: pulumi.Input<object>): pulumi.Output<string> =>
  once(secrets, value, () => pulumi.secret(textOf(value)));

const once = <T>(made: WeakMap<object, T>, value: object, make: () => T): T => {
  const known = made.get(value) ?? make();
  made.set(value, known);
  return known;
};

/** Inputs as the provider unpacks them: see `packedKeys`. */
export const packed = (args: Readonly<Record<string, pulumi.Input<object> | undefined>>): pulumi.Inputs =>
  Object.fromEntries(
    Object.entries(args).map(([key, value]) => {
      if (value === undefined || !packedKeys.includes(key)) {
        return [key, value];
      }
      return [key, secretKeys.includes(key) ? secretTextOf(value) : textOf(value)];
    }),
  );
