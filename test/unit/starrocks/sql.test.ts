import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { PassThrough } from "node:stream";
import { type Connection, createServer } from "mysql2";
import { TransientError, UserError } from "../../../provider/error.js";
import type { Host } from "../../../provider/host/types.js";
import { AccessDenied, connectSql, SqlError, type SqlOptions, SqlTimeout } from "../../../provider/starrocks/sql.js";
import { loopback } from "./loopback.js";

/** What mysql2's server can do beside: rows whose columns need no names of their own. */
interface Writer {
  writeColumns(columns: readonly object[]): void;
  writeTextRow(values: readonly (string | null)[]): void;
  writeEof(): void;
}

type Answer = (connection: Connection, statement: string) => void;

const varchar = (name: string) => ({
  catalog: "def",
  schema: "",
  table: "",
  orgTable: "",
  name,
  orgName: name,
  characterSet: 33,
  columnLength: 255,
  columnType: 253,
  flags: 0,
  decimals: 0,
});

const long = (name: string) => ({ ...varchar(name), columnType: 8, characterSet: 63 });

/** A MySQL server on loopback; each test says what it answers. */
class SqlServer {
  port = 0;
  readonly statements: string[] = [];
  answer: Answer = (connection) => connection.writeOk();
  refuse: { message: string; code: number } | undefined;
  private readonly server = createServer(() => undefined);
  private readonly sockets = new Set<Socket>();

