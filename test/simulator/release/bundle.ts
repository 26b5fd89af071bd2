import { buildSync } from "esbuild";

const bundles = new Map<string, Buffer>();

/** A compiled program and all it imports as one file. Built once in a process; no service is left running. */
export const bundle = (entry: string): Buffer => {
  const known = bundles.get(entry);
  if (known !== undefined) {
    return known;
  }
  const built = buildSync({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    write: false,
    legalComments: "none",
    minifyWhitespace: true,
    logLevel: "error",
    // Optional parts of the libraries that are bundled: their absence is handled there.
    external: ["cpu-features", "*.node"],
  });
  const output = built.outputFiles[0];
  if (output === undefined) {
    throw new Error(`Expected a bundle of ${entry}, got none`);
  }
  const content = Buffer.from(output.contents);
  bundles.set(entry, content);
  return content;
};
