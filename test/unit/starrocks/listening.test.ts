import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import {
  addressOf,
  describeListener,
  inTheWay,
  type Listener,
  listening,
  plainAddress,
} from "../../../provider/starrocks/listening.js";
import { localHost } from "./local-host.js";
import { isRoot, nobody } from "./toy.js";

describe("listening", () => {
  let servers: Server[];
  beforeEach(() => {
    servers = [];
  });
  afterEach(() => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))));

  const listen = async (address: string): Promise<number> => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, address, resolve);
    });
    return (server.address() as AddressInfo).port;
  };

  it("names the process that listens, and nobody on a free port, in one round trip", async () => {
    const host = localHost();
    const port = await listen("127.0.0.1");
    const free = await listen("127.0.0.1");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const [listener, ...more] = await listening(host, [port, free]);
    assert.equal(host.trips, 1);
    assert.deepEqual(more, []);
    assert.ok(listener);
    assert.deepEqual([listener.port, listener.address, listener.process?.pid], [port, "127.0.0.1", process.pid]);
    assert.match(
      describeListener(listener),
      new RegExp(`^port ${port} of 127\\.0\\.0\\.1 is taken by process ${process.pid} \\(`),
    );
    assert.deepEqual(await listening(host, []), []);
  });

  it("names the user alone when the process is another's", async function () {
    if (!isRoot) {
      this.skip();
    }
    const [listener] = await listening(localHost(nobody), [await listen("127.0.0.1")]);
    assert.ok(listener);
    assert.match(describeListener(listener), /is taken by a process of user root$/);
  });

  it("reads addresses as the kernel writes them", () => {
    assert.equal(addressOf("0100007F"), "127.0.0.1");
    assert.equal(addressOf("00000000000000000000000000000000"), "::");
    assert.equal(addressOf("000000FD000000000000000002000000"), "fd00::2");
    assert.equal(addressOf("0000000000000000FFFF00000100007F"), "127.0.0.1");
  });

  it("writes an address one way", () => {
    assert.equal(plainAddress("FD00:0:0::0002"), "fd00::2");
    assert.equal(plainAddress("10.0.0.1"), "10.0.0.1");
    assert.equal(plainAddress("fe-1.example"), "fe-1.example");
  });

  describe("in the way of a node", () => {
    const on = (address: string, pid?: number, user = "root"): Listener => ({
      port: 9060,
      address,
      user,
      ...(pid !== undefined && { process: { pid, name: "some", cmdline: "some" } }),
    });
    const all = [on("0.0.0.0"), on("127.0.0.2"), on("::"), on("10.0.0.5"), on("127.0.0.1")];
    const cases: readonly (readonly [string, string, readonly Listener[]])[] = [
      ["are those on every address of the host, as StarRocks takes its ports on all of them", "10.0.0.5", all],
      ["are those on every address where the node is known by a name", "be-1.example", all],
      ["are those on every address of IPv6", "fd00::2", all],
      [
        "of a loopback address are those on it: others are other hosts' there",
        "127.0.0.3",
        [all[0], all[2]] as Listener[],
      ],
      ["of a loopback address are those on it, and on all", "127.0.0.2", all.slice(0, 3)],
    ];
    for (const [name, address, expected] of cases) {
      it(name, () => assert.deepEqual(inTheWay(all, address), expected));
    }

    it("are not its own", () => {
      const other = on("0.0.0.0", 2);
      assert.deepEqual(inTheWay([on("::", 1), other], "10.0.0.5", { pid: 1, user: "starrocks" }), [other]);
    });

    it("are not those of its user, where nobody can see whose they are", () => {
      const other = on("0.0.0.0");
      const node = { pid: 1, user: "starrocks" };
      assert.deepEqual(inTheWay([on("::", undefined, "starrocks"), other], "10.0.0.5", node), [other]);
      assert.deepEqual(inTheWay([on("::", undefined, "starrocks")], "10.0.0.5").length, 1);
    });
  });
});
