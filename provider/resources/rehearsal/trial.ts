import { messageOf, TransientError, UserError } from "../../error.js";
import { redact } from "../../host/output.js";
import { feBootstrap } from "../../starrocks/http.js";
import { feVerdict, type LogMarks, lastLines, mergeLines, readSince } from "../../starrocks/logs.js";
import { newestImage } from "../../starrocks/meta-image.js";
import type { FePorts } from "../../starrocks/ports.js";
import { type ObservedProcess, observeProcess } from "../../starrocks/process.js";
import { assertApart, type Isolation } from "../../starrocks/rehearsal/isolation.js";
import {
  type Catalog,
  catalogOf,
  frontendProblem,
  looksTorn,
  replayedTo,
} from "../../starrocks/rehearsal/judgement.js";
import { connectSql, type Sql, SqlError } from "../../starrocks/sql.js";
import { mayAppear, type StartResult } from "../../starrocks/start.js";
import { createImage, showFrontends, versionComment } from "../../starrocks/statements.js";
import { features, runsVersion, type Version } from "../../starrocks/versions.js";
import { type Look, until, WaitError } from "../../wait.js";

/** The FE of a rehearsal did not do what it should; `torn` when a fresh copy of the metadata may be all that it needs. */
export class TrialFailure extends UserError {
  constructor(
    message: string,
    readonly torn: boolean,
  ) {
    super(message);
  }
}

export interface TrialSetting {
  readonly isolation: Isolation;
  readonly home: string;
  readonly metaDir: string;
  readonly version: Version;
  readonly ports: FePorts;
  readonly clusterId: number;
  /** The journal id that production had replayed before the copy was begun. */
  readonly journalId: number;
  readonly sql: { readonly user: string; readonly password?: string | undefined };
  /** What its log is cleaned of. */
  readonly secrets: readonly string[];
  readonly started: StartResult;
  /** Milliseconds until the verdict. */
  readonly limit: number;
  readonly sqlLimit: number;
  readonly report: (seen: string) => void;
}

const address = "127.0.0.1";

/** Lines of the log in an error: enough to see an exception with its cause. */
const shownLines = 15;

/** The new FE on the copy, from its first line of log to what it answers. */
export class Trial {
  readonly #setting: TrialSetting;
  readonly #texts: Record<string, string> = {};
  readonly #paths: readonly string[];
  readonly #deadline: number;
  readonly #since = performance.now();
  #marks: LogMarks;
  #process: ObservedProcess | undefined;
  #pid: number | undefined;

  constructor(setting: TrialSetting) {
    this.#setting = setting;
    this.#paths = setting.started.marks.map(({ path }) => path);
    this.#marks = setting.started.marks;
    this.#process = setting.started.process;
    this.#deadline = performance.now() + setting.limit;
  }

  async #lines(): Promise<readonly string[]> {
    const { isolation, secrets } = this.#setting;
    const { texts, marks } = await readSince(isolation.host, this.#paths, this.#marks);
    this.#marks = marks;
    for (const [path, text] of Object.entries(texts)) {
      this.#texts[path] = (this.#texts[path] ?? "") + redact(text, secrets);
    }
    return mergeLines(Object.values(this.#texts));
  }

  /** Looks until the limit of the whole trial; the end of the log tells why it was reached. */
  async #until<T>(what: string, look: () => Promise<Look<T>>): Promise<T> {
    const { limit, report } = this.#setting;
    try {
      const left = Math.max(1, this.#deadline - performance.now());
      return await until(look, { what, limit: left, onProgress: report });
    } catch (error) {
      if (!(error instanceof WaitError)) {
        throw error;
      }
      throw await this.#failure(
        `${messageOf(error)} (The whole may take ${limit / 1000} s: \`rehearsal.limit\`.)`,
        await this.#lines(),
      );
    }
  }

  async #failure(what: string, lines: readonly string[]): Promise<TrialFailure> {
    const { started, home, isolation, secrets } = this.#setting;
    const distinct = lines.filter((line, index) => line !== lines[index - 1]);
    const tail = lastLines(distinct.join("\n"), shownLines).trim() || redact(started.output, secrets) || "nothing";
    return new TrialFailure(
      `${what}\nLast lines of its log (${isolation.host.name}:${home}/log):\n${tail}`,
      looksTorn(lines),
    );
  }

