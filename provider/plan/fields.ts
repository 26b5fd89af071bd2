import type { Role } from "./spec.js";

/** What tells where in a program a node stands; nodes come in the order of the program. */
interface Placed {
  readonly kind: "fe" | "be";
  readonly role?: Role;
}

/** The argument of `Cluster` that declares each node: `backends.nodes[1]`, `frontends.leader`. */
export const nodeFields = (nodes: readonly Placed[]): readonly string[] => {
  const next = { leader: 0, follower: 0, observer: 0, be: 0 };
  return nodes.map(({ kind, role = "follower" }) => {
    const place = kind === "fe" ? role : "be";
    const index = next[place]++;
    return {
      leader: "frontends.leader",
      follower: `frontends.followers[${index}]`,
      observer: `frontends.observers[${index}]`,
      be: `backends.nodes[${index}]`,
    }[place];
  });
};

interface Named {
  readonly property: string;
  readonly reason: string;
}

const backendRollout = ["canary", "soak", "pause", "drain", "singleReplicaTables", "onUnrecoverable"];
const rollout = ["observe", "verify"];

/** Arguments of a `Cluster` that say how a change is made (`policy.soak`). */
const ofPolicy = (property: string): string => {
  const [, name = ""] = /^policy\.(\w+)/.exec(property) ?? [];
  const said = property.slice("policy.".length);
  if (property === "maxUnavailable" || backendRollout.includes(name)) {
    return `backends.rollout.${name ? said : property}`;
  }
  if (rollout.includes(name)) {
    return `rollout.${said}`;
  }
  return name ? said : property;
};

/** Says what is wrong with inputs of the whole topology (`nodes[2].metaDir`, `policy.soak`) in the arguments of the `Cluster` they came from. */
export const inArguments = <T extends Named>(failures: readonly T[], nodes: readonly Placed[]): readonly T[] => {
  const all = nodeFields(nodes);
  // Contacts repeat what the FEs say of themselves.
  const lists = { nodes: all, connections: all, frontends: all.filter((_, index) => nodes[index]?.kind === "fe") };
  const renamed = failures.map((failure) => {
    const [, list, index, rest = ""] = /^(nodes|connections|frontends)\[(\d+)\](.*)$/.exec(failure.property) ?? [];
    const field = list && lists[list as keyof typeof lists][Number(index)];
    const part = list === "connections" ? ".connection" : "";
    return { ...failure, property: field ? `${field}${part}${rest}` : ofPolicy(failure.property) };
  });
  return once(ofGroups(renamed, all));
};

/** What all nodes of a group have wrong alike is wrong in what they share. */
const ofGroups = <T extends Named>(failures: readonly T[], all: readonly string[]): readonly T[] =>
  failures.map((failure) => {
    const field = all.find((one) => failure.property.startsWith(`${one}.`)) ?? "";
    const rest = failure.property.slice(field.length);
    const [group = ""] = field.split(".");
    const members = all.filter((one) => one.startsWith(`${group}.`));
    const shared =
      /^\.(config|ports)(\.|$)/.test(rest) &&
      members.length > 1 &&
      members.every((one) =>
        failures.some(({ property, reason }) => property === one + rest && reason === failure.reason),
      );
    return shared ? { ...failure, property: group + rest } : failure;
  });

const once = <T extends Named>(failures: readonly T[]): readonly T[] =>
  failures.filter(
    ({ property, reason }, index) =>
      failures.findIndex((other) => other.property === property && other.reason === reason) === index,
  );
