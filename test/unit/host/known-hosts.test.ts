import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostKeyPolicy } from "../../../provider/host/host-key.js";
import { fingerprint, linesFor, matchesHost, parseKnownHosts } from "../../../provider/host/known-hosts.js";
import { type KeyPair, keyPair, temporaryFolder } from "./equipment/ssh-keys.js";

const blob = (key: KeyPair): Buffer => Buffer.from(key.public.split(" ")[1] ?? "", "base64");

describe("matchesHost", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1", "10.0.0.11", false],
    ["10.0.0.1", "10a0b0c1", false],
    ["a,b", "b", true],
    ["DB1.Example.com", "db1.example.com", true],
    ["*.example.com", "db1.example.com", true],
    ["*.example.com", "example.com", false],
    ["10.0.0.?", "10.0.0.7", true],
    ["10.0.0.?", "10.0.0.17", false],
    ["*.example.com,!evil.example.com", "evil.example.com", false],
    ["!evil.example.com,*.example.com", "good.example.com", true],
    ["!evil.example.com", "good.example.com", false],
    ["[10.0.0.1]:2222", "[10.0.0.1]:2222", true],
    ["[10.0.0.1]:2222", "10.0.0.1", false],
    ["[10.0.0.*]:2222", "[10.0.0.9]:2222", true],
    ["*", "anything", true],
    ["|1|broken", "anything", false],
  ];
  for (const [patterns, name, expected] of cases) {
    it(`${patterns} ${expected ? "is" : "is not"} about ${name}`, () => {
      assert.equal(matchesHost(patterns, name), expected);
    });
  }
});

describe("known_hosts", () => {
  const folder = temporaryFolder();
  const file = join(folder, "known_hosts");
  let ed25519: KeyPair;
  let other: KeyPair;
  let rsa: KeyPair;

  before(() => {
    ed25519 = keyPair(folder, "ed25519");
    other = keyPair(folder, "other");
    rsa = keyPair(folder, "rsa", "rsa");
  });

  const refusal = (lines: string, key: KeyPair, more: { readonly port?: number; readonly hostKey?: string } = {}) => {
    writeFileSync(file, lines);
    return hostKeyPolicy({ host: "db1", knownHosts: file, ...more }).refusal(blob(key))?.message;
  };

  it("passes over comments and lines that make no sense", () => {
    const lines = parseKnownHosts(
      `# db1 ${ed25519.public}\n\ndb1\ndb1 ssh-rsa ${blob(ed25519).toString("base64")}\n@strange db1 ${ed25519.public}\n` +
        `db1 ${ed25519.public} a comment\r\n`,
      "f",
    );
    assert.deepEqual(
      lines.map(({ line, type }) => [line, type]),
      [[6, "ssh-ed25519"]],
    );
  });

  it("computes the fingerprint that ssh-keygen prints", () => {
    assert.equal(fingerprint(blob(ed25519)), ed25519.fingerprint);
  });

  it("reads lines that ssh-keygen has hashed", () => {
    writeFileSync(file, `db1,10.0.0.1 ${ed25519.public}\n[db1]:2222 ${other.public}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const content = readFileSync(file, "utf8");
    assert.match(content, /^\|1\|/);
    const lines = parseKnownHosts(content, file);
    assert.deepEqual(
      linesFor(lines, "DB1", 22).exact.map(({ key }) => fingerprint(key)),
      [ed25519.fingerprint],
    );
    assert.deepEqual(
      linesFor(lines, "db1", 2222).exact.map(({ key }) => fingerprint(key)),
      [other.fingerprint],
    );
    assert.equal(linesFor(lines, "10.0.0.1", 22).exact.length, 1);
    assert.equal(linesFor(lines, "10.0.0.2", 22).exact.length, 0);
  });

  it("trusts a key that a line has, among others of other types", () => {
    assert.equal(refusal(`db1 ${rsa.public}\ndb1 ${ed25519.public}\n`, ed25519), undefined);
  });

  it("lets a line without port vouch for another port, as OpenSSH does, but not contradict it", () => {
    assert.equal(refusal(`db1 ${ed25519.public}\n`, ed25519, { port: 2222 }), undefined);
    assert.match(refusal(`db1 ${other.public}\n`, ed25519, { port: 2222 }) ?? "", /no line of .* is about this host/);
  });

  it("does not let a line without port vouch when there is one with it", () => {
    const lines = `db1 ${ed25519.public}\n[db1]:2222 ${other.public}\n`;
    assert.match(refusal(lines, ed25519, { port: 2222 }) ?? "", /known_hosts line 2 has/);
  });

  it("says what to do about an unknown host", () => {
    const message = refusal(`db2 ${ed25519.public}\n`, ed25519, { port: 2222 }) ?? "";
    assert.match(message, /^db1:2222 shows the ssh-ed25519 key SHA256:/);
    assert.ok(message.includes(ed25519.fingerprint));
    assert.ok(message.includes(`no line of ${file} is about this host`));
    assert.match(message, /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/);
    assert.match(message, /ssh-keyscan -t ed25519 -p 2222 db1/);
  });

  it("names the line and both fingerprints when the key is another one", () => {
    const message = refusal(`# nothing\ndb1 ${other.public}\n`, ed25519) ?? "";
    assert.ok(message.includes(`${file} line 2 has the ssh-ed25519 key ${other.fingerprint}`));
    assert.ok(message.includes(ed25519.fingerprint));
  });

  it("refuses a revoked key even if another line has it", () => {
    const message = refusal(`db1 ${ed25519.public}\n@revoked * ${ed25519.public}\n`, ed25519) ?? "";
    assert.match(message, /line 2 marks as revoked/);
  });

  it("says that certificates cannot be checked when only an authority is trusted", () => {
    const message = refusal(`@cert-authority db* ${other.public}\n`, ed25519) ?? "";
    assert.match(message, /line 1 trusts only certificates of the authority SHA256:/);
    assert.match(message, /add a plain line for the host, or set `hostKey`/);
  });

  it("asks first for the key types that are known", () => {
    writeFileSync(file, `db1 ${rsa.public}\n`);
    const { algorithms } = hostKeyPolicy({ host: "db1", knownHosts: file });
    assert.deepEqual(algorithms.slice(0, 3), ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
    assert.ok(!algorithms.includes("ssh-rsa"), "no SHA-1 signatures");
  });

  it("says which given file cannot be read", () => {
    assert.throws(() => hostKeyPolicy({ host: "db1", knownHosts: [join(folder, "none")] }), /`knownHosts`.*ENOENT/);
  });

  describe("hostKey", () => {
    it("wins over the files, as a line, a line of ssh-keyscan, or a fingerprint", () => {
      const files = `db1 ${other.public}\n`;
      for (const hostKey of [
        ed25519.public,
        `${ed25519.public} comment`,
        `db1 ${ed25519.public}`,
        ed25519.fingerprint,
      ]) {
        assert.equal(refusal(files, ed25519, { hostKey }), undefined);
        assert.match(refusal(files, other, { hostKey }) ?? "", /but `hostKey` is SHA256:/);
      }
    });

    it("must be a key", () => {
      assert.throws(() => hostKeyPolicy({ host: "db1", hostKey: "ssh-ed25519 nonsense" }), /Expected `hostKey` of db1/);
    });
  });
});
