import { messageOf } from "../../provider/error.js";
import type { Outcome } from "../engine/stack.js";
import { type Availability, watchAvailability } from "../lab/availability.js";
import { type Report, startWorkload, type Workload } from "../simulator/client/workload.js";
import { type Project, releaseConfig, rootPassword } from "./project.js";

interface Login {
  readonly frontends: Project["frontends"];
  readonly password: string;
}

/** One operation of the quickstart, as its table shows it. */
export interface Chapter {
  readonly name: string;
  /** What happened, in a few words. */
  readonly what: string;
  readonly seconds: number;
}

/** What the quickstart saw, measured beside the tool: by looking at processes and by a client's own bookkeeping. */
export interface Story {
  readonly chapters: readonly Chapter[];
  readonly workload: Omit<Report, "failures" | "lostKeys"> | undefined;
  readonly availability: Availability | undefined;
  /** What was not as promised. */
  readonly broken: readonly string[];
}

/** The parts of a story while it is told: what an operation that failed leaves is told as well. */
export class Storyteller {
  readonly #project: Project;
  readonly #heading: (text: string) => void;
  readonly chapters: Chapter[] = [];
  readonly broken: string[] = [];
  workload: Story["workload"];
  availability: Availability | undefined;

  constructor(project: Project, heading: (text: string) => void) {
    this.#project = project;
    this.#heading = heading;
  }

  async deploy(): Promise<boolean> {
    const { current, frontends, backends } = this.#project;
    const outcome = await this.#operate(`up: ${current.version} on hosts that have nothing`, "up");
    this.#note("up", `${frontends.length} FE and ${backends} BE run ${current.version}, each proven`, outcome);
    return outcome.exitCode === 0;
  }

  async repeat(): Promise<void> {
    const outcome = await this.#operate("up again: nothing to do", "up");
    const changes = changesOf(outcome);
    this.#note("up again", changes === 0 ? "changed nothing" : `changed ${changes} resources`, outcome);
    if (changes !== 0) {
      this.broken.push(`the second up changed ${changes} resources`);
    }
  }

  async upgrade(): Promise<void> {
    const { current, fleet, frontends, next, stack } = this.#project;
    if (!next) {
      return;
    }
    await stack.setConfig("release", releaseConfig(next));
    const preview = await this.#operate(`preview of ${next.version}: the whole plan, nothing is done`, "preview");
    this.#note("preview", `the plan from ${current.version} to ${next.version}`, preview);

    // A real FE and a simulated BE do not speak of data with each other.
    const isMixed = this.#project.real.length === 1;
    const clients = isMixed ? "no client, as only a part is real" : "a client reads and writes";
    this.#heading(`up: ${current.version} → ${next.version} while ${clients}`);
    const login = { frontends, password: rootPassword };
    const workload = isMixed ? undefined : await this.#startClient(login);
    const availability = await watchAvailability({ fleet }, login);
    const outcome = await this.#run("up");
    this.#note("up", `${current.version} → ${next.version}, node by node`, outcome);
    this.availability = await availability();
    await this.#endClient(workload);
    if (this.availability.mostWithoutProcess > 1) {
      this.broken.push(`${this.availability.mostWithoutProcess} nodes were down at once`);
    }
  }

  async #startClient(login: Login): Promise<Workload | undefined> {
    try {
      return await startWorkload({ ...login, ...(this.#project.fleet.oneAddress && { replicationNum: 1 }) });
    } catch (error) {
      this.broken.push(`a client cannot write: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #endClient(workload: Workload | undefined): Promise<void> {
    try {
      const report = await workload?.stop();
      if (report) {
        const { failures: _, lostKeys: __, ...figures } = report;
        this.workload = figures;
      }
    } catch (error) {
      this.broken.push(`what was written cannot be read: ${messageOf(error)}`);
    }
    if (this.workload && this.workload.writesLost > 0) {
      this.broken.push(`${this.workload.writesLost} acknowledged writes were lost`);
    }
  }

  async destroy(): Promise<void> {
    const { fleet } = this.#project;
    const outcome = await this.#operate("destroy: every process stops, all data stays", "destroy");
    const running = await Promise.all(fleet.hosts.map(async (host) => (await host.processes()).length));
    const left = running.reduce((sum, count) => sum + count, 0);
    this.#note(
      "destroy",
      left === 0 ? "every process stopped, all data stays" : `${left} processes still run`,
      outcome,
    );
    if (left > 0) {
      this.broken.push(`${left} processes still run after destroy`);
    }
  }

  get story(): Story {
    const { availability, broken, chapters, workload } = this;
    return { availability, broken, chapters, workload };
  }

  #operate(heading: string, operation: "up" | "preview" | "destroy"): Promise<Outcome> {
    this.#heading(heading);
    return this.#run(operation);
  }

  async #run(operation: "up" | "preview" | "destroy"): Promise<Outcome> {
    const args = [
      ...(operation === "preview" ? [] : ["--skip-preview"]),
      ...(process.stdout.isTTY ? ["--color", "always"] : []),
    ];
    return this.#project.stack.start(operation, args).ended;
  }

  #note(name: string, what: string, { exitCode, seconds }: Outcome): void {
    const failed = exitCode !== 0;
    this.chapters.push({ name, what: failed ? "FAILED, see above" : what, seconds });
    if (failed) {
      this.broken.push(`${name} failed with exit code ${exitCode}`);
    }
  }
}

/** Resources that an operation did not leave as they were. */
const changesOf = ({ events }: Outcome): number => {
  const summary = events.find(({ summaryEvent }) => summaryEvent)?.summaryEvent;
  return Object.entries(summary?.resourceChanges ?? {})
    .filter(([kind]) => kind !== "same")
    .reduce((sum, [, count]) => sum + (count ?? 0), 0);
};
