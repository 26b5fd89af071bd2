import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./root.js";

/** A program: a folder that holds one, or the texts of its files by their path (`index.ts` or `index.js` at least). */
export type Program = string | Readonly<Record<string, string>>;

/** Lays a program out as a user's project: its files, Pulumi.yaml, and node_modules with what it depends on. */
export const layOut = (program: Program, folder: string): void => {
  mkdirSync(folder, { recursive: true });
  if (typeof program === "string") {
    cpSync(program, folder, { recursive: true, filter: (path) => !left.has(basename(path)) });
  } else {
    writeFiles(folder, program);
  }
  const isTypeScript = existsSync(join(folder, "index.ts"));
  addMissing(folder, "Pulumi.yaml", pulumiYaml(isTypeScript));
  addMissing(folder, "package.json", JSON.stringify({ name: "lab", private: true }));
  if (isTypeScript) {
    addMissing(folder, "tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  }
  linkPackages(folder);
};

export const writeFiles = (folder: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};

/** What an earlier run of the program by hand may have left in its folder. */
const left = new Set(["node_modules", "Pulumi.lab.yaml"]);

/** JavaScript skips ts-node, which takes two seconds of each operation. */
const pulumiYaml = (isTypeScript: boolean): string =>
  `name: lab\nruntime:\n  name: nodejs\n  options:\n    typescript: ${isTypeScript}\n`;

const compilerOptions = { strict: true, target: "ES2022", module: "nodenext", moduleResolution: "nodenext" };

const addMissing = (folder: string, name: string, text: string): void => {
  if (!existsSync(join(folder, name))) {
    writeFileSync(join(folder, name), text);
  }
};

const always = ["@pulumi/pulumi", "typescript", "@types/node"];

/**
 * Links only what a program names, as the engine wants a plugin for every package in reach that has one. Our own package
 * is laid out as npm would install it; its files load their dependencies from the repository.
 */
const linkPackages = (folder: string): void => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
  const own = join(folder, "node_modules/pulumi-starrocks");
  mkdirSync(own, { recursive: true });
  cpSync(join(root, "package.json"), join(own, "package.json"));
  symlinkSync(join(root, "dist"), join(own, "dist"));
  for (const name of new Set([...always, ...Object.keys({ ...dependencies, ...devDependencies })])) {
    const link = join(folder, "node_modules", name);
    if (!existsSync(link)) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, "node_modules", name), link);
    }
  }
};
