import fs from "node:fs";
import path from "node:path";

/**
 * Breaks the last record of the newest log, as a copy made at a bad moment has it: once in a home, so that a fresh copy in
 * the same home is whole, and the same metadata stays broken however often it is started.
 */
export const tearOnce = (home: string, metaDir: string): void => {
  const mark = path.join(home, "sim", "torn");
  const directory = path.join(metaDir, "bdb");
  const newest = fs.existsSync(directory) ? fs.readdirSync(directory).filter((name) => name.endsWith(".jdb")) : [];
  const name = newest.sort().at(-1);
  if (name === undefined || fs.existsSync(mark)) {
    return;
  }
  fs.mkdirSync(path.dirname(mark), { recursive: true });
  fs.writeFileSync(mark, "");
  const file = path.join(directory, name);
  const rows = fs.readFileSync(file, "utf8").split("\n");
  const last = rows.findLastIndex((row) => row !== "");
  fs.writeFileSync(
    file,
    rows.map((row, index) => (index === last ? row.replace(/^.{8}/, "00000000") : row)).join("\n"),
  );
};
