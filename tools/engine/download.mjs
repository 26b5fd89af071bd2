import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { run, tail } from "../lib/run.mjs";
import { release } from "./release.mjs";
import { storedEngine, storeEngine } from "./store.mjs";

/** Enough for 150 MB at 1 MB/s; without a way out it fails within seconds. */
const downloadLimit = 180_000;

const key = `download-${release}-${process.platform}-${process.arch}`;
const source = "official download";

export const downloadedBefore = () => storedEngine(key, source);

/**
 * The official release, fetched by Pulumi's own installer: the npm package `pulumi`, pinned. It installs into PULUMI_HOME.
 *
 * @param {(detail: string) => void} progress
 */
export const downloadEngine = (progress) =>
  storeEngine(
    key,
    source,
    async (folder) => {
      const home = join(folder, "home");
      mkdirSync(home);
      const { code, output } = await run(
        ["npm", "exec", "--yes", `--package=pulumi@${release}`, "--", "pulumi", "version"],
        {
          cwd: folder,
          env: { PULUMI_HOME: home, PULUMI_VERSION: release, PULUMI_SKIP_UPDATE_CHECK: "true" },
          limit: downloadLimit,
          onLine: progress,
        },
      );
      if (code !== 0) {
        return tail(output, 1);
      }
      renameSync(join(home, "versions", release, "bin"), join(folder, "bin"));
      return undefined;
    },
    progress,
  );
