import { isDeepStrictEqual } from "node:util";
import { closesBdb } from "./back.js";
import type { NodeRelease, NodeSpec, Role } from "./spec.js";
import type { Step } from "./steps.js";

/** What a state says of a node: the spec that it was last brought to, and how it was last seen. */
export interface Recorded {
  readonly spec: NodeSpec;
  readonly status: Status;
  /** Keys of the conf file that a refresh found otherwise than declared. */
  readonly drift?: readonly string[];
}

/**
 * `running`: proven. `failed`: an operation ended before the proof. `stopped`, `unreachable`: seen by a refresh.
 */
export const statuses = ["running", "failed", "stopped", "unreachable"] as const;
export type Status = (typeof statuses)[number];

export type Action =
  | { readonly type: "none" }
  /** Only what is recorded changes (credentials, limits): the node is not touched. */
  | { readonly type: "record"; readonly fields: readonly string[] }
  | { readonly type: "create" }
  /**
   * `together`: one of the nodes that the pre-flight found down; it proves them all when they run. `needed`: another one that
   * is on its way waits for it, also where the operation has failed by now.
   */
  | { readonly type: "repair"; readonly status: Status; readonly together?: true; readonly needed?: true }
  | { readonly type: "restart"; readonly fields: readonly string[] }
  | {
      readonly type: "version";
      readonly from: NodeRelease;
      readonly to: NodeRelease;
      readonly fields: readonly string[];
    };

/** What a changed field means for a running node. */
type Effect = "restart" | "record" | "refused";

const effects: Readonly<Record<string, Effect>> = {
  cluster: "refused",
  kind: "refused",
  name: "refused",
  address: "refused",
  home: "refused",
  deployDir: "refused",
  metaDir: "refused",
  role: "record",
  adopt: "record",
  limits: "record",
  rack: "record",
  config: "restart",
  ports: "restart",
  javaHome: "restart",
  storage: "restart",
};

/** The fields in which two specs differ, with the effect of each. `release` stands apart. */
const changedFields = (old: NodeSpec, next: NodeSpec): readonly string[] =>
  Object.keys(effects).filter(
    (field) => !isDeepStrictEqual(old[field as keyof NodeSpec], next[field as keyof NodeSpec]),
  );

/** The settings of the conf file that differ, by their keys. */
const changedSettings = (old: NodeSpec, next: NodeSpec): readonly string[] =>
  [...new Set([...Object.keys(old.config), ...Object.keys(next.config)])].filter(
    (key) => old.config[key] !== next.config[key],
  );

/** Decides what has to happen to a node. Pure: the same for the preview's words and for the run. */
export const decide = (recorded: Recorded | undefined, next: NodeSpec): Action => {
  if (!recorded) {
    return { type: "create" };
  }
  const fields = changedFields(recorded.spec, next);
  const restarting = fields.filter((field) => effects[field] === "restart");
  const restarts = [
    ...new Set([
      ...restarting.flatMap((field) => (field === "config" ? changedSettings(recorded.spec, next) : [field])),
      ...(recorded.drift ?? []),
    ]),
  ];
  const { release: from } = recorded.spec;
  if (from.id !== next.release.id) {
    return { type: "version", from, to: next.release, fields: restarts };
  }
  if (restarts.length > 0) {
    return { type: "restart", fields: restarts };
  }
  if (recorded.status !== "running") {
    return { type: "repair", status: recorded.status };
  }
  return fields.length > 0 ? { type: "record", fields } : { type: "none" };
};

export interface Refusal {
  readonly property: string;
  readonly reason: string;
}

/** Changes that cannot be made to a node in place. `onlyFe`: an FE that has no other beside it, before and after. */
export const refusals = (old: NodeSpec, next: NodeSpec, onlyFe = false): readonly Refusal[] => {
  const refused = changedFields(old, next)
    .filter((field) => effects[field] === "refused" && !follows(field, old, next))
    .map((property) => ({
      property,
      reason:
        `cannot change on an existing node (recorded \`${String(old[property as keyof NodeSpec])}\`, ` +
        `declared \`${String(next[property as keyof NodeSpec])}\`): ${fieldRefusals[property]?.(old) ?? ""}`,
    }));
  return [...refused, ...removedStorage(old, next), ...changedRole(old, next), ...changedPorts(old, next, onlyFe)];
};

