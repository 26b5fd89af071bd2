import type { Plain } from "./outputs.js";
import { Recent } from "./recent.js";

/**
 * Inputs with values inside, which travel and are recorded as JSON text. The engine logs each value by itself and once more with each that it
 * is in, at every call about every resource, and that is most of what a preview of hundreds of nodes takes. It shows differences of such
 * texts as those of what they say. In state of earlier releases, and from programs of them, they are values as they are.
 */
export const packedKeys: readonly string[] = [
  "config",
  "connection",
  "connections",
  "frontends",
  "limits",
  "nodes",
  "ownConfig",
  "parts",
  "policy",
  "ports",
  "release",
  "sql",
  "storage",
];

/** What a program gave in the place of such a value, be it a text, was packed too: then it begins with a quotation mark. */
const isPacked = (value: unknown): value is string => typeof value === "string" && /^[[{]/.test(value);

const packedOf = (values: Plain): readonly string[] => packedKeys.filter((key) => isPacked(values[key]));

/** What was recorded is mostly what is declared, and nodes share much of it: the same text is the same value. */
const valuesByText = new Recent<string, unknown>(500);
const textsByValue = new WeakMap<object, string>();

const valueFrom = (text: string): unknown =>
  valuesByText.get(text, () => {
    const value = frozen(JSON.parse(text));
    textsByValue.set(value, text);
    return value;
  });

/** All who share a value see when one of them tries to change it. */
const frozen = (value: object): object => {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) {
      frozen(part);
    }
  }
  return Object.freeze(value);
};

const textOf = (value: unknown): string | undefined =>
  (typeof value === "object" && value !== null ? textsByValue.get(value) : undefined) ?? JSON.stringify(value);

/** Inputs or outputs as handlers take them. */
export const unpacked = (values: Plain): Plain => ({
  ...values,
  ...Object.fromEntries(packedOf(values).map((key) => [key, valueFrom(String(values[key]))])),
});

/** Packs what is packed in `given`: what was recorded by an earlier release keeps its form until it is written anew. */
export const packedLike = (given: Plain, values: Plain): Record<string, unknown> => ({
  ...values,
  ...Object.fromEntries(
    packedOf(given).flatMap((key) => (values[key] === undefined ? [] : [[key, textOf(values[key])]])),
  ),
});
