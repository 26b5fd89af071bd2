import type { Project } from "./project.js";
import type { Story } from "./story.js";

const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** What a reader of "1 failed" must know. */
const promise =
  "Promised: one node down at a time, no acknowledged write lost. A statement may fail when the node that it runs on is stopped.";

/** The story as a table for people. */
export const tableOf = ({ availability, broken, chapters, workload }: Story): string => {
  const rows = chapters.map(({ name, what, seconds }) => [name, what, `${seconds.toFixed(1)} s`]);
  const facts = [
    ...(availability
      ? [["most nodes down at once", String(availability.mostWithoutProcess), `${availability.samples} looks`]]
      : []),
    ...(workload
      ? [
          ["writes acknowledged", String(workload.writesAcknowledged), `${workload.writesFailed} failed`],
          ["of these lost", String(workload.writesLost), ""],
          ["reads answered", String(workload.readsOk), `${workload.readsFailed} failed`],
          ["longest time without an answer", inSeconds(workload.longestGapMs), ""],
        ]
      : []),
  ];
  const promises =
    broken.length === 0
      ? [[...(workload ? [promise] : []), "Everything was as promised."].join("\n")]
      : broken.map((what) => `NOT AS PROMISED: ${what}`);
  return [columns(rows), columns(facts), ...promises].filter((part) => part !== "").join("\n\n");
};

const columns = (rows: readonly (readonly string[])[]): string => {
  const widths = [0, 1, 2].map((index) => Math.max(0, ...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map(([first = "", second = "", third = ""]) =>
      `  ${first.padEnd(widths[0] ?? 0)}  ${second.padEnd(widths[1] ?? 0)}  ${third.padStart(widths[2] ?? 0)}`.trimEnd(),
    )
    .join("\n");
};

/** The same figures for programs, in one line. */
export const jsonOf = ({ availability, broken, chapters, workload }: Story, project: Project): string =>
  JSON.stringify({
    quickstart: true,
    ok: broken.length === 0,
    frontends: project.frontends.length,
    backends: project.backends,
    real: project.real,
    mostNodesDown: availability?.mostWithoutProcess,
    ...workload,
    seconds: chapters.map(({ name, seconds }) => [name, Number(seconds.toFixed(1))]),
    broken,
  });
