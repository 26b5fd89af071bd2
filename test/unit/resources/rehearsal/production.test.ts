import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransientError } from "../../../../provider/error.js";
import type { Host } from "../../../../provider/host/types.js";
import { inputsOf } from "../../../../provider/resources/rehearsal/inputs.js";
import { observeProduction, type ProductionOptions } from "../../../../provider/resources/rehearsal/production.js";
import type { ClusterRows, Contact } from "../../../../provider/rollout/frontends.js";
import { homePaths } from "../../../../provider/starrocks/layout.js";
import { markerText } from "../../../../provider/starrocks/marker.js";
import { AccessDenied, type Sql } from "../../../../provider/starrocks/sql.js";
import type { Frontend } from "../../../../provider/starrocks/statements.js";
import { localHost } from "../../starrocks/local-host.js";
import { sample } from "../samples.js";

type Answer = ClusterRows | Error | undefined;

const unreachable: Host = {
  ...localHost(),
  script: () => Promise.reject(new TransientError("the host does not answer")),
};

describe("the cluster that is to be rehearsed", () => {
  let folder: string;
  let contact: Contact;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-production-"));
    const [declared] = inputsOf(sample("rehearsal")).frontends;
    assert.ok(declared);
    contact = { ...declared, home: join(folder, "fe"), metaDir: join(folder, "meta") };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const rowsOf = (role: "leader" | "follower", version = "3.4.9"): ClusterRows => {
    const { address, ports } = contact;
    const row = { address, editLogPort: ports.editLog, role, alive: true, version } as Frontend;
    return { frontends: [row], backends: [] };
  };

  /** The home of an FE that was proven on a version, as it lies on a host where nothing runs. */
  const hasRun = (version: string): void => {
    mkdirSync(join(contact.metaDir, "image"), { recursive: true });
    writeFileSync(join(contact.metaDir, "image", "VERSION"), "clusterId=1\ntoken=1\n");
    mkdirSync(contact.home, { recursive: true });
    const releases = [{ id: `${version}-0123456789ab`, version, at: "2026-11-25T00:00:00Z" }];
    const marker = { schema: 1 as const, cluster: "sr", node: "fe-1", kind: "fe" as const, releases };
    writeFileSync(homePaths(contact.home, "fe").marker, markerText(marker));
  };

  /** Asks FEs that answer one after the other as they are told, the last answer for ever. */
  const observe = (
    answers: readonly Answer[],
    { host = localHost(), ...options }: Partial<ProductionOptions> & { readonly host?: Host } = {},
  ) => {
    const left = [...answers];
    const frontends = {
      contacts: [contact],
      hostOf: () => host,
      rows: async () => {
        const answer = left.length > 1 ? left.shift() : left[0];
        if (answer instanceof Error) {
          throw answer;
        }
        return answer;
      },
      // What a lagging observer says, and what the leader does.
      ask: async <T>() => [{ DbName: "behind", TableNum: "1" }] as unknown as T,
      through: async () => ({ query: async () => [{ DbName: "sales", TableNum: "3" }] }) as unknown as Sql,
      forget: () => undefined,
    };
    const inputs = inputsOf({ ...sample("rehearsal"), limits: { leader: 1 } });
    return observeProduction(
      frontends,
      { ...inputs, to: { id: "3.5.7-0123456789ab", version: "3.5.7" } },
      { from: undefined, startDown: async () => undefined, report: () => undefined, ...options },
    );
  };

  it("is the one whose leader answers", async () => {
    const seen = await observe([rowsOf("leader")]);
    assert.ok("leader" in seen && seen.contact.name === contact.name);
    assert.deepEqual([...seen.catalog], [["sales", 3]], "the leader's own databases");
    assert.equal(seen.version, "3.4.9");
  });

  it("is waited for until its leader tells its version: none is no patch", async () => {
    const unknown = rowsOf("leader", "");
    assert.ok("leader" in (await observe([unknown, unknown, rowsOf("leader")], { host: unreachable })));
  });

  it("is waited for while all FEs say that they follow, or none answers", async () => {
    const answers = [rowsOf("follower"), undefined, rowsOf("follower"), rowsOf("leader")];
    assert.ok("leader" in (await observe(answers, { host: unreachable })));
  });

  it("is no less there for having no leader for long: that is an error, never an answer", async () => {
    for (const answer of [undefined, rowsOf("follower")]) {
      await assert.rejects(
        observe([answer], { host: unreachable }),
        /^UserError: Waited 1 s for the FE group to have a leader, whose metadata is copied; last seen: no FE says that one leads, and which version; FE fe-1 could not be looked at: the host does not answer\..*`rehearsal: false`/,
      );
    }
  });

  it("is not taken for missing where the login is refused", async () => {
    const denied = new AccessDenied("SQL login as root: Access denied", "ER_ACCESS_DENIED_ERROR", "Access denied");
    await assert.rejects(observe([denied]), denied);
  });

  it("is missing where the hosts show that no FE has ever run", async () => {
    const seen = await observe([undefined]);
    assert.deepEqual(seen, { why: "no FE runs, and none has metadata that could be copied", empty: true });
  });

  it("is there where metadata lies on a host on which nothing runs, and what is down is started first", async () => {
    hasRun("3.4.9");
    let started = 0;
    const startDown = async () => {
      started += 1;
    };
    assert.ok("leader" in (await observe([undefined, rowsOf("leader")], { startDown })));
    assert.equal(started, 1);
    await assert.rejects(observe([undefined]), /No FE of the cluster runs, though there is a cluster/);
  });

  it("is there where the disk of its metadata is not mounted", async () => {
    hasRun("3.4.9");
    rmSync(contact.metaDir, { recursive: true });
    await assert.rejects(observe([undefined]), /No FE of the cluster runs, though there is a cluster/);
  });

  it("need not answer where every FE was proven last on a version that needs no rehearsal", async () => {
    hasRun("3.5.7");
    assert.deepEqual(await observe([undefined]), {
      why: "what the FEs hold is of a version that needs no rehearsal of 3.5.7",
      empty: false,
    });
  });
});
