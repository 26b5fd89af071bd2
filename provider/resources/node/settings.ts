import { isIP } from "node:net";
import type { BeSpec, FeSpec, NodeSpec } from "../../plan/spec.js";
import { applySettings, drift, ownKeys, type Settings } from "../../starrocks/conf.js";
import { bePortAliases, bePortSettings, fePortSettings } from "../../starrocks/ports.js";
import { storageText } from "../../starrocks/storage.js";
import { versionOf } from "../../starrocks/versions.js";

/** The node's address as the only one: a host with several would otherwise pick one of them by its own rules. */
const networks = (address: string): Settings => {
  const family = isIP(address);
  return family === 0 ? {} : { priority_networks: `${address}/${family === 4 ? 32 : 128}` };
};

/** What of a node its conf file follows from. */
type Configured = Pick<FeSpec, "kind" | "address" | "ports" | "metaDir" | "config"> | BeSpec;

/** What the node's conf file must say: what follows from its arguments, then the user's own settings. */
export const settingsOf = (spec: Configured): Settings =>
  spec.kind === "fe"
    ? { ...networks(spec.address), ...fePortSettings(spec.ports), meta_dir: spec.metaDir, ...spec.config }
    : {
        ...networks(spec.address),
        ...bePortSettings(spec.ports, versionOf(spec.release.version)),
        storage_root_path: storageText(spec.storage.map(({ path, medium }) => (medium ? { path, medium } : { path }))),
        ...spec.config,
      };

/** Keys that must not be in effect beside the settings: other names of the same thing. */
const unwantedKeys = (spec: Configured): readonly string[] =>
  spec.kind === "be" ? bePortAliases(versionOf(spec.release.version)) : [];

/**
 * The conf file of which the text was, with all that is declared in effect. What it has from us and is declared no longer is as
 * the release's own file says again.
 */
export const declaredConf = (spec: Configured, text: string, ours: readonly string[] = ownKeys(text)): string =>
  applySettings(text, settingsOf(spec), { remove: unwantedKeys(spec), restore: ours });

/**
 * Keys of what is declared that a conf file does not have so, and those that it has from us and are declared no longer. Only
 * keys: a value, on either side, may be a secret.
 */
export const differingKeys = (spec: Configured, text: string): readonly string[] => {
  const settings = settingsOf(spec);
  return [...drift(text, settings).map(({ key }) => key), ...ownKeys(text).filter((key) => !(key in settings))];
};

export const dataPaths = (spec: NodeSpec): readonly string[] =>
  spec.kind === "fe" ? [spec.metaDir] : spec.storage.map(({ path }) => path);