/** Whether a folder only moves along with one around it, which is refused for itself. */
const follows = (field: string, old: NodeSpec, next: NodeSpec): boolean => {
  const outer: Readonly<Record<string, readonly ("deployDir" | "home")[]>> = {
    home: ["deployDir"],
    metaDir: ["home", "deployDir"],
  };
  const pathIn = (spec: NodeSpec): string => String(spec[field as keyof NodeSpec]);
  return (outer[field] ?? []).some(
    (folder) =>
      old[folder] !== next[folder] &&
      pathIn(old).startsWith(`${old[folder]}/`) &&
      pathIn(next) === next[folder] + pathIn(old).slice(old[folder].length),
  );
};

/** The way around what cannot change in place: a node that has left its cluster may join it anew, on the same host too. */
export const declaredAnew = (kind: NodeSpec["kind"], how: string): string =>
  kind === "fe"
    ? `Remove this FE with one \`pulumi up\` (it is dropped, its metadata moved aside) and declare it ${how} in the next; ` +
      "where it is the declared leader, first declare another FE as the leader."
    : `Remove this BE with one \`pulumi up\` (it is decommissioned, then its data moved aside) and declare it ${how} in the next; ` +
      "where it is the only BE, first add another.";

/** Why a field is refused, and what to do instead. */
const fieldRefusals: Readonly<Record<string, (old: NodeSpec) => string>> = {
  cluster: ({ cluster }) =>
    "its hosts and folders are marked with the cluster's `key`, by default `<project>/<stack>/<name>`. " +
    `Where only one of those has another name now, declare \`key: "${cluster}"\`.`,
  kind: () => "an FE and a BE are two nodes. Declare another one, and remove this one.",
  name: ({ name }) =>
    `the node is what its cluster's plans and marks call \`${name}\`. ` +
    "Declare another resource for the new name, with `adopt: true`: it takes over its process, data and place in the cluster.",
  address: ({ kind }) => `its cluster knows it by this address. ${declaredAnew(kind, "with the new `address`")}`,
  home: ({ kind }) => `its settings, logs and state are there. ${declaredAnew(kind, "with the new `home`")}`,
  deployDir: ({ kind }) => `it runs from the releases there. ${declaredAnew(kind, "with the new `deployDir`")}`,
  metaDir: ({ kind }) => `its metadata is there. ${declaredAnew(kind, "with the new `metaDir`")}`,
};

const removedStorage = (old: NodeSpec, next: NodeSpec): readonly Refusal[] => {
  if (old.kind !== "be" || next.kind !== "be") {
    return [];
  }
  const kept = new Set(next.storage.map(({ path }) => path));
  return old.storage
    .filter(({ path }) => !kept.has(path))
    .map(({ path }) => ({
      property: "storage",
      reason: `${path} holds tablets of this BE and cannot be taken away from it. Decommission the BE instead (remove the node).`,
    }));
};

/** Ports of an FE by which others find it: `edit_log_port` may not change after the first start (StarRocks). */
const fePortRefusals = {
  editLog: `its group knows it by this port. ${declaredAnew("fe", "with the new port")}`,
  query: `its cluster is asked through this port, before and after a restart. ${declaredAnew("fe", "with the new port")}`,
  http:
    "FEs reach each other at their own http port, so one that listens on another than the rest is never Alive again. " +
    "Remove the other FEs, change it on the only one, then add them again.",
} as const;

/** The port of ADD BACKEND. */
const bePortRefusals = {
  heartbeat: `the cluster knows it by this port. ${declaredAnew("be", "with the new port")}`,
} as const;

