/** Plain JSON values, the only thing that the dynamic layer can carry (`undefined`, dates and functions fail there). */
export type Plain = { readonly [key: string]: unknown };

/** A copy without `undefined`, safe to hand to the engine. */
export const plain = (value: object): Record<string, unknown> => JSON.parse(JSON.stringify(value));

/** Inputs as outputs: everything echoed but the named keys. */
export const echo = (inputs: Plain, without: readonly string[]): Record<string, unknown> => {
  const outputs = plain(inputs);
  for (const key of without) {
    delete outputs[key];
  }
  return outputs;
};
