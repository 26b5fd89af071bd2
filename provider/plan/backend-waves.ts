interface Backend {
  readonly name: string;
  readonly rack?: string | undefined;
}

interface Bounds {
  /** Name of the BE that goes alone before all others. */
  readonly canary?: string | false | undefined;
  readonly maxUnavailable: number;
}

/**
 * Which BEs may be down together, in the order of a change: the canary alone, then rack by rack, in the order in which
 * the program names them; without racks, as many as may be down at once. A BE without a rack among racks goes alone.
 */
export const backendWaves = (backends: readonly Backend[], bounds: Bounds): readonly (readonly string[])[] => {
  const canary = backends.filter(({ name }) => name === bounds.canary);
  const others = backends.filter(({ name }) => name !== bounds.canary);
  const waves = others.some(({ rack }) => rack !== undefined)
    ? byRack(others)
    : inChunks(others, bounds.maxUnavailable);
  return [canary, ...waves].filter((wave) => wave.length > 0).map((wave) => wave.map(({ name }) => name));
};

const byRack = (backends: readonly Backend[]): readonly (readonly Backend[])[] => {
  const racks = new Map<string, Backend[]>();
  for (const backend of backends) {
    const key = backend.rack === undefined ? `node ${backend.name}` : `rack ${backend.rack}`;
    racks.set(key, [...(racks.get(key) ?? []), backend]);
  }
  return [...racks.values()];
};

const inChunks = (backends: readonly Backend[], size: number): readonly (readonly Backend[])[] =>
  Array.from({ length: Math.ceil(backends.length / size) }, (_, index) =>
    backends.slice(index * size, (index + 1) * size),
  );
