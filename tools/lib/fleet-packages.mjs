import { accessSync, chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run, tail } from "./run.mjs";
import { step } from "./steps.mjs";

/** What a host of the fleet in network namespaces needs of the machine, and Debian's package of it. */
const programs = {
  sshd: "openssh-server",
  ip: "iproute2",
  sudo: "sudo",
  ps: "procps",
  unshare: "util-linux",
  perl: "perl-base",
  faketime: "faketime",
};

const aptLimit = 600_000;

const isThere = (/** @type {string} */ program) =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((folder) => {
    try {
      accessSync(join(folder, program));
      return true;
    } catch {
      return false;
    }
  });

/**
 * Debian's packages for the hosts in network namespaces, where this process may install them. Elsewhere it says what is
 * missing; the tests that need such hosts then skip themselves.
 */
export const ensureFleetPackages = async () => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    console.log("- tests on hosts in network namespaces are skipped: they need Linux and root");
    return;
  }
  const missing = Object.entries(programs).filter(([program]) => !isThere(program));
  if (missing.length === 0) {
    return;
  }
  const packages = missing.map(([, name]) => name);
  const problem = existsSync("/usr/bin/apt-get") ? await installWithApt(packages) : "there is no apt-get here";
  if (problem !== undefined) {
    console.log(`- tests on hosts in network namespaces are skipped: they need ${packages.join(" ")}; ${problem}`);
  }
};

/** @param {readonly string[]} packages @returns {Promise<string | undefined>} why it failed */
const installWithApt = (packages) =>
  step(`install ${packages.join(" ")} (apt-get)`, async (progress) =>
    withoutStartingServices(async () => {
      for (const args of [["update"], ["install", "--yes", "--no-install-recommends", ...packages]]) {
        const { code, output } = await run(["apt-get", ...args], {
          env: { DEBIAN_FRONTEND: "noninteractive" },
          limit: aptLimit,
          onLine: progress,
        });
        if (code !== 0) {
          return `apt-get ${args[0]}: ${tail(output, 3)}`;
        }
      }
      return undefined;
    }),
  );

/**
 * A machine gets no new SSH service by running tests: Debian's packages ask this script before they start one.
 *
 * @template T
 * @param {() => Promise<T>} work
 */
const withoutStartingServices = async (work) => {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) {
    return work();
  }
  writeFileSync(policy, "#!/bin/sh\nexit 101\n");
  chmodSync(policy, 0o755);
  try {
    return await work();
  } finally {
    rmSync(policy, { force: true });
  }
};
