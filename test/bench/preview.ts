// npm run bench:preview [-- BES…]: a preview that finds nothing to do, next to the engine's own time for as many resources.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStack, type Stack } from "../engine/stack.js";
import { tableText } from "../table.js";
import { inSeconds, median, rounded } from "./numbers.js";
import { providerMegabytes, type Timed, timePreview } from "./preview/measure.js";
import { clusterProgram, trivialProgram } from "./preview/programs.js";

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const frontends = 3;

/** Without it a first `up` writes the whole state at each of a thousand steps; what is recorded in the end is the same. */
const env = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

/** A stack with the state of a cluster that was deployed, made without hosts: see preview/recorded.ts. */
const clusterStack = async (backends: number): Promise<Stack> => {
  const stack = await createStack({ program: clusterProgram(backends), env });
  const file = join(stack.folder, "node_modules/pulumi-starrocks/package.json");
  const text = readFileSync(file, "utf8");
  const stub = { "./provider": { default: "./dist/test/bench/preview/recorded.js" } };
  const { exports, ...rest } = JSON.parse(text) as { readonly exports: object };
  writeFileSync(file, JSON.stringify({ ...rest, exports: { ...exports, ...stub } }));
  await stack.up();
  writeFileSync(file, text);
  return stack;
};

interface Result {
  readonly backends: number;
  readonly resources: number;
  readonly ours: Timed;
  readonly engine: Timed;
  readonly stateBytesPerNode: number;
  readonly megabytes: number;
}

const medianOf = (times: readonly Timed[]): Timed => ({
  seconds: median(times.map(({ seconds }) => seconds)),
  cpuSeconds: median(times.map(({ cpuSeconds }) => cpuSeconds)),
});

const measure = async (backends: number): Promise<Result> => {
  const stack = await clusterStack(backends);
  const resources = (await stack.export()).deployment.resources ?? [];
  const ours = resources.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/"));
  const components = resources.filter(({ type }) => type.startsWith("starrocks:index:"));
  const trivial = await createStack({ program: trivialProgram(ours.length, components.length), env });
  try {
    await trivial.up();
    const times: { readonly ours: Timed[]; readonly engine: Timed[] } = { ours: [], engine: [] };
    for (let round = 1; round <= rounds; round++) {
      times.ours.push(await timePreview(stack));
      times.engine.push(await timePreview(trivial));
      const [mine, other] = [times.ours.at(-1), times.engine.at(-1)];
      console.log(
        `${backends} BEs, round ${round} of ${rounds}: ours ${inSeconds(mine?.seconds ?? 0)}, engine ${inSeconds(other?.seconds ?? 0)}`,
      );
    }
    const state = (await stack.run("stack", "export")).stdout;
    return {
      backends,
      resources: ours.length,
      ours: medianOf(times.ours),
      engine: medianOf(times.engine),
      stateBytesPerNode: Math.round(Buffer.byteLength(state) / (backends + frontends)),
      megabytes: await providerMegabytes(stack),
    };
  } finally {
    await Promise.all([stack.close(), trivial.close()]);
  }
};

const main = async (sizes: readonly number[]): Promise<void> => {
  const results: Result[] = [];
  for (const backends of sizes) {
    results.push(await measure(backends));
  }
  console.log(
    `\nA preview without changes, medians of ${rounds} runs in turns; engine: trivial dynamic resources, as many.\n`,
  );
  console.log(
    tableText([
      ["nodes", "resources", "ours", "engine", "ratio", "CPU ours", "CPU engine", "ratio", "state a node", "provider"],
      ...results.map(({ backends, engine, megabytes, ours, resources, stateBytesPerNode }) => [
        `3 FE + ${backends} BE`,
        String(resources),
        ...[inSeconds(ours.seconds), inSeconds(engine.seconds), (ours.seconds / engine.seconds).toFixed(2)],
        ...[inSeconds(ours.cpuSeconds), inSeconds(engine.cpuSeconds), (ours.cpuSeconds / engine.cpuSeconds).toFixed(2)],
        `${stateBytesPerNode} bytes`,
        `${megabytes.toFixed(0)} MB`,
      ]),
    ]),
  );
  const last = results.at(-1);
  const figures = results.map((result) => ({ ...result, megabytes: rounded(result.megabytes, 0) }));
  const ratio = last && rounded(last.ours.seconds / last.engine.seconds);
  const cpuRatio = last && rounded(last.ours.cpuSeconds / last.engine.cpuSeconds);
  console.log(
    `\n${JSON.stringify({ bench: "preview", ratio, cpuRatio, megabytes: last && rounded(last.megabytes, 0), sizes: figures })}`,
  );
};

const given = process.argv.slice(2).map(Number);
void main(given.length > 0 ? given : [100, 300]);
