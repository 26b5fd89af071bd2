import { compareVersions, parseVersion, versionOf } from "../../starrocks/versions.js";
import { nearest } from "../nearest.js";
import type { Policy } from "../policy.js";
import type { Problem } from "../topology.js";
import type { Hazard, Path } from "./hazard.js";
import { hazardsOf } from "./hazards-of.js";
import { hazardIds } from "./table.js";

/** A change of version of a whole cluster, as far as it is known. */
export interface Journey extends Omit<Path, "from"> {
  /** The version of each FE and BE that is there already; none on a first deployment. */
  readonly frontends: readonly string[];
  readonly backends: readonly string[];
  /**
   * `recorded` versions are a state's, where an FE may stand with a version on which it never came up. `running` ones
   * were reported by the cluster. `proven` ones are those on which nodes ran last, as the homes on their hosts say.
   */
  readonly known: "recorded" | "running" | "proven";
  readonly policy: Pick<Policy, "direction" | "acceptHazards">;
}

export interface Judgement {
  /** Why it must not be done. */
  readonly problems: readonly Problem[];
  /** What applies besides, one line each, for people. */
  readonly notes: readonly string[];
  /** Rows that apply only if the cluster shows it; to be looked for before the first stop. */
  readonly toLookFor: readonly Hazard[];
}

/** The versions that nodes report (`3.5.7-d2da301`), without commits; one that was never heard reports none. */
export const runningVersions = (reported: readonly (string | undefined)[]): readonly string[] =>
  reported
    .map((text) => (text ?? "").replace(/-[0-9a-f]{7,40}$/i, ""))
    .filter((text) => parseVersion(text) !== undefined);

/** Decides from the whole plan, never by one node, whether a change of version may be made. */
export const pathProblems = (journey: Journey): Judgement => {
  const unknown = unknownIds(journey);
  const { older, newer } = against(journey);
  if (journey.policy.direction === "downgrade" && newer.length === 0 && older.length > 0) {
    return { problems: [...unknown, notDown(journey, older)], notes: [], toLookFor: [] };
  }
  const goesDown = newer.length > 0 && journey.policy.direction !== "downgrade";
  if (goesDown && isCertain(journey)) {
    return { problems: [...unknown, undeclared(journey, newer)], notes: [], toLookFor: [] };
  }
  const rows = rowsOf(journey);
  const forbidden = rows.filter(({ hazard }) => hazard.severity === "forbidden" && !hazard.looks);
  const refused = forbidden.filter(({ hazard }) => !isAccepted(journey, hazard));
  return {
    problems: [...unknown, ...refused.map(({ hazard, froms }) => refusal(journey, hazard, froms))],
    notes: [
      ...(goesDown ? [unproven(journey, newer)] : []),
      ...rows
        .filter((row) => !refused.includes(row) && !isSoonSeen(journey, row))
        .map(({ hazard }) => note(journey, hazard)),
    ],
    toLookFor: rows.map(({ hazard }) => hazard).filter(({ looks }) => looks !== undefined),
  };
};

/** What was found on the cluster of the rows that had to be looked for. */
export interface Found {
  readonly hazard: Hazard;
  /** What exactly: `shop.orders (job 10050, RUNNING)`. */
  readonly seen: string;
}

/** The same decision for what a look at the cluster has shown. */
export const foundProblems = (
  found: readonly Found[],
  { acceptHazards }: Pick<Policy, "acceptHazards">,
): Pick<Judgement, "problems" | "notes"> => {
  const refused = found.filter(({ hazard }) => isRefused(hazard) && !acceptHazards.includes(hazard.id));
  return {
    problems: refused.map(({ hazard, seen }) => ({
      property: "release.version",
      reason: `${hazard.text} Found: ${seen}. Source: ${hazard.source}. ${accepting(hazard)}`,
    })),
    notes: found
      .filter((one) => !refused.includes(one))
      .map(
        ({ hazard, seen }) => `${labelOf(hazard, acceptHazards)}: ${hazard.text} Found: ${seen}. (${hazard.source})`,
      ),
  };
};

const unknownIds = ({ policy }: Journey): readonly Problem[] => {
  const unknown = policy.acceptHazards.filter((id) => !hazardIds.has(id));
  const near = [...new Set(unknown.flatMap((id) => nearest(id, hazardIds)))];
  return unknown.length === 0
    ? []
    : [
        {
          property: "acceptHazards",
          reason: `there ${unknown.length === 1 ? "is no hazard" : "are no hazards"} ${quoted(unknown)}; did you mean ${quoted(near)}? docs/versions.md lists all`,
        },
      ];
};

