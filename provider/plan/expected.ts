import { parseReported, runsVersion } from "../starrocks/versions.js";

/** A node as the cluster and its home show it. */
export interface Reporting {
  readonly label: string;
  /** What the cluster says that it runs: `3.5.7-d2da301`; undefined where it was never heard. */
  readonly reported: string | undefined;
  readonly declared: string;
  /** Versions that its home stands for: the one it was proven on last, and the one that was switched to since. */
  readonly known: readonly string[];
  /** The version that it is changed from, as the state has it; undefined where it keeps its own. */
  readonly planned: string | undefined;
}

/**
 * Nodes that run neither the declared version, nor one that this program gave them, nor the one that the plan changes, for
 * people: somebody else changes the cluster, and nothing that is known of the way holds. Of a node that was taken over
 * nothing is known yet.
 */
export const strangers = (nodes: readonly Reporting[]): readonly string[] =>
  nodes.flatMap(({ declared, known, label, planned, reported }) => {
    const expected = [...new Set([...known, ...(planned === undefined ? [] : [planned]), declared])];
    return known.length === 0 || !parseReported(reported) || expected.some((version) => runsVersion(reported, version))
      ? []
      : [`${label} runs ${reported}, expected is ${expected.join(" or ")}`];
  });