  /** Until its log says that it started; a line that says why it cannot ends the wait. */
  async ready(): Promise<void> {
    const { isolation, started, version } = this.#setting;
    await this.#until<void>(`the FE of ${version.text} to start on the copy`, async () => {
      // The process first: what it wrote before it died is read then.
      const process = await this.#observe();
      const lines = await this.#lines();
      const verdict = feVerdict(lines, version);
      if (verdict.state === "failed") {
        throw await this.#failure(`The FE could not start on the copy: ${verdict.meaning}: ${verdict.line}`, lines);
      }
      if (!process && !this.#process && mayAppear(started, this.#since)) {
        return { done: false, seen: "no process yet" };
      }
      if (!process) {
        const code = started.code === 0 ? "" : ` (start script: exit code ${started.code})`;
        throw await this.#failure(`The FE's process ended${code}.`, lines);
      }
      this.#process = process;
      if (this.#pid !== process.pid) {
        if (!(await assertApart(isolation, process.pid))) {
          return { done: false, seen: `the network namespace of process ${process.pid} cannot be read` };
        }
        this.#pid = process.pid;
      }
      return verdict.state === "ready"
        ? { done: true, value: undefined }
        : { done: false, seen: seenOf(verdict, lines) };
    });
  }

  #observe(): Promise<ObservedProcess | undefined> {
    const { isolation, home } = this.#setting;
    return observeProcess(isolation.host, "fe", home, this.#process);
  }

  async #assertAlive(): Promise<void> {
    if (!(await this.#observe())) {
      throw await this.#failure("The FE's process ended after it had started.", await this.#lines());
    }
  }

  /** Until it answers as a cluster of itself alone, at the new version, with all of the journal. */
  async proven(): Promise<{ readonly catalog: Catalog; readonly replayed: number | undefined }> {
    const { isolation, ports } = this.#setting;
    const inside = isolation.inside(this.#pid ?? 0);
    await this.#until<void>("its HTTP port to answer", async () => {
      await this.#assertAlive();
      const readiness = await feBootstrap(inside, address, ports.http);
      return readiness.ok ? { done: true, value: undefined } : { done: false, seen: readiness.seen };
    });
    return this.#until("it to lead itself alone", async () => {
      await this.#assertAlive();
      try {
        const sql = await this.#connect();
        try {
          return await this.#look(sql);
        } finally {
          sql.close();
        }
      } catch (error) {
        if (error instanceof TransientError) {
          return { done: false, seen: messageOf(error) };
        }
        throw error instanceof SqlError ? await this.#failure(messageOf(error), await this.#lines()) : error;
      }
    });
  }

  /** A session with the FE in its namespace, with production's own user: the copy knows it. */
  #connect(): Promise<Sql> {
    const { isolation, ports, sql, sqlLimit } = this.#setting;
    return connectSql(isolation.inside(this.#pid ?? 0), {
      address,
      port: ports.query,
      user: sql.user,
      ...(sql.password !== undefined && { password: sql.password }),
      connectLimit: sqlLimit,
      limit: sqlLimit,
    });
  }

  async #look(sql: Sql): Promise<Look<{ readonly catalog: Catalog; readonly replayed: number | undefined }>> {
    const { version, clusterId, journalId } = this.#setting;
    const own = await versionComment(sql);
    if (!runsVersion(own, version.text)) {
      throw await this.#failure(`The FE answers as StarRocks ${own}, wanted is ${version.text}.`, await this.#lines());
    }
    const rows = await showFrontends(sql);
    const replayed = replayedTo(await this.#lines());
    const problem = frontendProblem(rows, { version, clusterId, journalId, replayed });
    if (problem !== undefined) {
      return { done: false, seen: problem };
    }
    return { done: true, value: { catalog: catalogOf(await sql.query("SHOW PROC '/dbs'")), replayed } };
  }

  /** Until it has written an image: a version that cannot is found out days later otherwise. Its journal id. */
  async imageWritten(): Promise<number | undefined> {
    const { isolation, metaDir, version, sqlLimit } = this.#setting;
    if (!features(version).createImage) {
      return undefined;
    }
    const before = await newestImage(isolation.host, metaDir, version);
    const sql = await this.#connect();
    try {
      await createImage(sql, sqlLimit);
    } finally {
      sql.close();
    }
    return this.#until("it to write an image", async () => {
      await this.#assertAlive();
      const now = await newestImage(isolation.host, metaDir, version);
      return now > before
        ? { done: true, value: now }
        : { done: false, seen: `image.${now}; a checkpoint comes once a minute` };
    });
  }
}

const seenOf = ({ state }: { readonly state: string }, lines: readonly string[]): string => {
  const replayed = replayedTo(lines);
  const waiting = lines.findLast((line) => /wait (?:globalStateMgr|catalog) to be ready/.test(line));
  if (waiting !== undefined) {
    return waiting.replace(/^.*?(wait )/, "$1");
  }
  return replayed === undefined ? state : `${state}, journal ${replayed}`;
};