const against = ({ frontends, to }: Journey): { readonly older: string[]; readonly newer: string[] } => {
  const order = (version: string): number => compareVersions(versionOf(version), versionOf(to));
  return {
    older: distinct(frontends.filter((version) => order(version) < 0)),
    newer: distinct(frontends.filter((version) => order(version) > 0)),
  };
};

/** A state in which one FE still has the declared version does not tell whether the newer ones ever ran. */
const isCertain = ({ frontends, known, to }: Journey): boolean =>
  known !== "recorded" || !frontends.some((version) => compareVersions(versionOf(version), versionOf(to)) === 0);

interface Row {
  readonly hazard: Hazard;
  /** The versions from which it applies; undefined for a first deployment. */
  readonly froms: readonly (string | undefined)[];
}

/** Rows of all versions that are left, each once. */
const rowsOf = (journey: Journey): readonly Row[] => {
  const there = distinct([...journey.frontends, ...journey.backends]);
  const rows = new Map<Hazard, (string | undefined)[]>();
  for (const from of there.length === 0 ? [undefined] : there) {
    const all = hazardsOf({ ...journey, from });
    for (const hazard of from !== undefined && isAbandoned(journey, from) ? all.filter(isWarning) : all) {
      rows.set(hazard, [...(rows.get(hazard) ?? []), from]);
    }
  }
  return [...rows].map(([hazard, froms]) => ({ hazard, froms }));
};

/** A newer version that only BEs run: what no FE has read or written cannot be lost by leaving it. */
const isAbandoned = ({ frontends, to }: Journey, from: string): boolean =>
  !frontends.includes(from) && compareVersions(versionOf(from), versionOf(to)) > 0;

/** Whether a row is refused where it is found. */
const isRefused = ({ must, severity }: Hazard): boolean => severity === "forbidden" || must === true;

const isWarning = ({ severity }: Hazard): boolean => severity === "warning";

/** Who asks what runs looks for it next: what is found is told then. */
const isSoonSeen = ({ known }: Journey, { hazard }: Row): boolean => known === "running" && hazard.looks !== undefined;

const isAccepted = ({ policy }: Journey, { id }: Hazard): boolean => policy.acceptHazards.includes(id);

const refusal = ({ to }: Journey, hazard: Hazard, froms: Row["froms"]): Problem => {
  const known = froms.filter((from) => from !== undefined && from !== to);
  const way = known.length === 0 ? to : `${known.join(", ")} → ${to}`;
  return {
    property: hazard.when.runModeChanges ? "frontends.config.run_mode" : "release.version",
    reason: `${way}: ${hazard.text} Source: ${hazard.source}. ${accepting(hazard)}`,
  };
};

const accepting = ({ id }: Hazard): string => `To do it nevertheless, name it: acceptHazards: ["${id}"].`;

/** `3.5.7, which FEs of this cluster run`. */
const ofFrontends = ({ known }: Journey, versions: readonly string[]): string =>
  known === "proven"
    ? `${versions.join(", ")}, on which FEs of this cluster ran last`
    : `${versions.join(", ")}, which FEs of this cluster run`;

const notDown = (journey: Journey, older: readonly string[]): Problem => ({
  property: "direction",
  reason: `is "downgrade", but ${journey.to} is newer than ${ofFrontends(journey, older)}; leave \`direction\` out, or declare an older version`,
});

const undeclared = (journey: Journey, newer: readonly string[]): Problem => {
  const { to } = journey;
  const rows = rowsOf(journey).map(({ hazard }) => `\n  ${note(journey, hazard)}`);
  const running = newer.join(", ");
  return {
    property: "release.version",
    reason:
      `${to} is older than ${ofFrontends(journey, newer)}: an older FE may not be able to read their metadata. ` +
      `Declare ${running} or a newer version; or, if you mean it, \`direction: "downgrade"\`. ` +
      "(While all FEs still run the older version, declaring it abandons a half-done upgrade.)" +
      (rows.length > 0 ? `\nThis way down:${rows.join("")}` : ""),
  };
};

const unproven = ({ to }: Journey, newer: readonly string[]): string =>
  `going back: some FEs are recorded with ${newer.join(", ")}. If one of them ever came up on it, the pre-flight refuses ${to} before anything is touched.`;

const note = ({ policy }: Journey, hazard: Hazard): string => {
  const { looks, source, text } = hazard;
  const condition =
    looks === undefined ? "" : `if found before the first stop${isRefused(hazard) ? ", refused" : ""}: `;
  return `${labelOf(hazard, policy.acceptHazards)}: ${condition}${text} (${source})`;
};

const labelOf = ({ id, severity }: Hazard, accepted: readonly string[]): string =>
  `${accepted.includes(id) ? "accepted" : severity} ${id}`;

const quoted = (ids: readonly string[]): string => ids.map((id) => `"${id}"`).join(", ");

const distinct = (values: readonly string[]): string[] => [...new Set(values)];
