import { posix } from "node:path";
import { progressOf, warn } from "../engine/log.js";
import { echo, type Plain, plain } from "../engine/outputs.js";
import { hasUnknown } from "../engine/unknown.js";
import { messageOf } from "../error.js";
import { hostFor } from "../host/pool.js";
import { limitsOf } from "../plan/limits.js";
import { releaseIdOf } from "../plan/release-id.js";
import { type Item, numbered } from "../plan/steps.js";
import { done, Execution, skipped } from "../rollout/execute.js";
import { runOf } from "../rollout/run.js";
import { findJdk } from "../starrocks/jdk.js";
import { pruneReleases, removeRelease } from "../starrocks/prune.js";
import { observeRelease, stageRelease } from "../starrocks/release.js";
import { versionOf } from "../starrocks/versions.js";
import type { Handlers } from "./handlers.js";
import { failuresOf, read, releaseInputs } from "./inputs.js";

const inputsOf = (inputs: Plain) => {
  const parsed = read(releaseInputs, inputs);
  const { version, sha256 } = parsed.release;
  return { ...parsed, id: releaseIdOf(version, sha256), limits: limitsOf(parsed.limits) };
};

type Inputs = ReturnType<typeof inputsOf>;

interface Recorded {
  readonly id: string;
  readonly parts: readonly string[];
  readonly staged: boolean;
}

const recordedOf = (olds: Plain): Recorded => {
  const { id, parts } = inputsOf(olds);
  return { id, parts, staged: olds.staged !== false };
};

const itemOf = (recorded: Recorded | undefined, next: Inputs): Item => {
  const { version } = next.release;
  const same =
    recorded?.staged === true && recorded.id === next.id && next.parts.every((part) => recorded.parts.includes(part));
  const source = next.release.url ?? posix.basename(next.release.archive ?? "");
  return {
    id: `host ${next.host}`,
    wave: "stage",
    position: next.position,
    change: same ? "" : `${version}, ${next.parts.join(" and ")}`,
    stops: false,
    steps: same
      ? []
      : [
          {
            verb: "stage",
            text: `bring ${source} to ${next.host}, verify its sha256 there, unpack ${next.parts.join(" and ")}, check that it is ${version}`,
          },
          ...(recorded
            ? [{ verb: "prune", text: "remove releases that no home links to", when: "if there are any" } as const]
            : []),
        ],
  };
};

const stage = async (inputs: Inputs, recorded: Recorded | undefined): Promise<void> => {
  const run = runOf(inputs.cluster);
  const host = hostFor({ commandLimit: inputs.limits.command / 1000, ...inputs.connection });
  const { release, deployDir, limits, parts } = inputs;
  const execution: Execution = new Execution(
    itemOf(recorded, inputs),
    {
      stage: async () => {
        const javaHome = parts.includes("fe")
          ? (
              await findJdk(host, {
                version: versionOf(release.version),
                ...(inputs.javaHome !== undefined && { javaHome: inputs.javaHome }),
              })
            ).home
          : undefined;
        const { did } = await stageRelease(host, {
          deployDir,
          releaseId: inputs.id,
          version: release.version,
          sha256: release.sha256,
          source: release.url === undefined ? { archive: release.archive ?? "" } : { url: release.url },
          parts,
          ...(javaHome !== undefined && { javaHome }),
          onProgress: execution.report,
          limits: { download: limits.transfer, unpack: limits.unpack },
        });
        return did === "staged" ? done : skipped("it is there and verified");
      },
      prune: async () => {
        const removed = await pruneReleases(host, { deployDir, keep: [inputs.id, ...(recorded ? [recorded.id] : [])] });
        const gone = removed.filter((one) => one.removed).map((one) => one.releaseId);
        return gone.length > 0 ? { mark: "done", detail: gone.join(", ") } : { mark: "not met" };
      },
    },
    run.journal,
    progressOf(inputs.__urn),
  );
  await execution.run();
};

const idOf = ({ cluster, host, id }: Inputs): string => `${cluster}:release:${host}:${id}`;

const outputsOf = (inputs: Plain): Record<string, unknown> => ({ ...echo(inputs, ["plan"]), staged: true });

export const release: Handlers = {
  check: async (olds, news) => {
    const failures = [...failuresOf(releaseInputs, news)];
    if (failures.length > 0 || hasUnknown(news)) {
      return { inputs: news, failures };
    }
    const next = inputsOf(news);
    const first = Object.keys(olds).length === 0;
    if (!first && inputsOf(olds).deployDir !== next.deployDir) {
      failures.push({
        property: "deployDir",
        reason: `cannot change on an existing cluster (recorded \`${inputsOf(olds).deployDir}\`, declared \`${next.deployDir}\`): homes and releases would stay behind`,
      });
      return { inputs: news, failures };
    }
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
    const reached = JSON.stringify([recorded.connection, recorded.javaHome, recorded.limits]);
    const wanted = JSON.stringify([next.connection, next.javaHome, read(releaseInputs, news).limits]);
    return { changes: item.steps.length > 0 || reached !== wanted, deleteBeforeReplace: true };
  },

  create: async (inputs) => {
    const next = inputsOf(inputs);
    await stage(next, undefined);
    return { id: idOf(next), outs: outputsOf(inputs) };
  },

  update: async (_id, olds, news) => {
    const next = inputsOf(news);
    if (itemOf(recordedOf(olds), next).steps.length > 0) {
      await stage(next, recordedOf(olds));
    }
    return { outs: outputsOf(news) };
  },

  read: async (id, props) => {
    const recorded = inputsOf(props);
    try {
      const host = hostFor({ ...recorded.connection, dialErrorLimit: 1 });
      const seals = await observeRelease(host, recorded.deployDir, recorded.id);
      const staged = recorded.parts.every((part) => seals.some((seal) => seal.part === part));
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
    const { connection, deployDir, id } = inputsOf(props);
    await removeRelease(hostFor(connection), { deployDir, releaseId: id });
  },
};
