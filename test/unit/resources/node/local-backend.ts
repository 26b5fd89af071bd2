import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { makeClaim, readClaim } from "../../../../provider/host/claims.js";
import type { Host } from "../../../../provider/host/types.js";
import type { NodeRelease } from "../../../../provider/plan/spec.js";
import { isBe } from "../../../../provider/resources/node/context.js";
import { acquireLease } from "../../../../provider/rollout/lease.js";
import { keepersOf } from "../../../../provider/rollout/majority.js";
import { ownerHere } from "../../../../provider/rollout/owner.js";
import { buildRelease, type ReleaseOptions } from "../../../simulator/release.js";
import { eventually } from "../../simulator/fe/lab.js";
import { localHost } from "../../starrocks/local-host.js";
import { backend, leaseOf, type Operation, operationOn } from "../local-cluster.js";

/** Seconds of a lease: short, that it is soon seen to be lost, and long enough to be renewed on a busy machine. */
const ttlSeconds = 4;

let backends = 0;

/** A real home of a simulated BE on this machine, beside one FE host that keeps the lease; no FE runs. */
export class LocalBackend {
  readonly folder = mkdtempSync(join(tmpdir(), "local-backend-"));
  readonly home = join(this.folder, "be");
  readonly #address: string;
  readonly #before = process.cwd();
  readonly #operations: Operation[] = [];
  readonly #releases = new Map<string, NodeRelease>();

  constructor() {
    backends += 1;
    this.#address = `127.${90 + (process.pid % 100)}.1.${backends}`;
    process.chdir(this.folder);
  }

  /** Stages a release as the provider does: unpacked, and sealed. */
  async stage(version: string, be: ReleaseOptions["be"] = {}): Promise<NodeRelease> {
    const directory = join(this.folder, `archive-${this.#releases.size}`);
    const options = { openFilesLimit: 655_350, startDelayMs: 0, stopDelayMs: 50, ...be.options };
    const { archive, sha256 } = await buildRelease({
      version,
      directory,
      topLevel: "",
      parts: ["be"],
      be: { ...be, options },
    });
    const release = { id: `${version}-${sha256.slice(0, 12)}`, version };
    const target = join(this.folder, "releases", release.id);
    mkdirSync(target, { recursive: true });
    execFileSync("tar", ["xzf", archive, "-C", target]);
    writeFileSync(join(target, "be/.sealed"), JSON.stringify({ version, commit: "d2da301", sha256, part: "be" }));
    this.#releases.set(release.id, release);
    return release;
  }

  /** An operation that has the lease, and the BE in it. `after` is called when a script has ended, by its label. */
  async operation(release: NodeRelease, after: (label: string) => Promise<void> = async () => undefined) {
    const operation = operationOn([{ address: "127.0.0.9", home: join(this.folder, "fe") }], { start: 20, sql: 0.2 });
    this.#operations.push(operation);
    const { frontends, run } = operation;
    const hosts = keepersOf(frontends);
    run.lease = await acquireLease({ hosts, owner: ownerHere("stack dev"), ttlSeconds, limit: 20_000 });
    const local = localHost();
    const labels: string[] = [];
    const host: Host = {
      ...local,
      script: async (text, args, options) => {
        const label = (options?.label ?? "").split(" ")[0] ?? "";
        labels.push(label);
        const result = await local.script(text, args, options);
        await after(label);
        return result;
      },
    };
    const spec = backend({ address: this.#address, home: this.home }, { release, deployDir: this.folder });
    const context = operation.nodeOn(host, spec);
    if (!isBe(context)) {
      throw new Error("It is a BE");
    }
    return { operation, context, labels };
  }

  /** Another operator takes the cluster; resolves when the one before has seen it. */
  async takeFrom(operation: Operation): Promise<void> {
    for (const { host, folder } of keepersOf(operation.frontends)) {
      const text = JSON.stringify({ ...ownerHere("stack prod"), user: "ben" });
      const { generation } = await readClaim(host, folder);
      await makeClaim(host, folder, { generation, lifetime: 600_000, text });
    }
    await this.lost(operation);
  }

  async lost(operation: Operation): Promise<void> {
    await eventually("the loss of the lease", async () => leaseOf(operation).isLost);
  }

  /** The claims of another operator are over. */
  forgetClaims(): void {
    rmSync(join(this.folder, "fe"), { recursive: true, force: true });
  }

  /** Somebody runs the start script by hand. */
  async start(): Promise<void> {
    execFileSync("bash", [join(this.home, "bin/start_be.sh"), "--daemon"], { stdio: "ignore" });
    // The BE writes it by itself.
    await eventually("its pid file", async () => this.pid !== undefined);
  }

  /** Ends the BE as a crash does, and forgets it. */
  async kill(): Promise<void> {
    if (this.pid !== undefined) {
      process.kill(this.pid, "SIGKILL");
    }
    await eventually("the BE to end", async () => this.pid === undefined);
    rmSync(join(this.home, "bin/be.pid"), { force: true });
  }

  get pid(): number | undefined {
    const file = join(this.home, "bin/be.pid");
    const pid = existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : Number.NaN;
    return Number.isInteger(pid) && existsSync(`/proc/${pid}/exe`) ? pid : undefined;
  }

  get current(): string {
    return basename(readlinkSync(join(this.home, "current")));
  }

  async close(): Promise<void> {
    for (const { run } of this.#operations) {
      await run.lease?.release();
    }
    await this.kill();
    process.chdir(this.#before);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