const changedPorts = (old: NodeSpec, next: NodeSpec, onlyFe: boolean): readonly Refusal[] => {
  const why: Readonly<Record<string, string>> = next.kind === "fe" ? fePortRefusals : bePortRefusals;
  const recorded: Readonly<Record<string, number>> = old.ports;
  return Object.entries(next.ports)
    .filter(([name, port]) => why[name] !== undefined && old.kind === next.kind && recorded[name] !== port)
    .filter(([name]) => !(onlyFe && name === "http"))
    .map(([name, port]) => ({
      property: `ports.${name}`,
      reason: `cannot change on an existing ${next.kind.toUpperCase()} (recorded \`${recorded[name]}\`, declared \`${port}\`): ${why[name]}`,
    }));
};

const voting = (role: Role): boolean => role !== "observer";

const changedRole = (old: NodeSpec, next: NodeSpec): readonly Refusal[] =>
  old.kind === "fe" && next.kind === "fe" && voting(old.role) !== voting(next.role)
    ? [
        {
          property: "role",
          reason: `an FE stays what it was added as (recorded \`${old.role}\`, declared \`${next.role}\`). ${declaredAnew("fe", "in the new role")}`,
        },
      ]
    : [];

/** What the steps of a change depend on beside the node itself. */
export interface Manner {
  /** Whether the node goes first and alone, and for how many seconds it is watched then. */
  readonly canary?: { readonly soak: number; readonly verify: boolean; readonly rebuild: boolean } | undefined;
  /** Whether there are other voting FEs, to which leadership can go. */
  readonly group: boolean;
}

/** A node of which nothing is known but itself. */
const alone: Manner = { group: false };

/** The steps of an action, in the order in which they run. An action that touches nothing has none. */
export const nodeSteps = (action: Action, spec: NodeSpec, manner: Manner = alone): readonly Step[] => {
  const label = spec.kind.toUpperCase();
  const version = spec.release.version;
  switch (action.type) {
    case "none":
    case "record":
      return [];
    case "create":
      return [
        folders(spec),
        { verb: "stop", text: `stop the ${label}`, when: runsOtherwise },
        { verb: "switch", text: `make ${version} the current release of ${spec.home}` },
        configure(spec),
        start(spec),
        prove(spec),
      ];
    case "repair":
      return [
        folders(spec),
        // Of a host that was lost on the way nobody knows what runs there.
        { verb: "stop", text: `stop the ${label}`, when: runsOtherwise },
        { verb: "switch", text: `make sure that ${version} is the current release of ${spec.home}` },
        configure(spec),
        { ...start(spec), when: "if it does not run" },
        prove(spec),
        // Where an operation failed on the first BE it is no more proven to be good than before; and its data may be given up,
        // while a BE that was only seen down may lack a disk.
        ...(action.status === "failed" && manner.canary
          ? [...heal(spec), ...watch(spec, manner), ...rebuild(spec, manner, version, "on its data")]
          : []),
      ];
    case "restart":
      return [
        folders(spec),
        turn(spec),
        ...before(spec),
        stop(spec, version),
        { verb: "configure", text: `write ${confFile(spec)}: ${action.fields.join(", ")} changed` },
        start(spec),
        prove(spec),
        ...heal(spec),
        {
          verb: "rollback",
          text: `write ${confFile(spec)} as it was, start the ${label} and prove it`,
          when: "if a step after the stop fails",
        },
      ];
    case "version":
      return [
        folders(spec),
        turn(spec),
        ...before(spec),
        ...handOver(spec, manner),
        stop(spec, action.from.version),
        { verb: "switch", text: `switch ${spec.home}/current from ${action.from.version} to ${version}` },
        action.fields.length > 0
          ? { verb: "configure", text: `write ${confFile(spec)}: ${action.fields.join(", ")} changed` }
          : { ...configure(spec), when: "if the file lost a declared setting" },
        start(spec),
        prove(spec),
        ...heal(spec),
        ...watch(spec, manner),
        {
          verb: "rollback",
          text: `switch ${spec.home}/current back to ${action.from.version}, start it and prove it`,
          when: closesBdb({ kind: spec.kind, from: action.from.version, to: version })
            ? `if a step after the stop fails, and before its start: ${action.from.version} cannot open its bdb then`
            : "if a step after the stop fails",
        },
        ...rebuild(spec, manner, action.from.version, "either"),
      ];
  }
};

