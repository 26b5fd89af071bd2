import { isIP } from "node:net";
import { messageOf, UserError } from "../../error.js";
import type { Host } from "../../host/types.js";
import type { FeSpec } from "../../plan/spec.js";
import type { Contact } from "../../rollout/frontends.js";
import { holdsMetadata, inspectData } from "../../starrocks/folders.js";
import { type HomeMarker, readHomeMarker, writeHomeMarker } from "../../starrocks/marker.js";
import { frontendRow } from "../../starrocks/rows.js";
import { dropFrontend, endpoint, showFrontends } from "../../starrocks/statements.js";
import { features, versionOf } from "../../starrocks/versions.js";
import { labelOf, type NodeContext } from "./context.js";
import type { StartWish } from "./start.js";

/** How an FE with empty metadata is to be started. */
export interface FirstStart {
  readonly wish: StartWish;
  /** The group knew it, with metadata that is lost: its row was dropped, and it must be added anew. */
  readonly rejoins: boolean;
}

/** An FE with empty metadata joins the group that is there, or founds one where there can be none. */
export const firstStart = async (context: NodeContext<FeSpec>, marker: HomeMarker | undefined): Promise<FirstStart> => {
  const { spec } = context;
  const hostType: StartWish =
    isIP(spec.address) === 0 && features(versionOf(spec.release.version)).fqdn ? { hostType: "FQDN" } : {};
  const living = await livingHelper(context, marker);
  if (living) {
    return { wish: { ...hostType, helper: living.helper }, rejoins: living.rejoins };
  }
  const helper = spec.role === "leader" ? await holderOfMetadata(context) : declaredLeader(context);
  if (helper) {
    return { wish: { ...hostType, helper: endpoint(helper.address, helper.ports.editLog) }, rejoins: false };
  }
  if (spec.role !== "leader") {
    throw new UserError(
      `${labelOf(spec)} has no metadata and no FE to join: declare the FE group in \`frontends\`, or start its leader first.`,
    );
  }
  assertMayFound(context, marker);
  await note(context, marker, { founded: true });
  return { wish: hostType, rejoins: false };
};

const note = (
  { host, spec }: NodeContext<FeSpec>,
  marker: HomeMarker | undefined,
  more: Pick<HomeMarker, "founded" | "rejoins">,
): Promise<void> =>
  writeHomeMarker(host, spec.home, {
    schema: 1,
    cluster: spec.cluster,
    node: spec.name,
    kind: "fe",
    releases: marker?.releases ?? [],
    ...more,
  });

/** The group has a row of it again. */
export const noteRejoined = async (host: Host, { home }: FeSpec): Promise<void> => {
  const marker = await readHomeMarker(host, home, "fe");
  if (marker?.rejoins) {
    const { rejoins: _, ...rest } = marker;
    await writeHomeMarker(host, home, rest);
  }
};

const othersOf = ({ frontends, spec }: NodeContext<FeSpec>): readonly Contact[] =>
  frontends.contacts.filter(({ name }) => name !== spec.name);

/**
 * An FE that was proven once had metadata; so had one that the state knows, though its home is as new. A founding that was cut
 * short before its proof goes on.
 */
const assertMayFound = ({ host, recorded, spec }: NodeContext<FeSpec>, marker: HomeMarker | undefined): void => {
  const hasRun = (marker?.releases.length ?? 0) > 0 || (recorded === true && marker?.founded !== true);
  if (spec.adopt || !hasRun) {
    return;
  }
  throw new UserError(
    `${labelOf(spec)} has run before, but ${spec.metaDir} on ${host.name} holds no metadata, nor does any other declared FE: is its disk not mounted? ` +
      "Mount it and run `pulumi up` again. If the metadata is lost, copy `image` and `bdb` of the newest `meta-backup-…` folder (beside `metaDir` of the FE that led then, or in `meta-backups` of its home) into it; " +
      "or, to found a new and empty cluster in place of the lost one, set `adopt: true` on this node.",
  );
};

/**
 * An FE of a group that works; where that group still has a row of this FE's lost metadata, the row is dropped, and the FE
 * must be added again, now or by a later start.
 */
const livingHelper = async (
  context: NodeContext<FeSpec>,
  marker: HomeMarker | undefined,
): Promise<{ readonly helper: string; readonly rejoins: boolean } | undefined> => {
  const { frontends, limits, run, spec } = context;
  const rows = await frontends.ask((sql) => showFrontends(sql, limits.sql), spec.name);
  const helper =
    rows?.find(({ role, alive }) => role === "leader" && alive) ?? rows?.find(({ alive, join }) => alive && join);
  if (!rows || !helper) {
    return undefined;
  }
  const own = frontendRow(spec, rows);
  if (own?.join) {
    // Before its row goes: where the start fails then, nothing else tells that it is to be added again.
    await note(context, marker, { rejoins: true });
    await run.membership.run(() =>
      frontends.tell((sql) => dropFrontend(sql, own.role, own.address, own.editLogPort, limits.sql), spec.name),
    );
  }
  const rejoins = own ? own.join : marker?.rejoins === true;
  return { helper: endpoint(helper.address, helper.editLogPort), rejoins };
};

const declaredLeader = (context: NodeContext<FeSpec>): Contact | undefined => {
  const others = othersOf(context);
  return others.find(({ role }) => role === "leader") ?? others[0];
};

/** A declared FE whose disk holds metadata: the cluster exists, even if nothing of it runs. All hosts must be seen to hold none. */
const holderOfMetadata = async (context: NodeContext<FeSpec>): Promise<Contact | undefined> => {
  const { frontends, spec } = context;
  const others = othersOf(context);
  const looks = await Promise.allSettled(
    others.map(async (contact) => {
      const [folder] = await inspectData(frontends.hostOf(contact), [contact.metaDir]);
      return holdsMetadata(folder);
    }),
  );
  const holder = looks.findIndex((look) => look.status === "fulfilled" && look.value);
  const unseen = looks.findIndex(({ status }) => status === "rejected");
  const reason = looks[unseen];
  if (holder < 0 && reason?.status === "rejected") {
    throw new UserError(
      `${labelOf(spec)} has no metadata, and whether ${others[unseen]?.name} has some could not be seen (${messageOf(reason.reason)}). ` +
        "A second cluster must not be founded beside one that exists. Bring that host back, or take it out of the program.",
    );
  }
  return others[holder];
};