  async start(): Promise<void> {
    this.server.on("connection", (connection: Connection & { stream: Socket }) => {
      this.sockets.add(connection.stream);
      connection.on("error", () => undefined);
      // Each exchange counts its packets from 0; mysql2 leaves that to the server's author.
      const { _resetSequenceId: reset } = connection as unknown as { _resetSequenceId: () => void };
      connection.serverHandshake({
        protocolVersion: 10,
        serverVersion: "8.0.33",
        connectionId: 1,
        statusFlags: 2,
        characterSet: 33,
        capabilityFlags: 0x0008_f7df,
        authCallback: (_: unknown, done: (error: null, refusal?: unknown) => void) => {
          done(null, this.refuse);
          reset.call(connection);
        },
      });
      const asked = (statement: string) => {
        this.statements.push(statement);
        this.answer(connection, statement);
        reset.call(connection);
      };
      connection.on("query", asked);
      // mysql2's server takes any text that starts with SET for a prepared statement.
      connection.on("stmt_prepare", asked);
    });
    const { _server: tcp } = this.server as unknown as { _server: import("node:net").Server };
    this.server.listen(0);
    await once(tcp, "listening");
    this.port = (tcp.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close(() => undefined);
    for (const socket of this.sockets) {
      socket.destroy();
    }
  }
}

describe("sql", () => {
  let server: SqlServer;
  beforeEach(async () => {
    server = new SqlServer();
    await server.start();
  });
  afterEach(() => server.stop());

  const open = (options: Partial<SqlOptions> = {}, host: Host = loopback) =>
    connectSql(host, { address: "127.0.0.1", port: server.port, user: "root", ...options });

  const using = async <T>(
    use: (sql: Awaited<ReturnType<typeof open>>) => Promise<T>,
    options?: Partial<SqlOptions>,
  ) => {
    const sql = await open(options);
    try {
      return await use(sql);
    } finally {
      sql.close();
    }
  };

  it("answers rows with every value as text, and null as null", async () => {
    server.answer = (connection) =>
      connection.writeTextResult(
        [{ Id: 2, Name: "fe-ü", Version: null }],
        [long("Id"), varchar("Name"), varchar("Version")],
      );
    await using(async (sql) => {
      assert.deepEqual(await sql.query("SHOW FRONTENDS"), [{ Id: "2", Name: "fe-ü", Version: null }]);
    });
  });

  it("answers a table in the order of its columns, whatever they are called", async () => {
    server.answer = (server) => {
      const connection = server as unknown as Writer;
      connection.writeColumns([long("2"), long("1"), varchar("name"), varchar("name")]);
      connection.writeTextRow(["2", "1", "a", null]);
      connection.writeEof();
    };
    await using(async (sql) => {
      assert.deepEqual(await sql.table("SELECT 2, 1, …"), [["2", "1", "a", null]]);
    });
  });

  it("answers no rows for a statement that gives none", async () => {
    await using(async (sql) => assert.deepEqual(await sql.query("ALTER SYSTEM CREATE IMAGE"), []));
  });

  it("puts escaped values into the statement", async () => {
    await using((sql) => sql.query("ALTER SYSTEM ADD FOLLOWER ?", ["10.0.0.1:9010' \\ -- "]));
    assert.deepEqual(server.statements, ["ALTER SYSTEM ADD FOLLOWER '10.0.0.1:9010\\' \\\\ -- '"]);
  });

  it("keeps a question mark in a statement without values", async () => {
    await using((sql) => sql.query("SELECT '?'"));
    assert.deepEqual(server.statements, ["SELECT '?'"]);
  });

  it("gives StarRocks' refusal with the statement, its code and the answer alone", async () => {
    server.answer = (connection) => connection.writeError({ code: 1064, message: "frontend does not exist[h:9010]" });
    await using(async (sql) => {
      await assert.rejects(sql.query("ALTER SYSTEM DROP FOLLOWER ?", ["h:9010"]), (error: unknown) => {
        assert.ok(error instanceof SqlError && !(error instanceof AccessDenied));
        assert.equal(error.code, "ER_PARSE_ERROR");
        assert.equal(error.answer, "frontend does not exist[h:9010]");
        assert.equal(
          error.message,
          `"ALTER SYSTEM DROP FOLLOWER ?" on 127.0.0.1:${server.port} failed: frontend does not exist[h:9010]`,
        );
        return true;
      });
      // The session is still good.
      server.answer = (connection) => connection.writeOk();
      await sql.query("SELECT 1");
    });
  });

  const passing = [
    "java.net.SocketException: Connection reset",
    "java.net.ConnectException: Connection refused (Connection refused)",
    "Socket is closed by peer.",
    "Cannot open null host.",
    "Failed to get master client.",
    "Internal error processing forward",
    "Failed to acquire globalStateMgr lock. Try again",
  ];
  for (const message of passing) {
    it(`takes "${message}" for passing`, async () => {
      server.answer = (connection) => connection.writeError({ code: 1064, message });
      await using((sql) => assert.rejects(sql.query("SHOW FRONTENDS"), TransientError));
    });
  }

  it("tells a wrong login from all else, and does not tell the password", async () => {
    server.refuse = { code: 1045, message: "Access denied for user 'root' (using password: YES) s3cret" };
    await assert.rejects(open({ password: "s3cret" }), (error: unknown) => {
      assert.ok(error instanceof AccessDenied);
      assert.match(error.message, /SQL login as root on .*Check `sql\.user`/);
      assert.ok(!JSON.stringify([error.message, error.stack, error.answer]).includes("s3cret"));
      return true;
    });
  });

  it("tells a missing privilege", async () => {
    server.answer = (connection) =>
      connection.writeError({ code: 5203, message: "Access denied; you need (at least one of) the NODE privilege(s)" });
    await using((sql) => assert.rejects(sql.query("ALTER SYSTEM CREATE IMAGE"), AccessDenied));
  });

  it("takes a refused connection for passing", async () => {
    const { port } = server;
    server.stop();
    await assert.rejects(open({ port }), TransientError);
  });

  it("gives up a statement that gets no answer, and the session with it", async () => {
    server.answer = () => undefined;
    const sql = await open({ limit: 10_000 });
    const other = sql.query("SHOW BACKENDS");
    const otherFails = assert.rejects(other, SqlTimeout);
    await assert.rejects(sql.query("SHOW FRONTENDS", [], 30), (error: unknown) => {
      assert.ok(error instanceof SqlTimeout && error instanceof TransientError);
      assert.match(error.message, /"SHOW FRONTENDS" got no answer from the frontend .* without a leader/);
      return true;
    });
    await otherFails;
    await assert.rejects(sql.query("SELECT 1"), SqlTimeout);
  });

  it("gives up a login that gets no greeting", async () => {
    const muted: Host = { ...loopback, connect: async () => new Mute() };
    await assert.rejects(open({ connectLimit: 30 }, muted), SqlTimeout);
  });

  it("gives up a tunnel that does not open, and closes it when it does later", async () => {
    let opened: (stream: Mute) => void = () => undefined;
    const slow: Host = { ...loopback, connect: () => new Promise((resolve) => (opened = resolve)) };
    await assert.rejects(open({ connectLimit: 30 }, slow), SqlTimeout);
    const late = new Mute();
    const closed = once(late, "close");
    opened(late);
    await closed;
  });

  it("takes a lost connection for passing", async () => {
    server.answer = (connection) => (connection as Connection & { stream: Socket }).stream.destroy();
    const sql = await open();
    await assert.rejects(sql.query("SHOW FRONTENDS"), TransientError);
    await assert.rejects(sql.query("SHOW FRONTENDS"), TransientError);
    sql.close();
  });

  it("fails statements of a closed session", async () => {
    const sql = await open();
    sql.close();
    sql.close();
    await assert.rejects(sql.query("SELECT 1"), /was closed/);
  });

  it("passes on what is not passing", async () => {
    const broken: Host = { ...loopback, connect: () => Promise.reject(new UserError("host key changed")) };
    await assert.rejects(open({}, broken), /host key changed/);
  });
});

/** A stream on which nobody ever says anything. */
class Mute extends PassThrough {
  override _transform(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}
