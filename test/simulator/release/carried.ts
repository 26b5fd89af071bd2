import { readFileSync } from "node:fs";

const mark = "\n//# build=";

/** A program with what it plays written into it. */
export const carrying = (program: Buffer, build: string): Buffer =>
  Buffer.concat([program, Buffer.from(`${mark}${build.trim()}\n`)]);

/**
 * What a program says of itself: as a real jar or executable, a vendor's hotfix has its version inside, whatever release
 * it is put into. Those of a whole release leave it to `build.json` beside them.
 */
export const buildCarried = (program: string): string | undefined => {
  const text = readFileSync(program, "utf8");
  const at = text.lastIndexOf(mark);
  return at < 0 ? undefined : text.slice(at + mark.length);
};
