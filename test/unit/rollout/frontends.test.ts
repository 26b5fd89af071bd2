import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { TransientError, UserError } from "../../../provider/error.js";
import type { Connection } from "../../../provider/host/connection.js";
import type { Host } from "../../../provider/host/types.js";
import { limitsOf } from "../../../provider/plan/limits.js";
import { type Contact, Frontends } from "../../../provider/rollout/frontends.js";
import { AccessDenied, type Sql } from "../../../provider/starrocks/sql.js";
import { loopback } from "../starrocks/loopback.js";
import { hashOf, SqlServer } from "./sql-server.js";

/** The host of an FE: this machine's loopback, and a home with or without the marker of a founder. */
const hostWith = (marker: object | undefined): Host => ({
  ...loopback,
  readFile: async () => (marker ? JSON.stringify(marker) : undefined),
  connect: (_address, port) =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(socket));
      socket.once("error", (error) => reject(new TransientError(error.message)));
    }),
});

const founder = { schema: 1, cluster: "lab", node: "fe-1", kind: "fe", founded: true, releases: [] };

class LocalFrontends extends Frontends {
  readonly #hosts: Readonly<Record<string, Host>>;

  constructor(access: ConstructorParameters<typeof Frontends>[0], hosts: Readonly<Record<string, Host>>) {
    super(access);
    this.#hosts = hosts;
  }

  override hostOf({ name }: Contact): Host {
    return this.#hosts[name] ?? hostWith(undefined);
  }
}

const contactOf = (server: SqlServer, index: number): Contact => ({
  name: `fe-${index + 1}`,
  address: `10.0.0.1${index + 1}`,
  role: index === 0 ? "leader" : "follower",
  ports: { http: 8030, rpc: 9020, query: server.port, editLog: 9010 },
  home: "/opt/starrocks/fe",
  metaDir: "/opt/starrocks/fe/meta",
  connection: {},
});

interface Asked {
  readonly cluster?: string;
  readonly connection?: Partial<Connection>;
  readonly hosts?: Readonly<Record<string, Host>>;
  readonly password?: string;
  readonly sql?: number;
}

/** The frontends of servers; `sql` seconds are the limit of a login and of a statement. */
const frontendsOf = (
  servers: readonly SqlServer[],
  { cluster = "lab", connection = {}, hosts = {}, password = "new", sql = 5 }: Asked = {},
) =>
  new LocalFrontends(
    {
      cluster,
      contacts: servers.map(contactOf),
      connection: { host: "127.0.0.1", ...connection },
      sql: { user: "root", password },
      limits: limitsOf({ sql }),
    },
    hosts,
  );

const who = async (sql: Sql, { name }: Contact): Promise<string> => {
  await sql.query("SELECT 1");
  return name;
};

