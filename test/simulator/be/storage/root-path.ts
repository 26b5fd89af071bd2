import { accessSync, constants, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

export type Medium = "HDD" | "SSD";

export interface RootPath {
  readonly path: string;
  readonly medium: Medium;
}

export type RootPathResult =
  | { readonly ok: true; readonly root: RootPath }
  | { readonly ok: false; readonly log: string; readonly status: string };

const refuse = (log: string, status: string): RootPathResult => ({ ok: false, log, status });

/** The extension of the last path element, dot included: of `/d1.ssd` `.ssd`, of `/data/sr-3.5` `.5`. */
const extensionOf = (path: string): string => {
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  return dot === -1 ? "" : name.slice(dot);
};

/** One element of `storage_root_path`. `canonicalize` makes or finds the folder and resolves links. */
export const parseRootPath = (text: string, canonicalize: (path: string) => string | undefined): RootPathResult => {
  const [first = "", ...properties] = text.split(",").filter((part) => part.trim() !== "");
  const path = first.trim().replace(/\/+$/, "");
  if (!path.startsWith("/")) {
    return refuse(`invalid store path. path=${path}`, "Invalid argument: Invalid store path");
  }
  const canonical = canonicalize(path);
  if (canonical === undefined) {
    return refuse(
      `path can not be canonicalized. may be not exist. path=${path}`,
      `IO error: ${path}: No such file or directory`,
    );
  }
  let medium = extensionOf(canonical).slice(1).toUpperCase();
  for (const property of properties) {
    const [name = "", value] = property.split(/:(.*)/s);
    const kind = name.trim().toUpperCase();
    if (value === undefined || value === "" || (kind !== "MEDIUM" && kind !== "CAPACITY")) {
      return refuse(`invalid property of store path, ${property}`, "Invalid argument: Invalid property of store path");
    }
    if (kind === "MEDIUM") {
      medium = value.trim().toUpperCase();
    }
  }
  if (medium !== "" && medium !== "HDD" && medium !== "SSD") {
    return refuse(`invalid storage medium. medium=${medium}`, "Internal error: Invalid storage medium");
  }
  return { ok: true, root: { path, medium: medium === "SSD" ? "SSD" : "HDD" } };
};

export const parseRootPaths = (
  text: string,
  canonicalize: (path: string) => string | undefined,
): readonly (RootPathResult & { readonly text: string })[] =>
  text
    .split(";")
    .filter((part) => part.trim() !== "")
    .map((part) => ({ text: part, ...parseRootPath(part, canonicalize) }));

/** Resolves a folder, which is made when missing if the line does so. */
export const canonicalizer =
  (creates: boolean) =>
  (path: string): string | undefined => {
    try {
      if (creates) {
        mkdirSync(path, { recursive: true });
      }
      return realpathSync(path);
    } catch {
      return undefined;
    }
  };

/** Whether a file can be written there and read back. */
export const isWritable = (path: string): boolean => {
  const probe = join(path, ".read_write_test_file");
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    writeFileSync(probe, "read write test");
    return existsSync(probe);
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
};
