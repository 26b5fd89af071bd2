import assert from "node:assert/strict";
import { TransientError, UserError } from "../../../provider/error.js";
import type { Contact } from "../../../provider/rollout/frontends.js";
import { askLeader, leaderOf } from "../../../provider/rollout/leader.js";
import { feDefaultPorts } from "../../../provider/starrocks/ports.js";
import type { Frontend } from "../../../provider/starrocks/statements.js";
import { session } from "../starrocks/session.js";

const contact = (name: string, address: string): Contact => ({
  name,
  address,
  role: "follower",
  ports: feDefaultPorts,
  home: "/opt/fe",
  metaDir: "/data/meta",
  connection: {},
});

const row = (address: string, role: Frontend["role"]): Frontend => ({
  name: `${address}_9010_1`,
  address,
  editLogPort: 9010,
  httpPort: 8030,
  queryPort: 9030,
  rpcPort: 9020,
  role,
  join: true,
  alive: true,
  replayedJournalId: 7,
  errMsg: "",
  clusterId: "1",
});

const group = (frontends: readonly Frontend[] | undefined) => {
  const forgotten: string[] = [];
  const asked: string[] = [];
  return {
    forgotten,
    asked,
    contacts: [contact("fe-1", "10.0.0.11"), contact("fe-2", "10.0.0.12")],
    rows: async () => frontends && { frontends, backends: [] },
    through: async ({ name }: Contact) => {
      asked.push(name);
      return session([]);
    },
    forget: ({ name }: { readonly name: string }) => {
      forgotten.push(name);
    },
  };
};

const moved = [row("10.0.0.11", "follower"), row("10.0.0.12", "leader")];

describe("leader", () => {
  it("is the declared FE that leads now, whatever it was declared as", async () => {
    assert.equal((await leaderOf(group(moved)))?.contact.name, "fe-2");
  });

  it("is one that is not declared, too: it is reached from the host of a declared one that is Alive", async () => {
    const down = { ...row("10.0.0.11", "follower"), alive: false };
    const frontends = group([down, row("10.0.0.12", "follower"), { ...row("10.0.0.99", "leader"), queryPort: 9031 }]);
    const { connection, home } = contact("fe-2", "10.0.0.12");
    const { contact: found } = (await leaderOf(frontends)) ?? {};
    assert.deepEqual(
      [found?.name, found?.address, found?.ports.query, found?.connection, found?.home],
      ["10.0.0.99_9010_1", "10.0.0.99", 9031, connection, home],
    );
    assert.equal(await askLeader(frontends, async (_, { row: { address } }) => address), "10.0.0.99");
    assert.deepEqual(frontends.asked, ["10.0.0.99_9010_1"]);
  });

  it("is unknown while nobody answers, and during an election", async () => {
    assert.equal(await leaderOf(group(undefined)), undefined);
    assert.equal(await leaderOf(group([row("10.0.0.11", "unknown")])), undefined);
  });

  it("is asked itself", async () => {
    const frontends = group(moved);
    assert.equal(await askLeader(frontends, async (_, { row: { name } }) => name), "10.0.0.12_9010_1");
    assert.deepEqual(frontends.asked, ["fe-2"]);
    assert.equal(await askLeader(frontends, async () => 1, "fe-2"), undefined);
  });

  it("is forgotten when it goes away, and its refusals are told", async () => {
    const frontends = group(moved);
    const failing = (error: Error) => askLeader(frontends, () => Promise.reject(error));
    assert.equal(await failing(new TransientError("Connection reset")), undefined);
    assert.deepEqual(frontends.forgotten, ["fe-2"]);
    await assert.rejects(failing(new UserError("denied")), /denied/);
  });
});