describe("Frontends", () => {
  let servers: readonly [SqlServer, SqlServer, SqlServer];
  let used: Frontends[];
  beforeEach(async () => {
    used = [];
    servers = [await new SqlServer().start(), await new SqlServer().start(), await new SqlServer().start()];
    for (const server of servers) {
      server.passwordHash = hashOf("new");
    }
  });
  afterEach(() => {
    for (const frontends of used) {
      for (const contact of frontends.contacts) {
        frontends.forget(contact);
      }
    }
    for (const server of servers) {
      server.stop();
    }
  });

  const open = (...args: Parameters<typeof frontendsOf>): Frontends => {
    const frontends = frontendsOf(...args);
    used.push(frontends);
    return frontends;
  };

  it("takes the first answer, and is not held up by an FE that is silent", async () => {
    servers[0].silent = true;
    servers[1].stop();
    assert.equal(await open(servers).ask(who), "fe-3");
  });

  it("asks the one that answered last, alone", async () => {
    servers[0].silent = true;
    servers[1].silent = true;
    const frontends = open(servers);
    assert.equal(await frontends.ask(who), "fe-3");
    const before = servers[0].statements.length + servers[1].statements.length;
    assert.equal(await frontends.ask(who), "fe-3");
    assert.equal(servers[0].statements.length + servers[1].statements.length, before);
    assert.equal(servers[2].logins, 1);
  });

  it("shares its sessions with whoever asks the same FEs with the same login", async () => {
    const [only] = servers;
    await open([only]).ask(who);
    await open([only]).ask(who);
    assert.equal(only.logins, 1);
  });

  const apart: readonly (readonly [string, Asked])[] = [
    ["is another cluster", { cluster: "other" }],
    ["goes through another bastion", { connection: { proxy: { host: "10.9.9.9" } } }],
    ["logs in to the host as another user", { connection: { user: "other" } }],
  ];
  for (const [what, asked] of apart) {
    it(`does not share them with whoever ${what}, though FEs and login are alike`, async () => {
      const [only] = servers;
      await open([only]).ask(who);
      await open([only], asked).ask(who);
      assert.equal(only.logins, 2);
    });
  }

  it("goes on to the others when the one that answered last is gone", async () => {
    servers[1].silent = true;
    servers[2].passwordHash = hashOf("another");
    const frontends = open(servers);
    assert.equal(await frontends.ask(who), "fe-1");
    servers[0].stop();
    servers[2].passwordHash = hashOf("new");
    assert.equal(await frontends.ask(who), "fe-3");
  });

  it("opens a new session where the last one was cut", async () => {
    const [only] = servers;
    const frontends = open([only]);
    await frontends.ask(who);
    only.cut();
    assert.equal(await frontends.ask(who), "fe-1");
    assert.equal(only.logins, 2);
  });

  it("answers undefined when nobody does", async () => {
    for (const server of servers) {
      server.silent = true;
    }
    assert.equal(await open(servers, { sql: 0.05 }).ask(who), undefined);
    assert.equal(await open([]).ask(who), undefined);
  });

  it("leaves out the FE that it is told to", async () => {
    servers[1].silent = true;
    assert.equal(await open(servers).ask(who, "fe-1"), "fe-3");
    assert.equal(servers[0].logins, 0);
  });

  it("fails with a refusal, which no waiting heals", async () => {
    await assert.rejects(open(servers, { password: "wrong" }).ask(who), AccessDenied);
  });

  it("prefers an answer to a refusal", async () => {
    servers[0].passwordHash = hashOf("another");
    assert.notEqual(await open(servers).ask(who), undefined);
  });

  it("says so when no FE can be told to change something", async () => {
    servers[0].stop();
    await assert.rejects(
      open([servers[0]]).tell((sql) => sql.query("ALTER SYSTEM ADD BACKEND 'h:9050'")),
      (error) => error instanceof UserError && /No FE answers any more/.test(error.message),
    );
  });

  it("asks anew after an FE was forgotten", async () => {
    const [only] = servers;
    const frontends = open([only]);
    await frontends.ask(who);
    frontends.forget({ name: "fe-1" });
    await frontends.ask(who);
    assert.equal(only.logins, 2);
  });
});

describe("the empty root password", () => {
  let server: SqlServer;
  beforeEach(async () => {
    server = await new SqlServer().start();
  });
  afterEach(() => server.stop());

  const ask = async (marker: object | undefined, password = "new") => {
    const frontends = frontendsOf([server], { hosts: { "fe-1": hostWith(marker) }, password });
    try {
      return await frontends.ask(who);
    } finally {
      frontends.forget({ name: "fe-1" });
    }
  };

  it("is tried where this program founded the cluster, and replaced at once", async () => {
    assert.equal(await ask(founder), "fe-1");
    assert.equal(server.passwordHash, hashOf("new"));
    // Refused with the new one, in with the empty one, in again with the new one.
    assert.equal(server.logins, 3);
  });

  const strangers = [
    { what: "no marker", marker: undefined },
    { what: "a marker of an FE that joined", marker: { ...founder, founded: false } },
    { what: "a marker that says nothing of it", marker: { ...founder, founded: undefined } },
    { what: "a marker that cannot be read", marker: { ...founder, schema: 99 } },
  ];
  for (const { what, marker } of strangers) {
    it(`is not tried with ${what}`, async () => {
      await assert.rejects(ask(marker), AccessDenied);
      assert.equal(server.logins, 1);
      assert.equal(server.passwordHash, "");
    });
  }

  it("is the password when none is declared", async () => {
    assert.equal(await ask(undefined, ""), "fe-1");
    assert.equal(server.logins, 1);
  });

  it("does not stand for a wrong password of a cluster that has one", async () => {
    server.passwordHash = hashOf("old");
    await assert.rejects(ask(founder), AccessDenied);
    assert.equal(server.passwordHash, hashOf("old"));
  });
});
