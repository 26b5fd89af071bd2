import { compareVersions, parseVersion } from "../starrocks/versions.js";
import type { Item } from "./steps.js";

/** What the `Preflight` resource does when it is created or changed. */
export const preflightItem = (changes: boolean, position: number): Item => ({
  id: "pre-flight",
  wave: "preflight",
  position,
  change: "",
  stops: false,
  steps: changes
    ? [
        {
          verb: "inspect",
          text: "see on every host: release staged, JDK, limits, programs, disk, ports free or our own",
        },
      ]
    : [],
});

/** What comes before the first stop of a running node, whichever node it is. */
export const gateItem: Item = {
  id: "gate",
  wave: "preflight",
  position: Number.MAX_SAFE_INTEGER,
  change: "before the first stop",
  stops: false,
  steps: [
    { verb: "inspect", text: "see on every host: release staged, JDK, limits", when: "if this run has not done so" },
    { verb: "repair", text: "start declared nodes that are down", when: "if one is" },
    { verb: "gate", text: "see every FE and BE Alive, and no FE newer than the declared version" },
  ],
};

/** The plan with its gate, where a running node is going to be stopped. */
export const withGate = (items: readonly Item[]): readonly Item[] =>
  items.some(({ stops }) => stops) ? [...items, gateItem] : items;

/** Whether the declared version is older than one that an FE runs: its metadata could be unreadable for it. */
export const isDowngrade = (declared: string, running: readonly (string | undefined)[]): boolean => {
  const wanted = parseVersion(declared);
  return running.some((text) => {
    const version = text === undefined ? undefined : parseVersion(text.replace(/-[0-9a-f]{7,40}$/i, ""));
    return wanted !== undefined && version !== undefined && compareVersions(wanted, version) < 0;
  });
};

/**
 * Whether an FE that was found down may be started on the declared version before its turn: FEs come after BEs, and an
 * FE does not go back from a version that it was proven on. (One that never came up on a newer version does go back.)
 */
export const mayStartOnDeclared = (
  declared: string,
  { proven, backends }: { readonly proven: string | undefined; readonly backends: readonly string[] },
): boolean => !isDowngrade(declared, [proven]) && backends.every((version) => !isDowngrade(version, [declared]));

export const downgradeReason = (declared: string, running: string): string =>
  `${declared} is older than ${running}, which FEs of this cluster run: an older FE may not be able to read their metadata. ` +
  "Declare that version, or a newer one. (While all FEs still run the older version, declaring it abandons a half-done upgrade.)";
