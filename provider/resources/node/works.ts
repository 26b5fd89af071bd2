import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../error.js";
import { versionOfId } from "../../plan/release-id.js";
import { done, notMet, type Outcome, skipped } from "../../rollout/execute.js";
import { digestOfConf } from "../../starrocks/conf.js";
import { ensureFolders, type WantedFolder } from "../../starrocks/folders.js";
import { homeFolders, switchTo } from "../../starrocks/home.js";
import { homePaths, kindLayouts, releaseFolder } from "../../starrocks/layout.js";
import { isMarkerOf, readHomeMarker, writeHomeMarker } from "../../starrocks/marker.js";
import { type ObservedHome, observeHome } from "../../starrocks/observe.js";
import { describeStop, stopProcess } from "../../starrocks/stop.js";
import { labelOf, type NodeContext } from "./context.js";
import { dataProblem, ownerOf } from "./data.js";
import { dataPaths, declaredConf, differingKeys } from "./settings.js";

export const look = ({ host, spec }: NodeContext): Promise<ObservedHome> => {
  const { conf, part } = kindLayouts[spec.kind];
  return observeHome(host, {
    home: spec.home,
    kind: spec.kind,
    dataFolders: dataPaths(spec),
    template: `${releaseFolder(spec.deployDir, spec.release.id)}/${part}/conf/${conf}`,
  });
};

/** Whether the home stands as declared, for a process to be started from it. */
const homeFits = ({ spec }: NodeContext, home: ObservedHome): boolean =>
  home.current === spec.release.id &&
  home.binRelease === spec.release.id &&
  home.viewComplete &&
  home.conf !== undefined &&
  differingKeys(spec, home.conf.text).length === 0;

/**
 * Whether what runs is what is declared. A release is switched only while nothing runs, so a running process is of the
 * current one; a conf file may have been edited under it.
 */
export const runsAsDeclared = (context: NodeContext, home: ObservedHome): boolean =>
  home.process !== undefined &&
  homeFits(context, home) &&
  // A process start is known to the second below.
  (home.conf?.modifiedAt ?? 0) <= home.process.startedAt + 1;

/** Stops what runs, unless it is what is declared (`fits`), after `before`, which rejects where it must not be. */
export const stop = async (
  context: NodeContext,
  home: ObservedHome,
  { conditional, fits }: { readonly conditional: boolean; readonly fits: boolean },
  before: () => Promise<unknown>,
  /** Sends the stop: what it is given is done from here on, answered or not. */
  sending: <T>(send: () => Promise<T>) => Promise<T>,
): Promise<Outcome> => {
  const { host, limits, run, spec } = context;
  if (!home.process) {
    return conditional ? notMet("it does not run") : skipped("it does not run");
  }
  if (fits) {
    return conditional ? notMet("it runs as declared") : skipped("it runs as declared");
  }
  await before();
  context.frontends.forget(spec);
  const version = home.current === undefined ? undefined : versionOfId(home.current);
  const result = await sending(() =>
    stopProcess(host, spec.kind, spec.home, {
      graceful: true,
      timeoutSeconds: limits.stop / 1000 + (spec.kind === "be" ? (run.policy.drain ?? 0) : 0),
      ...(version !== undefined && { version }),
    }),
  );
  return { mark: "done", detail: describeStop(result) };
};

/** The node's data folders, marked as its own. */
export const dataFolders = ({ spec }: NodeContext): readonly WantedFolder[] => {
  const purpose = `${spec.kind === "fe" ? "metadata" : "storage"} of ${labelOf(spec)}`;
  const marker = { schema: 1, cluster: spec.cluster, node: spec.name, kind: spec.kind } as const;
  return dataPaths(spec).map((path) => ({ path, purpose, marker }));
};

/** Makes home and data folders, and proves that the data in them is this node's own. */
export const folders = async (context: NodeContext, before: ObservedHome): Promise<Outcome> => {
  const { host, recorded, spec } = context;
  const owner = ownerOf(spec);
  const { marker } = before;
  const problem = dataProblem(spec, host.name, before, recorded);
  if (problem !== undefined) {
    throw new UserError(problem);
  }
  const known = marker && !marker.left && isMarkerOf(marker, owner);
  const { created } = await ensureFolders(host, [
    ...homeFolders({
      home: spec.home,
      kind: spec.kind,
      node: spec.name,
      ...(!known && { marker: { schema: 1, ...owner, releases: [] } }),
    }),
    ...dataFolders(context),
  ]);
  return created.length > 0 ? { mark: "done", detail: `made ${created.join(", ")}` } : skipped("all are there");
};

export const switchRelease = async (context: NodeContext, home: ObservedHome): Promise<Outcome> => {
  const { host, spec } = context;
  const options = {
    home: spec.home,
    kind: spec.kind,
    releaseId: spec.release.id,
    releaseFolder: releaseFolder(spec.deployDir, spec.release.id),
  };
  if (home.current === spec.release.id && home.binRelease === spec.release.id && home.viewComplete) {
    return skipped(`${spec.release.version} is current`);
  }
  const from = await switchTo(host, options);
  return { mark: "done", detail: from ? `was ${from}` : "first release" };
};

/** `config` may hold secrets; whom else an admin lets read the file, or keeps out, stays so. */
export const writeConf = ({ host, spec }: NodeContext, text: string): Promise<void> =>
  host.writeFile(homePaths(spec.home, spec.kind).conf, text, { mode: 0o640, keep: true });

/** What became of a conf file. */
interface Configured {
  readonly outcome: Outcome;
  readonly sha256: string;
}

export const configure = async (
  context: NodeContext,
  { conf, template = "" }: ObservedHome,
  conditional: boolean,
): Promise<Configured> => {
  const { spec } = context;
  const text = declaredConf(spec, conf?.text ?? template);
  if (text === conf?.text) {
    const reason = "the file says so already";
    return { outcome: conditional ? notMet(reason) : skipped(reason), sha256: conf.sha256 };
  }
  await writeConf(context, text);
  return { outcome: done, sha256: digestOfConf(text) };
};

/** Notes in the home that the node was proven on its release and its data folders. */
export const noteProven = async ({ host, spec }: NodeContext): Promise<void> => {
  const { release } = spec;
  const data = [...dataPaths(spec)];
  const marker = await readHomeMarker(host, spec.home, spec.kind);
  const isNoted = marker?.releases.at(-1)?.id === release.id;
  if (!marker || (isNoted && isDeepStrictEqual(marker.data, data))) {
    return;
  }
  const proven = { id: release.id, version: release.version, at: new Date().toISOString() };
  const releases = (isNoted ? marker.releases : [...marker.releases, proven]).slice(-releasesKept);
  await writeHomeMarker(host, spec.home, { ...marker, releases, data });
};

/** Entries of a home's history: enough to see what a node went through, without end. */
const releasesKept = 10;
