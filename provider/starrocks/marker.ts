import { z } from "zod";
import { messageOf, UserError } from "../error.js";
import type { Host } from "../host/types.js";
import { homePaths, type NodeKind } from "./layout.js";

const owner = {
  schema: z.literal(1),
  /** Key of the cluster, as the program names it. */
  cluster: z.string(),
  node: z.string(),
  kind: z.enum(["fe", "be", "cn"]),
};

/** In a data folder: whose it is. */
export const dataMarkerSchema = z.object(owner);
export type DataMarker = z.infer<typeof dataMarkerSchema>;

/** In a node's home: whose it is, and what later runs must know even without Pulumi's state. */
export const homeMarkerSchema = z.object({
  ...owner,
  /** True on the one FE that founded the cluster (its first start had no helper). */
  founded: z.boolean().optional(),
  /** Set from when the FE's row is dropped, as its metadata was lost, until it is added to its group again. */
  rejoins: z.boolean().optional(),
  /** Releases that this node was proven on, oldest first. */
  releases: z.array(z.object({ id: z.string(), version: z.string(), at: z.string() })).default([]),
  /** Data folders that it was proven with last: one of them that is gone is a disk that is not mounted. */
  data: z.array(z.string()).optional(),
  /** Set while a removal from the program has the BE decommissioned; stays where that was cut short. */
  leaving: z.object({ at: z.string() }).optional(),
  /** Set when the cluster let the node go; only then does a delete move its data to the trash. */
  left: z.object({ how: z.enum(["decommissioned", "dropped"]), at: z.string() }).optional(),
});
export type HomeMarker = z.infer<typeof homeMarkerSchema>;

/** Whether a node was proven in this home, and its cluster has not let it go since. */
export const isInUse = (marker: HomeMarker | undefined): marker is HomeMarker =>
  marker !== undefined && marker.releases.length > 0 && marker.left === undefined;

const parseMarker = <T>(schema: z.ZodType<T>, text: string, where: string): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(
      `${where} should hold JSON: ${messageOf(error)}. Restore it, or remove it to adopt the folder.`,
    );
  }
  const version = z.object({ schema: z.number() }).safeParse(json).data?.schema;
  if (version !== undefined && version > 1) {
    throw new UserError(
      `${where} was written by a newer pulumi-starrocks (schema ${version}, this one knows 1). Upgrade the package.`,
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new UserError(`${where} is not a marker of pulumi-starrocks:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
};

export const parseHomeMarker = (text: string, where: string): HomeMarker => parseMarker(homeMarkerSchema, text, where);

export const parseDataMarker = (text: string, where: string): DataMarker => parseMarker(dataMarkerSchema, text, where);

export const markerText = (marker: HomeMarker | DataMarker): string => `${JSON.stringify(marker, undefined, 2)}\n`;

export const readHomeMarker = async (host: Host, home: string, kind: NodeKind): Promise<HomeMarker | undefined> => {
  const path = homePaths(home, kind).marker;
  const text = await host.readFile(path);
  return text === undefined ? undefined : parseHomeMarker(text, `${path} on ${host.name}`);
};

/** Whether a marker names this node of this cluster. */
export const isMarkerOf = (
  marker: Pick<DataMarker, "cluster" | "node">,
  owner: Pick<DataMarker, "cluster" | "node">,
): boolean => marker.cluster === owner.cluster && marker.node === owner.node;

export const writeHomeMarker = (host: Host, home: string, marker: HomeMarker): Promise<void> =>
  host.writeFile(homePaths(home, marker.kind).marker, markerText(marker));
