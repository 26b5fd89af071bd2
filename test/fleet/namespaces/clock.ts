import { existsSync } from "node:fs";
import { arch } from "node:os";

const machine = arch() === "arm64" ? "aarch64" : "x86_64";
const library = `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`;

/**
 * No namespace moves the clock of the day, so libfaketime does, in every program that a session, sudo or `exec` starts.
 * Limits: programs that run already keep their clock, static ones (Go) always do, and so do the times of files.
 */
export const clockEnvironment = (ms: number): Record<string, string> => {
  if (ms === 0) {
    return {};
  }
  if (!existsSync(library)) {
    throw new Error(`${library} is missing (Debian package faketime): the clock of a host cannot be moved without it`);
  }
  return {
    LD_PRELOAD: library,
    FAKETIME: `${ms < 0 ? "-" : "+"}${Math.abs(ms) / 1000}`,
    // Waits must take as long as ever.
    DONT_FAKE_MONOTONIC: "1",
  };
};
