import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../engine/running.js";
import type { Stack } from "../../engine/stack.js";

export interface Timed {
  readonly seconds: number;
  /** Of the CLI and all that it started; other work on the machine disturbs it less than the time. */
  readonly cpuSeconds: number;
}

/** What bash's `times` says of its children in its second line: `0m1.234s 0m0.567s`. */
const childrenTimes = (text: string): number => {
  const last = text.trim().split("\n").at(-1) ?? "";
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
    0,
  );
};

/** A preview that must find nothing to do. */
export const timePreview = async (stack: Stack): Promise<Timed> => {
  const script = '"$@"; code=$?; times >&2; exit $code';
  const command = ["bash", "-c", script, "bash", "pulumi", "preview", "--expect-no-changes"];
  const { exitCode, seconds, stderr, stdout } = await start(command, { cwd: stack.folder, env: stack.env }).ended;
  if (exitCode !== 0) {
    throw new Error(`Expected a preview without changes, got exit code ${exitCode}:\n${stdout}\n${stderr}`);
  }
  return { seconds, cpuSeconds: childrenTimes(stderr) };
};

const lookEvery = 200;
const megabyte = 1_000_000;

/** The most memory that the provider process of a preview ever had, in a run of its own, as looking disturbs. */
export const providerMegabytes = async (stack: Stack): Promise<number> => {
  const running = stack.start("preview", ["--expect-no-changes"]);
  let ended = false;
  let most = 0;
  const end = running.ended.finally(() => {
    ended = true;
  });
  while (!ended) {
    for (const { command, pid } of stack.processes()) {
      most = Math.max(most, command.includes("dynamic-provider") ? peak(pid) : 0);
    }
    await Promise.race([end, sleep(lookEvery)]);
  }
  return most;
};

const peak = (pid: number): number => {
  try {
    const [, kilobytes = "0"] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return (Number(kilobytes) * 1024) / megabyte;
  } catch {
    return 0;
  }
};
