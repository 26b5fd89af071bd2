import { posix } from "node:path";
import { progressOf, warn } from "../engine/log.js";
import { echo, type Plain, plain } from "../engine/outputs.js";
import { hasUnknown } from "../engine/unknown.js";
import { messageOf } from "../error.js";
import { inEverySession } from "../host/agent.js";
import { UnreachableError } from "../host/errors.js";
import { hostFor } from "../host/pool.js";
import type { Host } from "../host/types.js";
import { hostFolderProblems } from "../plan/host-folders.js";
import { limitsOf } from "../plan/limits.js";
import { filesOf, releaseOfPart } from "../plan/overlay.js";
import { releaseIdOf } from "../plan/release-id.js";
import { type Item, numbered, type Step } from "../plan/steps.js";
import { done, Execution, skipped } from "../rollout/execute.js";
import { Mutexes } from "../rollout/mutex.js";
import { runOf } from "../rollout/run.js";
import { expectReleases, removeRelease } from "../starrocks/prune.js";
import { observeRelease } from "../starrocks/release.js";
import { shownUrl } from "../starrocks/url.js";
import type { Handlers } from "./handlers.js";
import { failuresOf, read, releaseInputs } from "./inputs.js";
import { within } from "./reach.js";
import { composeParts, stageParts } from "./staging.js";

const inputsOf = (inputs: Plain) => {
  const parsed = read(releaseInputs, inputs);
  const { version, sha256 } = parsed.release;
  return { ...parsed, id: releaseIdOf(version, sha256), limits: limitsOf(parsed.limits) };
};

type Inputs = ReturnType<typeof inputsOf>;

interface Recorded {
  readonly deployDir: string;
  /** The release as its archive has it, and what nodes of each part run. */
  readonly id: string;
  readonly ids: readonly string[];
  readonly staged: boolean;
}

/** What nodes of the parts run: the release's own id, or that of the part with an overlay over it. */
const partIds = ({ parts, release }: Inputs): readonly string[] =>
  parts.map((part) => `${part} ${releaseOfPart(release, part).id}`);

/** All folders of a release on the host, the composed ones first: they are made of the base. */
const foldersOf = (inputs: Inputs): readonly string[] => [
  ...new Set([...inputs.parts.map((part) => releaseOfPart(inputs.release, part).id), inputs.id]),
];

const recordedOf = (olds: Plain): Recorded => {
  const inputs = inputsOf(olds);
  return { deployDir: inputs.deployDir, id: inputs.id, ids: partIds(inputs), staged: olds.staged !== false };
};

const overlaid = ({ parts, release }: Inputs) => parts.flatMap((part) => filesOf(release.overlay, part));

/** Not of the host alone: a host may be reached in two ways, and hosts behind a gateway may be called alike. */
const itemId = ({ __urn, host }: Inputs): string => [`host ${host}`, ...(__urn?.split("::").slice(-1) ?? [])].join(" ");

const itemOf = (recorded: Recorded | undefined, next: Inputs): Item => {
  const { parts } = next;
  const { version } = next.release;
  const same =
    recorded?.staged === true &&
    recorded.deployDir === next.deployDir &&
    recorded.id === next.id &&
    partIds(next).every((id) => recorded.ids.includes(id));
  const { archive = "", url } = next.release;
  const source = url === undefined ? posix.basename(archive) : shownUrl(url);
  const files = overlaid(next);
  const overlay = files.map(([path]) => path).join(" and ");
  return {
    id: itemId(next),
    label: `host ${next.host}`,
    wave: "stage",
    position: next.position,
    change: same ? "" : `${version}, ${parts.join(" and ")}${files.length > 0 ? `, with another ${overlay}` : ""}`,
    stops: false,
    steps: same
      ? []
      : [
          {
            verb: "stage",
            text: `bring ${source} to ${next.host}, verify its sha256 there, unpack ${parts.join(" and ")}, check that it is ${version}`,
          },
          ...(files.length > 0 ? [composeStep(next)] : []),
        ],
  };
};

const composeStep = (inputs: Inputs): Step => {
  const files = overlaid(inputs).map(([path, { archive }]) => `${path} by ${posix.basename(archive)}`);
  const versions = inputs.parts
    .filter((part) => filesOf(inputs.release.overlay, part).length > 0)
    .map((part) => `${part} is ${releaseOfPart(inputs.release, part).version}`);
  return {
    verb: "compose",
    text: `beside it, compose a release with ${files.join(" and ")}, verify its sha256 there, check that ${versions.join(" and ")}`,
  };
};

