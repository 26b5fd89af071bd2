import fs from "node:fs";
import path from "node:path";
import { StartFailure } from "../settings/conf.js";

export type Role = "FOLLOWER" | "OBSERVER";

/** `image/ROLE` */
export interface RoleFile {
  readonly role: Role;
  readonly name: string;
  readonly hostType?: string;
}

/** `image/VERSION` */
export interface VersionFile {
  readonly clusterId: number;
  readonly token: string;
  readonly runMode?: string;
}

const parse = (text: string): Map<string, string> =>
  new Map(
    text
      .split("\n")
      .filter((line) => /^[^#].*=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]),
  );

const write = (file: string, values: object): void => {
  const lines = Object.entries(values).filter(([, value]) => value !== undefined);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#${new Date().toUTCString()}\n${lines.map(([key, value]) => `${key}=${value}\n`).join("")}`);
};

export const parseVersionFile = (text: string): VersionFile => {
  const values = parse(text);
  const clusterId = Number(values.get("clusterId"));
  if (!Number.isInteger(clusterId)) {
    throw new StartFailure("invalid cluster id in VERSION", "Storage.reload():138");
  }
  const runMode = values.get("runMode");
  return { clusterId, token: values.get("token") ?? "", ...(runMode === undefined ? {} : { runMode }) };
};

export interface Identity {
  readonly role: RoleFile;
  readonly version: VersionFile;
}

export const roleFile = (metaDir: string): string => path.join(metaDir, "image", "ROLE");
export const versionFile = (metaDir: string): string => path.join(metaDir, "image", "VERSION");

/** Both files, or none; one of them alone is refused. */
export const readIdentity = (metaDir: string): Identity | undefined => {
  const [role, version] = [roleFile(metaDir), versionFile(metaDir)].map((file) => fs.existsSync(file));
  if (role !== version) {
    throw new StartFailure(
      "role file and version file must both exist or both not exist. please specific one helper node to recover. will exit.",
      "NodeMgr.getClusterIdAndRoleOnStartup():312",
    );
  }
  if (!role) {
    return undefined;
  }
  const values = parse(fs.readFileSync(roleFile(metaDir), "utf8"));
  const name = values.get("name");
  const kind = values.get("role");
  if (name === undefined || (kind !== "FOLLOWER" && kind !== "OBSERVER")) {
    throw new StartFailure("invalid ROLE file", "Storage.reload():138");
  }
  const hostType = values.get("hostType");
  return {
    role: { role: kind, name, ...(hostType === undefined ? {} : { hostType }) },
    version: parseVersionFile(fs.readFileSync(versionFile(metaDir), "utf8")),
  };
};

export const writeRole = (metaDir: string, role: RoleFile): void => write(roleFile(metaDir), role);
export const writeVersion = (metaDir: string, version: VersionFile): void => write(versionFile(metaDir), version);

export const removeIdentity = (metaDir: string): void => {
  fs.rmSync(roleFile(metaDir), { force: true });
  fs.rmSync(versionFile(metaDir), { force: true });
};
