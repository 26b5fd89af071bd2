import assert from "node:assert/strict";
import { connectionSchema, nameOf, parseConnection, secretsOf } from "../../../provider/host/connection.js";

const key = "-----BEGIN OPENSSH PRIVATE KEY-----\n…";

describe("connectionSchema", () => {
  it("takes the fields of @pulumi/command, and ours, and adds nothing", () => {
    const connection = {
      host: "10.0.0.1",
      port: 2222,
      user: "admin",
      password: "p",
      privateKey: key,
      privateKeyPassword: "q",
      agentSocketPath: "/run/agent",
      dialErrorLimit: -1,
      perDialTimeout: 5,
      hostKey: "ssh-ed25519 AAAA",
      proxy: { host: "bastion", proxy: { host: "outer", port: 23 } },
      knownHosts: ["./known_hosts"],
      become: { user: "starrocks", password: "r", method: "sudo" },
      keepaliveInterval: 1,
      dialPause: 0,
      commandLimit: 1.5,
    };
    assert.deepEqual(parseConnection(connection), connection);
    assert.deepEqual(parseConnection({ host: "a" }), { host: "a" });
  });

  it("leaves out the line end of a password's file", () => {
    const all = (end: string) => ({
      host: "a",
      password: `p${end}`,
      privateKey: `${key}\n`,
      privateKeyPassword: `q${end}`,
      become: { password: `r${end}` },
      proxy: { host: "b", password: `s${end}` },
    });
    for (const end of ["\n", "\r\n"]) {
      assert.deepEqual(parseConnection(all(end)), all(""));
    }
    // What else is there may be meant, and is the host's to judge.
    assert.equal(parseConnection({ host: "a", password: " p q\n\n" }).password, " p q\n");
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ["no host", {}, /^connection\.host: expected an address or host name, got nothing$/],
    ["an unknown field", { host: "a", hots: "b" }, /^connection: .*`hots`; it has host, port/],
    [
      "an unknown field of a proxy",
      { host: "a", proxy: { host: "b", becom: {} } },
      /^connection\.proxy: .*`becom`; it has host, port/,
    ],
    [
      "become on a proxy",
      { host: "a", proxy: { host: "b", become: {} } },
      /^connection\.proxy: .*`become`; it has host, port/,
    ],
    ["a port as text", { host: "a", port: "22" }, /^connection\.port: expected a port number .*, got a string$/],
    ["a port out of range", { host: "a", port: 70000 }, /^connection\.port: expected a port number .*, got 70000/],
    ["a broken port", { host: "a", port: 22.5 }, /^connection\.port: expected a port number .*, got 22\.5$/],
    ["an empty user", { host: "a", user: "" }, /^connection\.user: .*got an empty string$/],
    ["no time for a try", { host: "a", perDialTimeout: 0 }, /^connection\.perDialTimeout: expected .*seconds/],
    ["a path as a key", { host: "a", privateKey: "~/.ssh/id" }, /^connection\.privateKey: .*to give a file, read it/],
    ["an MD5 fingerprint", { host: "a", hostKey: "MD5:aa:bb" }, /^connection\.hostKey: .*SHA256/],
    ["another way to become", { host: "a", become: { method: "su" } }, /^connection\.become\.method: expected `sudo`/],
    [
      "a password for sudo of two lines",
      { host: "a", become: { password: "hunter2\nbecome" } },
      /^connection\.become\.password: expected the password for sudo, which is one line, got several; (?!.*hunter2)/,
    ],
    ["a password for sudo that is a line end only", { host: "a", become: { password: "\n" } }, /got an empty string$/],
    ["no known_hosts file", { host: "a", knownHosts: [] }, /^connection\.knownHosts/],
  ];
  for (const [what, connection, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseConnection(connection), { message });
    });
  }

  it("never shows a secret that is in the wrong place", () => {
    const result = connectionSchema.safeParse({ host: "a", privateKey: "hunter22", password: ["hunter22"] });
    assert.equal(result.success, false);
    assert.doesNotMatch(JSON.stringify(result.error?.issues), /hunter22/);
  });
});

describe("nameOf", () => {
  const cases: readonly (readonly [string, number | undefined, string])[] = [
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", 22, "10.0.0.1"],
    ["10.0.0.1", 2222, "10.0.0.1:2222"],
    ["fd00::1", 2222, "[fd00::1]:2222"],
  ];
  for (const [host, port, name] of cases) {
    it(name, () => assert.equal(nameOf({ host, ...(port === undefined ? {} : { port }) }), name));
  }
});

describe("secretsOf", () => {
  it("finds the secrets of proxies too", () => {
    const connection = { host: "a", password: "1", become: { password: "2" }, proxy: { host: "b", privateKey: "3" } };
    assert.deepEqual(secretsOf(connection), ["1", "2", "3"]);
  });
});
