/** What Pulumi sends for a value that preview cannot know yet, whatever its type (`sdk/nodejs/runtime/rpc.ts`, `unknownValue`). */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isUnknown = (value: unknown): boolean => value === unknownValue;

/** Whether a value is unknown or holds an unknown anywhere. */
export const hasUnknown = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) {
    return isUnknown(value);
  }
  return Object.values(value).some(hasUnknown);
};

/** The value at a path, or the unknown that stands on the way to it. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown => {
  let current = value;
  for (const key of path) {
    if (isUnknown(current) || typeof current !== "object" || current === null) {
      return current;
    }
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
};
