// The engine from its Go modules, for machines that reach a module proxy but not the official download.

import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast } from "../lib/node-version.mjs";
import { root } from "../lib/root.mjs";
import { run, tail } from "../lib/run.mjs";
import { languageHostRelease, release } from "./release.mjs";
import { storedEngine, storeEngine } from "./store.mjs";

/** Six times what a cold build takes on two cores. */
const buildLimit = 2_400_000;

/** Tests that run meanwhile have limits; the build has none to speak of. */
const niceness = 10;

/** The Go that go.mod asks for, and the oldest that fetches another one by itself. */
const [oldestGo, oldestGoThatFetches] = ["1.25.11", "1.21.0"];

const source = "built from Go modules";
const modules = join(root, "tools/engine");
const sdk = "github.com/pulumi/pulumi/sdk/v3";

const builds = [
  { module: "cli", program: "pulumi", package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", version: release },
  {
    module: "language-host",
    program: "pulumi-language-nodejs",
    package: `${sdk}/nodejs/cmd/pulumi-language-nodejs`,
    version: languageHostRelease,
  },
];

/**
 * No debug information and no optimization, except where an operation spends its time: a third less to compile than a
 * release build, and as fast on a big stack.
 */
const compilerFlags = [
  "-gcflags=all=-dwarf=false -N -l",
  ...["std", "github.com/pulumi/...", "google.golang.org/grpc/...", "google.golang.org/protobuf/..."].map(
    (pattern) => `-gcflags=${pattern}=-dwarf=false`,
  ),
];

/** The same inputs give the same folder; anything else is another engine. */
const key = () => {
  const hash = createHash("sha256").update(JSON.stringify([builds, compilerFlags]));
  for (const { module } of builds) {
    hash.update(readFileSync(join(modules, module, "go.mod"))).update(readFileSync(join(modules, module, "go.sum")));
  }
  return `build-${release}-${process.platform}-${process.arch}-${hash.digest("hex").slice(0, 12)}`;
};

export const builtBefore = () => storedEngine(key(), source);

/** @param {(detail: string) => void} progress */
export const buildEngine = async (progress) => {
  const go = await goEnvironment();
  return typeof go === "string" ? go : storeEngine(key(), source, (folder) => build(folder, go, progress), progress);
};

/** The environment for the go command, or why it cannot be used. */
const goEnvironment = async () => {
  const { code, stdout } = await run(["go", "env", "GOVERSION"]);
  const version = stdout.trim();
  if (code !== 0) {
    return "no go on PATH";
  }
  if (!isAtLeast(version, oldestGoThatFetches)) {
    return `go is ${version}; expected ${oldestGo} or later`;
  }
  return {
    CGO_ENABLED: "0",
    GOFLAGS: "-mod=readonly -buildvcs=false -trimpath",
    GOWORK: "off",
    // An older one fetches the release that go.mod asks for, as a module.
    ...(isAtLeast(version, oldestGo) ? {} : { GOTOOLCHAIN: "auto" }),
  };
};

/**
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 * @param {(detail: string) => void} progress
 * @returns {Promise<string | undefined>} why it failed
 */
const build = async (folder, env, progress) => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const part of builds) {
    const problem = await buildProgram(part, join(bin, part.program), env, progress);
    if (problem !== undefined) {
      return problem;
    }
  }
  return copyProviderScript(bin, env);
};

/**
 * @param {typeof builds[number]} part
 * @param {string} output
 * @param {NodeJS.ProcessEnv} env
 * @param {(detail: string) => void} progress
 */
const buildProgram = async (part, output, env, progress) => {
  const cwd = join(modules, part.module);
  const tags = ["-tags", "osusergo,grpcnotrace"];
  let downloads = 0;
  const listed = await run(["go", "list", "-deps", ...tags, part.package], {
    cwd,
    env,
    limit: buildLimit,
    niceness,
    onLine: (line) => {
      downloads += line.startsWith("go: downloading") ? 1 : 0;
      progress(`${part.program}: ${downloads} modules downloaded`);
    },
  });
  if (listed.code !== 0) {
    return tail(listed.output, 3);
  }
  const total = listed.stdout.trimEnd().split("\n").length;
  let compiled = 0;
  const version = `-X ${sdk}/go/common/version.Version=v${part.version}`;
  const { code, output: text } = await run(
    ["go", "build", "-v", ...tags, ...compilerFlags, "-ldflags", `-s -w ${version}`, "-o", output, part.package],
    {
      cwd,
      env,
      limit: buildLimit,
      niceness,
      onLine: () => {
        compiled += 1;
        progress(`${part.program}: ${compiled} of ${total} packages compiled`);
      },
    },
  );
  return code === 0 ? undefined : tail(text, 3);
};

/** The three-line script that starts the provider process is a file of the SDK's module. */
const copyProviderScript = async (/** @type {string} */ bin, /** @type {NodeJS.ProcessEnv} */ env) => {
  const { code, stdout, output } = await run(["go", "list", "-m", "-f", "{{.Dir}}", sdk], {
    cwd: join(modules, "cli"),
    env,
  });
  if (code !== 0) {
    return tail(output, 3);
  }
  const script = join(bin, "pulumi-resource-pulumi-nodejs");
  copyFileSync(join(stdout.trim(), "nodejs/dist/pulumi-resource-pulumi-nodejs"), script);
  chmodSync(script, 0o755);
  return undefined;
};
