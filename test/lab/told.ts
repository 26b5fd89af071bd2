import type { Plain } from "../../provider/engine/outputs.js";
import { unpacked } from "../../provider/engine/packed.js";
import type { Outcome, Stack } from "../engine/stack.js";

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

/** Errors or warnings that stayed under a resource's row, by the resource's name; "" is the operation itself. */
export const told = ({ events }: Outcome, severity: "error" | "warning" | "info"): Readonly<Record<string, string>> => {
  const texts: Record<string, string> = {};
  for (const { diagnosticEvent: event } of events) {
    if (event?.severity === severity && !event.ephemeral) {
      const name = nameOf(event.urn ?? "");
      // The engine marks colours by <{%…%}>.
      texts[name] = `${texts[name] ?? ""}${event.message.replaceAll(/<\{%.*?%\}>/g, "")}`.trim();
    }
  }
  return texts;
};

/** What the state says of each resource of ours: `running`, `member`, `staged` …, `there` where it says nothing. */
export const stateOf = async (stack: Stack): Promise<Readonly<Record<string, string>>> => {
  const { deployment } = await stack.export();
  const own = (deployment.resources ?? []).filter(({ type }) => type.includes("dynamic/starrocks:"));
  return Object.fromEntries(
    own.map(({ urn, outputs, initErrors = [] }) => {
      const status = outputs?.status ?? (outputs?.staged ? "staged" : "there");
      return [nameOf(urn), `${status}${initErrors.length > 0 ? ", not finished" : ""}`];
    }),
  );
};

/** A node as the state has it. */
export interface RecordedNode {
  readonly kind: "fe" | "be";
  readonly name: string;
  readonly status: string;
  readonly version: string;
}

export const recordedNode = (kind: RecordedNode["kind"], outputs: Plain): RecordedNode => {
  const { name, release, status } = unpacked(outputs);
  const { version } = (release ?? {}) as { version?: string };
  return { kind, name: String(name), status: String(status), version: String(version) };
};

export const recordedNodes = async (stack: Stack): Promise<readonly RecordedNode[]> =>
  ((await stack.export()).deployment.resources ?? []).flatMap(({ outputs = {}, type }) => {
    const [, kind] = /:(Be|Fe)Node$/.exec(type) ?? [];
    return kind === undefined ? [] : [recordedNode(kind === "Fe" ? "fe" : "be", outputs)];
  });

/** The version of each node, as the state has it. */
export const recordedVersions = async (stack: Stack): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries((await recordedNodes(stack)).map(({ name, version }) => [name, version]));

/** What the engine had begun when it ended, so that its next operation must look. */
export const pendingOf = async (stack: Stack): Promise<readonly string[]> =>
  ((await stack.export()).deployment.pending_operations ?? []).map(
    ({ type, resource }) => `${type} ${nameOf(resource.urn)}`,
  );
