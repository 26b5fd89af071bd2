import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Item } from "../../../provider/plan/steps.js";

/** A small item: three things to do, the second only when it is needed. */
export const item: Item = {
  id: "BE be-1",
  wave: "backends",
  position: 0,
  change: "3.5.6 → 3.5.7",
  from: "3.5.6",
  to: "3.5.7",
  stops: true,
  steps: [
    { verb: "stop", text: "stop the BE 3.5.6" },
    { verb: "configure", text: "write the declared settings", when: "if the file lost one" },
    { verb: "start", text: "start the BE 3.5.7" },
  ],
};

/** Runs a test in an empty folder, which is the program's. */
export const inFolder = async (work: (folder: string) => void | Promise<void>): Promise<void> => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
  try {
    process.chdir(folder);
    await work(folder);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Lines of a journal, without their times. */
export const linesOf = (path: string): readonly Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => {
      const { time, milliseconds, ...entry } = JSON.parse(text) as Record<string, unknown>;
      return entry;
    });
