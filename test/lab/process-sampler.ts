import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds between two looks: a command of a host runs for a few. */
const every = 20;

/** What was found in the arguments and environments of this machine's processes, those of a fleet's hosts among them. */
export interface Sampled {
  /** Commands that had one of the texts, each once. */
  readonly found: readonly string[];
  /** Different commands that were looked at. */
  readonly commands: ReadonlySet<string>;
}

const readOr = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended since it was listed.
    return "";
  }
};

/** Looks at every process again and again for texts that nobody may see there, until the function that it gives is called. Linux only. */
export const sampleProcesses = (texts: readonly string[]): (() => Sampled) => {
  const found = new Set<string>();
  const commands = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync("/proc")) {
      if (/^\d+$/.test(pid)) {
        const command = readOr(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
        const environment = readOr(`/proc/${pid}/environ`);
        commands.add(command);
        if (texts.some((text) => command.includes(text) || environment.includes(text))) {
          found.add(command);
        }
      }
    }
  };
  const timer = setInterval(look, every);
  return () => {
    clearInterval(timer);
    return { found: [...found], commands };
  };
};