const runsOtherwise = "if it runs already, with another release or other settings";

/** A BE is not stopped while a tablet would be worse off without it than its table's replication allows. */
const before = (spec: NodeSpec): readonly Step[] =>
  spec.kind === "be"
    ? [{ verb: "tablets", text: "wait until no tablet is worse off without it than its table's replication allows" }]
    : [];

const heal = (spec: NodeSpec): readonly Step[] =>
  spec.kind === "be" ? [{ verb: "heal", text: "wait until its tablets have caught up" }] : [];

/** No FE of the old version may follow a leader of the new one for longer than a step takes. */
const handOver = (spec: NodeSpec, { group }: Manner): readonly Step[] =>
  spec.kind === "fe" && spec.role === "follower" && group
    ? [
        {
          verb: "handover",
          text: "hand leadership to the declared leader",
          when: "if it leads while other FEs are still to be changed",
        },
      ]
    : [];

const watch = (spec: NodeSpec, { canary }: Manner): readonly Step[] =>
  spec.kind === "be" && canary
    ? [
        { verb: "soak", text: `watch its process, log, row and tablets for ${canary.soak} s before any other BE` },
        ...(canary.verify ? [{ verb: "verify", text: "run the declared queries" } as const] : []),
      ]
    : [];

const rebuild = (spec: NodeSpec, { canary }: Manner, version: string, how: string): readonly Step[] =>
  spec.kind === "be" && canary?.rebuild
    ? [
        {
          verb: "rebuild",
          text: `drop it, move its data aside, start ${version} on empty folders, add it again and wait for its tablets`,
          when: `if ${version} cannot start ${how}, and every tablet is whole elsewhere`,
        },
      ]
    : [];

const confFile = (spec: NodeSpec): string => `${spec.kind}.conf`;

const dataFolders = (spec: NodeSpec): string =>
  spec.kind === "fe" ? spec.metaDir : spec.storage.map(({ path }) => path).join(", ");

const folders = (spec: NodeSpec): Step => ({
  verb: "folders",
  text: `make ${spec.home} and ${dataFolders(spec)} where they are missing`,
});

const turn = (spec: NodeSpec): Step => ({
  verb: "turn",
  text: spec.kind === "be" ? "wait for its turn among the BEs" : "wait for its turn among the FEs",
});

const stop = (spec: NodeSpec, version: string): Step => ({
  verb: "stop",
  text: `stop the ${spec.kind.toUpperCase()} ${version} and prove that its process is gone`,
});

const configure = (spec: NodeSpec): Step => ({
  verb: "configure",
  text: `write the declared settings into ${spec.home}/conf/${confFile(spec)}`,
});

const start = (spec: NodeSpec): Step => ({
  verb: "start",
  text: `start the ${spec.kind.toUpperCase()} ${spec.release.version}`,
});

const prove = (spec: NodeSpec): Step => ({
  verb: "prove",
  text:
    spec.kind === "be"
      ? `prove it: a new process, /api/health OK, Alive with ${spec.release.version} in SHOW BACKENDS where the cluster knows it`
      : `prove it: a new process, /api/bootstrap OK, ${spec.release.version} by a query through it; or waiting to be added, or for a majority`,
});

/** What the action does, in a few words for the plan's line. */
export const changeText = (action: Action, spec: NodeSpec): string => {
  switch (action.type) {
    case "none":
      return "";
    case "record":
      return `only recorded: ${action.fields.join(", ")}`;
    case "create":
      return `first start with ${spec.release.version}`;
    case "repair":
      return `repair (was ${action.status})`;
    case "restart":
      return `restart for ${action.fields.join(", ")}`;
    case "version":
      return action.from.version === action.to.version
        ? `${action.from.version}, another build (${action.from.id} → ${action.to.id})`
        : `${action.from.version} → ${action.to.version}`;
  }
};

/** Whether an action makes a running node unavailable for a while. */
export const stopsNode = (action: Action): boolean => action.type === "restart" || action.type === "version";
