/** Whether nothing in it is an output or a promise. */
export const isPlain = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) {
    return true;
  }
  const plain: readonly unknown[] = [Object.prototype, Array.prototype];
  return plain.includes(Object.getPrototypeOf(value)) && Object.values(value).every(isPlain);
};
