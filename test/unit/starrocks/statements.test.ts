import assert from "node:assert/strict";
import { TransientError } from "../../../provider/error.js";
import { AccessDenied, type Sql, SqlError } from "../../../provider/starrocks/sql.js";
import {
  addBackend,
  addFrontend,
  cancelDecommission,
  createImage,
  decommissionBackend,
  dropBackend,
  dropFrontend,
  endpoint,
  nativePasswordHash,
  type Outcome,
  setRootPassword,
  versionComment,
} from "../../../provider/starrocks/statements.js";
import { session } from "./session.js";

const refusing = (answer: string) => session(new SqlError(`"… ?" failed: ${answer}`, "ER_UNKNOWN_ERROR", answer));

describe("statements", () => {
  describe("members", () => {
    const statements: [string, (sql: Sql) => Promise<Outcome>, string, string][] = [
      [
        "ALTER SYSTEM ADD FOLLOWER 'h:9010'",
        (sql) => addFrontend(sql, "follower", "h", 9010),
        "FE with the same host: h already exists",
        "unknown fqdn host: h",
      ],
      [
        "ALTER SYSTEM ADD OBSERVER 'h:9010'",
        (sql) => addFrontend(sql, "observer", "h", 9010),
        "frontend already exists name: h",
        "Backend already exists with same host h and port 9010",
      ],
      [
        "ALTER SYSTEM DROP FOLLOWER 'h:9010'",
        (sql) => dropFrontend(sql, "follower", "h", 9010),
        "frontend does not exist[h:9010]",
        "FOLLOWER does not exist[h:9010]",
      ],
      [
        "ALTER SYSTEM ADD BACKEND 'h:9050'",
        (sql) => addBackend(sql, "h", 9050),
        "Backend already exists with same host h and port 9050",
        "Compute node already exists with same host h and port 9050",
      ],
      [
        "ALTER SYSTEM ADD BACKEND 'h:9050'",
        (sql) => addBackend(sql, "h", 9050),
        "Same backend already exists[h:9050]",
        "invalid host",
      ],
      [
        "ALTER SYSTEM DROP BACKEND 'h:9050'",
        (sql) => dropBackend(sql, "h", 9050),
        "backend does not exists[h:9050]",
        "Tables such as [d1.t2] on the backend[h:9050] have only one replica.",
      ],
      [
        "ALTER SYSTEM DROP BACKEND 'h:9050' FORCE",
        (sql) => dropBackend(sql, "h", 9050, { force: true }),
        "backend does not exists[h:9050]",
        "no",
      ],
      [
        "ALTER SYSTEM DECOMMISSION BACKEND 'h:9050'",
        (sql) => decommissionBackend(sql, "h", 9050),
        "Backend does not exist[h:9050]",
        "It will cause insufficient BE number if these BEs are decommissioned.",
      ],
      [
        "CANCEL DECOMMISSION BACKEND 'h:9050'",
        (sql) => cancelDecommission(sql, "h", 9050),
        "Backend does not exist[h:9050]",
        "no",
      ],
    ];
    for (const [statement, run, already, refusal] of statements) {
      it(`${statement}: done, already ("${already}") or refused ("${refusal}")`, async () => {
        const sql = session([]);
        assert.equal(await run(sql), "done");
        assert.deepEqual(sql.asked, [statement]);
        assert.equal(await run(refusing(already)), "already");
        await assert.rejects(run(refusing(refusal)), {
          message: `"${statement}" on 10.0.0.11:9030 failed: ${refusal}`,
        });
      });
    }

    it("leaves a passing failure as it is", async () => {
      const gone = new TransientError("gone");
      await assert.rejects(addBackend(session(gone), "h", 1), gone);
    });

    it("writes IPv6 addresses with brackets", () => assert.equal(endpoint("fd00::1", 9010), "[fd00::1]:9010"));
  });

  it("reads the version of the FE asked", async () => {
    assert.equal(await versionComment(session([{ "@@version_comment": "3.5.7-d2da301" }])), "3.5.7-d2da301");
    assert.equal(await versionComment(session([])), undefined);
  });

  it("asks for an image", async () => {
    const sql = session([]);
    await createImage(sql);
    assert.deepEqual(sql.asked, ["ALTER SYSTEM CREATE IMAGE"]);
  });

  describe("setRootPassword", () => {
    it("sends the hash, not the password", async () => {
      const sql = session([]);
      await setRootPassword(sql, "password");
      assert.deepEqual(sql.asked, ["SET PASSWORD FOR 'root'@'%' = '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"]);
    });
    it("knows no password", () => assert.equal(nativePasswordHash(""), ""));

    const hash = nativePasswordHash("s3cret");
    const echo = `syntax error in SET PASSWORD … '${hash}' s3cret`;
    const failures = [
      new SqlError(echo, "ER_PARSE_ERROR", echo),
      new AccessDenied(echo, "ER_ACCESS_DENIED_ERROR", echo),
      new TransientError(echo),
      new Error(echo),
    ];
    for (const failure of failures) {
      it(`keeps both out of a ${failure.constructor.name}`, async () => {
        await assert.rejects(setRootPassword(session(failure), "s3cret"), (error: unknown) => {
          assert.ok(error instanceof Error);
          assert.match(error.message, /^Setting the password of root on 10\.0\.0\.11:9030 failed/);
          assert.ok(!JSON.stringify([error.message, error.stack, error.cause, error]).match(/s3cret|\*[0-9A-F]{10}/));
          assert.equal(error instanceof TransientError, failure instanceof TransientError);
          assert.equal(error instanceof AccessDenied, failure instanceof AccessDenied);
          return true;
        });
      });
    }
  });
});
