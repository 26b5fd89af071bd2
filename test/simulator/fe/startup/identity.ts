import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchHttp } from "../http/fetch.js";
import type { Log } from "../log.js";
import {
  type Identity,
  parseVersionFile,
  type Role,
  readIdentity,
  type VersionFile,
  writeRole,
  writeVersion,
} from "../meta/identity.js";
import { imageSubdirs, writeImageText } from "../meta/image.js";
import { hostPort, sourceAddress } from "../settings/address.js";
import { type Conf, StartFailure } from "../settings/conf.js";
import type { Options } from "../settings/options.js";
import type { Features } from "../settings/version.js";

export interface Setting {
  readonly metaDir: string;
  readonly conf: Conf;
  readonly features: Features;
  readonly options: Options;
  readonly log: Log;
  readonly ip: string;
  readonly host: string;
  readonly hostType: string;
  readonly editLogPort: number;
  readonly httpPort: number;
  readonly helpers: readonly { readonly host: string; readonly port: number }[];
}

export type Origin = "founder" | "joiner" | "member";

const where = "NodeMgr.getClusterIdAndRoleOnStartup():381";
const maxClusterId = 2 ** 31 - 1;

const found = ({ metaDir, conf, features, host, hostType, editLogPort }: Setting): Identity => {
  const configured = features.clusterIdKey ? conf.number("cluster_id", -1) : -1;
  const clusterId = configured === -1 ? 1 + Math.floor(Math.random() * (maxClusterId - 1)) : configured;
  const runMode = features.runMode ? { runMode: conf.text("run_mode", "shared_nothing") } : {};
  const version: VersionFile = { clusterId, token: conf.text("auth_token", "") || randomUUID(), ...runMode };
  const role = {
    role: "FOLLOWER" as const,
    name: `${host}_${editLogPort}_${Date.now()}`,
    ...(features.hostType ? { hostType } : {}),
  };
  writeRole(metaDir, role);
  writeVersion(metaDir, version);
  return { role, version };
};

interface Registered {
  readonly role: Role;
  readonly name: string;
  readonly helper: { readonly host: string; readonly port: number };
}

const get = (setting: Setting, host: string, path: string) =>
  fetchHttp({ host, port: setting.httpPort, path, localAddress: sourceAddress(setting.ip), timeoutMs: 10_000 });

/** Asks the helpers who we are, at their host and our own HTTP port. */
const askRole = async (setting: Setting): Promise<Registered | undefined> => {
  const { log, host, editLogPort } = setting;
  for (const helper of setting.helpers) {
    const at = hostPort(helper.host, helper.port);
    const place = "NodeMgr.getFeNodeTypeAndNameFromHelpers():532";
    try {
      const { status, headers } = await get(
        setting,
        helper.host,
        `/role?host=${encodeURIComponent(host)}&port=${editLogPort}`,
      );
      const { role, name } = headers;
      if (status !== 200) {
        log.warn(place, `failed to get fe node type from helper node: ${at}. response code: ${status}`);
      } else if ((role === "FOLLOWER" || role === "OBSERVER") && typeof name === "string") {
        log.info(place, `get fe node type ${role}, name ${name} from ${hostPort(helper.host, setting.httpPort)}`);
        return { role, name, helper };
      }
    } catch (error) {
      log.warn(place, `failed to get fe node type from helper node: ${at}. ${(error as Error).message}`);
    }
  }
  return undefined;
};

const waitUntilAdded = async (setting: Setting): Promise<Registered> => {
  const list = setting.helpers.map(({ host, port }) => hostPort(host, port)).join(", ");
  for (;;) {
    const registered = await askRole(setting);
    if (registered !== undefined) {
      return registered;
    }
    setting.log.warn(
      where,
      `current node is not added to the group. please add it first. sleep 5 seconds and retry, current helper nodes: [${list}]`,
    );
    await sleep(setting.options.helperRetryMs);
  }
};

const downloadImage = async (setting: Setting, host: string): Promise<void> => {
  for (const subdir of imageSubdirs(setting.features)) {
    const info = await get(setting, host, `/info?subdir=${subdir}`);
    const index = info.status === 200 ? Number(JSON.parse(info.body).imageJournalId) : 0;
    if (!(index > 0)) {
      continue;
    }
    setting.log.info(
      "MetaHelper:142",
      `start to download image.${index} from ${hostPort(host, setting.httpPort)} subdir [${subdir}]`,
    );
    const image = await get(setting, host, `/image?version=${index}&subdir=${subdir}`);
    if (image.status === 200) {
      writeImageText(setting.metaDir, subdir, index, image.body);
    }
  }
};

const join = async (setting: Setting): Promise<Identity> => {
  const { log, metaDir, features, conf } = setting;
  const { role, name, helper } = await waitUntilAdded(setting);
  const url = `http://${hostPort(helper.host, setting.httpPort)}/version`;
  log.info(where, `Downloading version file from ${url}`);
  const answer = await get(setting, helper.host, "/version");
  if (answer.status !== 200) {
    throw new StartFailure(`fail to download version file from ${url}. will exit.`, where);
  }
  const version = parseVersionFile(answer.body);
  const runMode = conf.text("run_mode", "shared_nothing");
  if (features.runMode && version.runMode !== undefined && version.runMode !== runMode) {
    throw new StartFailure(`Unmatched run mode with helper: ${version.runMode} vs ${runMode}`, where);
  }
  const roleFile = { role, name, ...(features.hostType ? { hostType: setting.hostType } : {}) };
  writeRole(metaDir, roleFile);
  writeVersion(metaDir, version);
  await downloadImage(setting, helper.host);
  log.info(where, `Got role: ${role}, node name: ${name} and run_mode: ${version.runMode ?? runMode}`);
  return { role: roleFile, version };
};

const check = ({ conf, features }: Setting, { version }: Identity): void => {
  const configured = features.clusterIdKey ? conf.number("cluster_id", -1) : -1;
  if (configured !== -1 && configured !== version.clusterId) {
    throw new StartFailure("cluster id is not equal with config item cluster_id. will exit.", where);
  }
  const runMode = conf.text("run_mode", "shared_nothing");
  if (features.runMode && version.runMode !== undefined && version.runMode !== runMode) {
    throw new StartFailure(
      `Unmatched run mode between config file and version file. config: ${runMode}, version: ${version.runMode}, will exit.`,
      where,
    );
  }
};

/** Who this FE is: what its files say, or a member that the helper knows, or (without a helper) the founder of a new cluster. */
export const establishIdentity = async (
  setting: Setting,
): Promise<{ readonly identity: Identity; readonly origin: Origin }> => {
  const existing = readIdentity(setting.metaDir);
  if (existing !== undefined) {
    check(setting, existing);
    if (setting.helpers.length > 0) {
      setting.log.info(where, "find ROLE and VERSION file in local, ignore helper nodes");
    }
    return { identity: existing, origin: "member" };
  }
  const { helpers, host, editLogPort } = setting;
  if (helpers.length === 0) {
    return { identity: found(setting), origin: "founder" };
  }
  if (helpers.some((helper) => helper.host === host && helper.port === editLogPort)) {
    throw new StartFailure(
      "Do not specify the helper node to FE itself. Please specify it to the existing running Leader or Follower FE",
      "NodeMgr.getHelperNodes():640",
    );
  }
  return { identity: await join(setting), origin: "joiner" };
};
