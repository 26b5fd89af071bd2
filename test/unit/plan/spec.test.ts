import assert from "node:assert/strict";
import type { z } from "zod";
import { limitsOf, limitsSchema } from "../../../provider/plan/limits.js";
import { nodeProblems, storageProblems } from "../../../provider/plan/node-problems.js";
import { releaseIdOf } from "../../../provider/plan/release-id.js";
import { beSpecSchema, feSpecSchema, releaseSchema } from "../../../provider/plan/spec.js";
import { be, fe, releases } from "./specs.js";

const node = {
  cluster: "lab/dev/analytics",
  name: "n-1",
  address: "10.0.0.1",
  release: releases["3.5.7"],
  deployDir: "/opt/starrocks",
};
const backend = { ...node, kind: "be", storage: ["/disk1/sr"] };
const frontend = { ...node, kind: "fe", role: "leader" };
const sha256 = "0123456789abcdef".repeat(4);

/** `path: message` of everything that is wrong. */
const issues = (schema: z.ZodType, value: unknown): readonly string[] => {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

interface Case {
  readonly what: string;
  readonly value: unknown;
  readonly issue: RegExp | undefined;
}

const rows = (schema: z.ZodType, cases: readonly Case[]): void => {
  for (const { what, value, issue } of cases) {
    it(`${issue ? "refuses" : "takes"} ${what}`, () => {
      const found = issues(schema, value);
      if (issue) {
        assert.equal(found.length, 1, found.join("\n") || "nothing was refused");
        assert.match(found[0] ?? "", issue);
      } else {
        assert.deepEqual(found, []);
      }
    });
  }
};

describe("feSpecSchema", () => {
  rows(feSpecSchema, [
    { what: "the least that is needed", value: frontend, issue: undefined },
    {
      what: "an unknown argument, by name",
      value: { ...frontend, metadir: "/m" },
      issue: /`metadir`; it has cluster, name/,
    },
    {
      what: "an unknown port, by name",
      value: { ...frontend, ports: { htpp: 1 } },
      issue: /^ports: .*`htpp`; it has http, rpc/,
    },
    { what: "a port that is none", value: { ...frontend, ports: { http: 70_000 } }, issue: /^ports\.http: .*65535/ },
    { what: "a port 0", value: { ...frontend, ports: { http: 0 } }, issue: /^ports\.http: / },
    {
      what: "a relative metaDir",
      value: { ...frontend, metaDir: "meta" },
      issue: /^metaDir: must be an absolute path/,
    },
    {
      what: "a deployDir with ..",
      value: { ...frontend, deployDir: "/opt/../etc" },
      issue: /^deployDir: must be a plain/,
    },
    {
      what: "a deployDir with / at its end",
      value: { ...frontend, deployDir: "/opt/" },
      issue: /^deployDir: must be a plain/,
    },
    { what: "a role that is none", value: { ...frontend, role: "master" }, issue: /^role: / },
    { what: "a name with a slash", value: { ...frontend, name: "a/b" }, issue: /^name: must consist of letters/ },
    { what: "an address with a port", value: { ...frontend, address: "http://h" }, issue: /^address: must be an IP/ },
    { what: "an address with an SSH port", value: { ...frontend, address: "h:22" }, issue: /^address: must be an IP/ },
    {
      what: "an IPv4 address that is none",
      value: { ...frontend, address: "10.0.0.300" },
      issue: /^address: must be an IP/,
    },
    { what: "an IPv6 address", value: { ...frontend, address: "fd00::1" }, issue: undefined },
    { what: "a DNS name", value: { ...frontend, address: "fe-1.example.com" }, issue: undefined },
    { what: "a setting that is a number", value: { ...frontend, config: { a: 1 } }, issue: /^config\.a: / },
    {
      what: "a version without patch",
      value: { ...frontend, release: { id: "3.5", version: "3.5" } },
      issue:
        /^release\.version: Expected a StarRocks version such as "3\.5\.7", got "3\.5"\. Name the patch release too/,
    },
    {
      what: "an unknown limit, by name",
      value: { ...frontend, limits: { strat: 1 } },
      issue: /^limits: .*`strat`/,
    },
  ]);

  it("fills in home, metaDir and ports", () => {
    const spec = fe();
    assert.equal(spec.home, "/opt/starrocks/fe");
    assert.equal(spec.metaDir, "/opt/starrocks/fe/meta");
    assert.deepEqual(spec.ports, { http: 8030, rpc: 9020, query: 9030, editLog: 9010 });
    assert.equal(fe({ home: "/srv/fe" }).metaDir, "/srv/fe/meta");
  });
});

describe("beSpecSchema", () => {
  rows(beSpecSchema, [
    { what: "the least that is needed", value: backend, issue: undefined },
    {
      what: "folders with their medium",
      value: { ...backend, storage: [{ path: "/d", medium: "SSD" }] },
      issue: undefined,
    },
    {
      what: "no list",
      value: { ...backend, storage: "/disk1" },
      issue: /^storage: must be a list of folders, one for each/,
    },
    { what: "no folder", value: { ...backend, storage: [] }, issue: /^storage: wants at least one folder/ },
    {
      what: "a medium that is none, saying what a folder may be",
      value: { ...backend, storage: [{ path: "/d", medium: "NVMe" }] },
      issue: /^storage\.0: .*HDD.*SSD/,
    },
    { what: "an FE's argument", value: { ...backend, metaDir: "/m" }, issue: /`metaDir`/ },
  ]);

  it("fills in home and ports, and takes storage apart", () => {
    const spec = be({ storage: ["/disk1/sr", "/disk2/sr,medium:ssd", { path: "/disk3/sr", medium: "HDD" }] });
    assert.equal(spec.home, "/opt/starrocks/be");
    assert.deepEqual(spec.ports, { be: 9060, http: 8040, heartbeat: 9050, brpc: 8060, starlet: 9070 });
    assert.deepEqual(spec.storage, [
      { path: "/disk1/sr" },
      { path: "/disk2/sr", medium: "SSD" },
      { path: "/disk3/sr", medium: "HDD" },
    ]);
  });
});

describe("releaseSchema", () => {
  const archive = { version: "3.5.7", sha256, archive: "./StarRocks-3.5.7.tar.gz" };
  const url = { version: "3.5.7", sha256, url: "https://releases.example.com/StarRocks-3.5.7.tar.gz" };
  const { archive: _archive, ...neither } = archive;
  rows(releaseSchema, [
    { what: "an archive", value: archive, issue: undefined },
    { what: "a url", value: url, issue: undefined },
    { what: "both", value: { ...archive, ...url }, issue: /wants either `archive` .* or `url`/ },
    { what: "neither", value: neither, issue: /wants either `archive` .* or `url`/ },
    {
      what: "an address that is none",
      value: { ...url, url: "releases/StarRocks" },
      issue: /^url: must be an http or https/,
    },
    { what: "another protocol", value: { ...url, url: "ftp://h/StarRocks" }, issue: /^url: must be an http or https/ },
    {
      what: "a digest in capitals",
      value: { ...archive, sha256: sha256.toUpperCase() },
      issue: /^sha256: must be 64 lower/,
    },
    {
      what: "a digest that is too short",
      value: { ...archive, sha256: "abc" },
      issue: /^sha256: must be 64 lowercase hex/,
    },
    { what: "`latest`", value: { ...archive, version: "latest" }, issue: /^version: Expected a StarRocks version/ },
    {
      what: "a v before the version",
      value: { ...archive, version: "v3.5.7" },
      issue: /^version: .*Write it without the v/,
    },
    { what: "a pre-release", value: { ...archive, version: "3.5.7-rc1" }, issue: undefined },
  ]);

  it("names a release on a host by version and digest", () => {
    assert.equal(releaseIdOf("3.5.7", sha256), "3.5.7-0123456789ab");
  });
});

describe("limits", () => {
  it("has a default for each, and waits in milliseconds", () => {
    const limits = limitsOf(undefined);
    assert.deepEqual(Object.keys(limits), Object.keys(limitsSchema.shape));
    assert.equal(limits.sql, 10_000);
    assert.equal(limitsOf({ sql: 0.5 }).sql, 500);
    assert.equal(limitsOf({ sql: 0.5 }).start, limits.start);
  });

  rows(limitsSchema, [
    { what: "none", value: {}, issue: undefined },
    { what: "0", value: { start: 0 }, issue: /^start: / },
    { what: "a negative one", value: { start: -1 }, issue: /^start: / },
    { what: "a text", value: { start: "60" }, issue: /^start: / },
    { what: "one that is none, by name", value: { boot: 1 }, issue: /`boot`; it has command, transfer/ },
  ]);
});

describe("nodeProblems", () => {
  const properties = (found: ReturnType<typeof nodeProblems>) => found.map(({ property }) => property);

  it("is silent about defaults", () => {
    assert.deepEqual([...nodeProblems(be()), ...nodeProblems(fe())], []);
  });

  it("names a port that a node has twice, and where", () => {
    assert.deepEqual(nodeProblems(be({ ports: { brpc: 8040 } })), [
      { property: "ports.brpc", reason: "8040 is also ports.http: each port of a node is its own" },
    ]);
  });

  it("refuses settings that an argument says, by the argument", () => {
    const found = nodeProblems(fe({ config: { http_port: "8031", meta_dir: "/m" } }));
    assert.deepEqual(properties(found), ["config.http_port", "config.meta_dir"]);
    assert.match(found[0]?.reason ?? "", /`ports\.http`/);
  });

  it("refuses settings that would take a node out of our hands", () => {
    assert.deepEqual(properties(nodeProblems(be({ config: { PID_DIR: "/run" } }))), ["config.PID_DIR"]);
    assert.deepEqual(properties(nodeProblems(fe({ config: { cluster_id: "1" } }))), ["config.cluster_id"]);
  });

  it("refuses a BE's Java that is said twice", () => {
    const [found] = nodeProblems(be({ javaHome: "/opt/jdk-17", config: { JAVA_HOME: "/opt/jdk-11" } }));
    assert.equal(found?.property, "config.JAVA_HOME");
    assert.match(found.reason, /`javaHome`/);
  });

  it("lets settings through that it does not know", () => {
    assert.deepEqual(nodeProblems(be({ config: { setting_of_2030: "true" } })), []);
  });
});

describe("storageProblems", () => {
  const table: readonly { entries: unknown; reason: RegExp | undefined }[] = [
    { entries: ["/disk1/sr"], reason: undefined },
    { entries: undefined, reason: undefined },
    { entries: ["disk1"], reason: /absolute path/ },
    { entries: ["/disk1/sr.ssd"], reason: /would read the ending "\.ssd" as the storage medium/ },
    { entries: ["/disk1/sr,capacity:10"], reason: /capacity is ignored/ },
    { entries: ["/disk1;/disk2"], reason: /has the character ; in it/ },
    { entries: ["/disk1/sr", "/disk1/sr/"], reason: /is there twice/ },
    { entries: ["/disk1", "/disk1/sr"], reason: /lies inside "\/disk1"/ },
  ];
  for (const { entries, reason } of table) {
    it(`${reason ? "refuses" : "takes"} ${JSON.stringify(entries) ?? "none"}`, () => {
      const found = storageProblems(entries);
      assert.equal(found.length, reason ? 1 : 0);
      if (reason) {
        assert.equal(found[0]?.property, "storage");
        assert.match(found[0]?.reason ?? "", reason);
      }
    });
  }
});
