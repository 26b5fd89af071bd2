import { delimiter, dirname } from "node:path";
import { run } from "../lib/run.mjs";

/** A first start reads 140 MB from disk. */
const versionLimit = 60_000;

/** The environment of a CLI that asks nobody anything, with its own folder first on PATH. */
const quietly = (/** @type {string} */ binFolder) => ({
  PATH: `${binFolder}${delimiter}${process.env.PATH}`,
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
});

/**
 * What a CLI says its version is, without the `v`.
 *
 * @param {string} pulumi path of the executable
 * @returns {Promise<string | undefined>} undefined when it does not run
 */
export const versionOf = async (pulumi) => {
  const { code, stdout } = await run([pulumi, "version"], { limit: versionLimit, env: quietly(dirname(pulumi)) });
  return code === 0 ? /^v(\d+[.]\d+[.]\d+\S*)$/m.exec(stdout)?.[1] : undefined;
};
