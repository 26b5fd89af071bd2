import assert from "node:assert/strict";
import { UserError } from "../../../provider/error.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { assertLogin } from "../../../provider/resources/login.js";
import { Frontends } from "../../../provider/rollout/frontends.js";
import { Run } from "../../../provider/rollout/run.js";
import { hashOf, SqlServer } from "../rollout/sql-server.js";
import { loopback } from "../starrocks/loopback.js";

class LoopbackFrontends extends Frontends {
  override hostOf() {
    return loopback;
  }
}

describe("a changed login", () => {
  let server: SqlServer;
  let run: Run;
  beforeEach(async () => {
    server = await new SqlServer().start();
    server.passwordHash = hashOf("right");
    run = new Run("login");
  });
  afterEach(() => server.stop());

  /** A node's question in the one operation; its sessions are nobody else's. */
  const change = (node: string, password: string): Promise<void> => {
    const sql = { user: "someone", password };
    const contact = {
      name: "fe-1",
      address: "127.0.0.1",
      role: "leader",
      ports: { http: 8030, rpc: 9020, query: server.port, editLog: 9010 },
      home: "/opt/starrocks/fe",
      metaDir: "/opt/starrocks/fe/meta",
      connection: {},
    } as const;
    const access = {
      cluster: node,
      contacts: [contact],
      connection: { host: "none" },
      sql,
      limits: limitsOf({ sql: 1 }),
    };
    return assertLogin(node, { run, sql, frontends: new LoopbackFrontends(access) });
  };

  const refused = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    return true;
  };

  it("is proven once in an operation", async () => {
    await Promise.all([change("BE be-1", "right"), change("BE be-2", "right")]);
    await change("FE fe-1", "right");
    assert.equal(server.logins, 1);
  });

  it("that is refused is tried once, and told once in full", async () => {
    await assert.rejects(
      change("BE be-1", "wrong"),
      refused(
        /^BE be-1: SQL login as someone on \S+: Access denied .* The earlier `sql` stays recorded\. .*SET PASSWORD in the cluster first, then declare it\.$/,
      ),
    );
    await assert.rejects(change("BE be-2", "wrong"), refused(/^BE be-2: the declared login is refused\.$/));
    assert.equal(server.logins, 1);
  });

  it("hinders nothing where no FE answers, and is tried again by who comes later", async () => {
    server.silent = true;
    await change("BE be-1", "right");
    server.silent = false;
    await change("BE be-2", "right");
    server.passwordHash = hashOf("another");
    await change("BE be-3", "right");
    assert.equal(server.logins, 2);
  });
});
