import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Crimes {
  readonly note: (crime: string, detail?: object) => void;
  /** To be called at the end of an orderly stop: without it, the next start notes that the process was killed. */
  readonly ended: () => void;
}

/** What no careful operator would let happen, as lines of `log/sim-crimes.log`; tests read them, the tool must not. */
export const openCrimes = (home: string, name: "be" | "cn"): Crimes => {
  const running = join(home, "log", `.sim-${name}-running`);
  const note = (crime: string, detail: object = {}): void => {
    const record = { at: new Date().toISOString(), pid: process.pid, crime, ...detail };
    appendFileSync(join(home, "log", "sim-crimes.log"), `${JSON.stringify(record)}\n`);
  };
  mkdirSync(join(home, "log"), { recursive: true });
  if (existsSync(running)) {
    note("killed before this start");
  }
  writeFileSync(running, "");
  return { note, ended: () => rmSync(running, { force: true }) };
};