/** A host whose FE and BE are reached in two ways has two of these resources, which share its folders: one at a time. */
const folders = new Mutexes();

const stage = async (inputs: Inputs, recorded?: Recorded): Promise<void> => {
  const run = runOf(inputs.cluster);
  const host = hostFor(within(inputs.limits, inputs.connection));
  const execution: Execution = new Execution(
    itemOf(recorded, inputs),
    {
      stage: async () => {
        // Another operator of this cluster may come to its end meanwhile, and remove what is old.
        await expectReleases(host, { deployDir: inputs.deployDir, releaseIds: foldersOf(inputs) });
        return (await stageParts(host, inputs, execution.report)) === "staged"
          ? done
          : skipped("it is there and verified");
      },
      compose: async () => {
        const composed = await composeParts(host, inputs, execution.report);
        return composed.length > 0
          ? { mark: "done", detail: composed.join(", ") }
          : skipped("it is there and verified");
      },
    },
    run.journal,
    progressOf(inputs.__urn),
  );
  await folders.run(`${inputs.host} ${inputs.deployDir}`, () => execution.run());
};

const idOf = ({ cluster, host, id }: Inputs): string => `${cluster}:release:${host}:${id}`;

const allStaged = async (host: Host, { deployDir, parts, release }: Inputs): Promise<boolean> => {
  for (const part of parts) {
    const seals = await observeRelease(host, deployDir, releaseOfPart(release, part).id);
    if (!seals.some((seal) => seal.part === part)) {
      return false;
    }
  }
  return true;
};

const outputsOf = (inputs: Plain): Record<string, unknown> => ({ ...echo(inputs, ["plan"]), staged: true });

export const release: Handlers = {
  check: async (olds, news) => {
    const failures = [...failuresOf(releaseInputs, news)];
    if (failures.length > 0 || hasUnknown(news)) {
      return { inputs: news, failures };
    }
    const next = inputsOf(news);
    failures.push(...hostFolderProblems(next));
    if (failures.length > 0) {
      return { inputs: news, failures };
    }
    const first = Object.keys(olds).length === 0;
    const item = itemOf(first ? undefined : recordedOf(olds), next);
    runOf(next.cluster).items.set(item.id, item);
    return { inputs: item.steps.length > 0 ? { ...news, plan: numbered(item.steps) } : news };
  },

  diff: async (_id, olds, news) => {
    if (hasUnknown(news)) {
      return { changes: true, deleteBeforeReplace: true };
    }
    const next = inputsOf(news);
    const item = itemOf(recordedOf(olds), next);
    const run = runOf(next.cluster);
    if (run.items.has(item.id)) {
      run.items.set(item.id, item);
    }
    const recorded = read(releaseInputs, olds);
    const reached = JSON.stringify([inEverySession(recorded.connection), recorded.javaHome, recorded.limits]);
    const wanted = JSON.stringify([inEverySession(next.connection), next.javaHome, read(releaseInputs, news).limits]);
    return { changes: item.steps.length > 0 || reached !== wanted, deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const next = inputsOf(inputs);
    await stage(next);
    return { id: idOf(next), outs: outputsOf(inputs) };
  },

  update: async (_id, olds, news) => {
    const next = inputsOf(news);
    const recorded = recordedOf(olds);
    if (itemOf(recorded, next).steps.length > 0) {
      await stage(next, recorded);
    }
    return { outs: outputsOf(news) };
  },

  read: async (id, props) => {
    const recorded = inputsOf(props);
    try {
      const host = hostFor(within(recorded.limits, recorded.connection));
      const staged = await allStaged(host, recorded);
      return { id, props: plain({ ...props, staged }) };
    } catch (error) {
      await warn(
        recorded.__urn,
        `The release on ${recorded.host} could not be looked at; the recorded state stays. ${messageOf(error)}`,
      );
      return { id, props: plain(props) };
    }
  },

  delete: async (_id, props) => {
    const recorded = inputsOf(props);
    const { connection, deployDir, limits } = recorded;
    try {
      for (const releaseId of foldersOf(recorded)) {
        await removeRelease(hostFor(within(limits, connection)), { deployDir, releaseId });
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) {
        throw error;
      }
      await warn(
        recorded.__urn,
        `The release below ${deployDir} stays on ${recorded.host}, which cannot be reached: ${messageOf(error)} Nobody needs it any more.`,
      );
    }
  },
};
