import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endOf, type LogMarks, lastLines, mergeLines, readSince } from "../../../provider/starrocks/logs.js";
import { loopback } from "./loopback.js";

describe("logs", () => {
  it("merges logs by time, and keeps stack traces with their line", () => {
    const info = "2026-11-22 20:53:21.000 INFO a\n2026-11-22 20:53:23.000 INFO c\n";
    const warn = "2026-11-22 20:53:22.000 WARN b\n\tat Java.b()\n";
    assert.deepEqual(
      mergeLines([info, warn]).map((line) => line.at(-1)),
      ["a", "b", ")", "c"],
    );
  });

  it("tells of the end of a process by the last lines of its logs, and what its output has of its last start", () => {
    const info = "I20261122 20:53:21.000 a\nI20261122 20:53:23.000 c\n";
    const warn = "W20261122 20:53:22.000 b\n";
    const out = "start time: Sunday\n*** SIGSEGV old\nstart time: Monday\n*** SIGABRT new\n  @ main\n";
    assert.deepEqual(endOf([info, warn, out], 2), [
      "W20261122 20:53:22.000 b",
      "I20261122 20:53:23.000 c",
      "*** SIGABRT new",
      "  @ main",
    ]);
    assert.deepEqual(endOf([info, warn, ""], 1), ["I20261122 20:53:23.000 c"]);
  });

  it("gives the last lines", () => {
    assert.equal(lastLines("a\nb\nc\n", 2), "b\nc");
    assert.equal(lastLines("", 2), "");
  });

  describe("readSince", () => {
    let folder: string;
    let log: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "logs-"));
      log = join(folder, "fe's log");
    });
    afterEach(() => rm(folder, { recursive: true }));

    const ends = async (paths = [log]) => (await readSince(loopback, paths, [])).marks;
    const text = async (marks: LogMarks, paths = [log]) => {
      const read = await readSince(loopback, paths, marks);
      return { text: paths.map((path) => read.texts[path]).join("+"), marks: read.marks };
    };

    it("reads what was written since the mark, once", async () => {
      await writeFile(log, "old\n");
      const marks = await ends();
      assert.equal((await text(marks)).text, "");
      await appendFile(log, "new 1\n\n|new 2\n");
      const first = await text(marks);
      assert.equal(first.text, "new 1\n\n|new 2\n");
      assert.equal((await text(first.marks)).text, "");
    });

    it("reads a log that appears later from its start, and none as nothing", async () => {
      const marks = await ends();
      assert.deepEqual(marks, [{ path: log, size: 0 }]);
      assert.equal((await text(marks)).text, "");
      await writeFile(log, "new\n");
      assert.equal((await text(marks)).text, "new\n");
      assert.equal((await text([])).text, "new\n");
    });

    it("leaves an unfinished line to the next reading", async () => {
      await writeFile(log, "");
      const marks = await ends();
      await appendFile(log, "one\nFE started succ");
      const first = await text(marks);
      assert.equal(first.text, "one\n");
      await appendFile(log, "essfully\n");
      assert.equal((await text(first.marks)).text, "FE started successfully\n");
    });

    it("reads a renamed log to its end, then the new one", async () => {
      await writeFile(log, "old\n");
      const marks = await ends();
      await appendFile(log, "last of the old\ncut off");
      await rename(log, `${log}.20261122-1`);
      await writeFile(log, "first of the new\n");
      const read = await text(marks);
      assert.equal(read.text, "last of the old\ncut off\nfirst of the new\n");
      assert.equal((await text(read.marks)).text, "");
    });

    it("follows a link to the newest file, as glog's names are", async () => {
      const link = join(folder, "be.INFO");
      await writeFile(join(folder, "be.INFO.1"), "old\n");
      await symlink("be.INFO.1", link);
      const marks = await ends([link]);
      await writeFile(join(folder, "be.INFO.2"), "new\n");
      await rm(link);
      await symlink("be.INFO.2", link);
      assert.equal((await text(marks, [link])).text, "new\n");
    });

    it("starts again with a log that was emptied", async () => {
      await writeFile(log, "old and long\n");
      const marks = await ends();
      await truncate(log);
      await appendFile(log, "new\n");
      assert.equal((await text(marks)).text, "new\n");
    });

    it("reads several logs, and much of one in several readings", async () => {
      const other = join(folder, "fe.out");
      const line = `${"x".repeat(99)}\n`;
      await writeFile(log, line.repeat(15_000));
      await writeFile(other, "out\n");
      const first = await readSince(loopback, [log, other], []);
      const second = await readSince(loopback, [log, other], first.marks);
      assert.equal(first.texts[other], "out\n");
      assert.equal(`${first.texts[log]}${second.texts[log]}`, line.repeat(15_000));
      assert.ok(first.texts[log]?.endsWith("x\n") && second.texts[log] !== "");
    });
  });
});
