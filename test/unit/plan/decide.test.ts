import assert from "node:assert/strict";
import { type Action, changeText, decide, refusals, type Status, stopsNode } from "../../../provider/plan/node.js";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import { be, fe, releases } from "./specs.js";

const next = releases["3.5.7"];

/** What becomes of a node that was recorded as `old` and is declared as `declared`. */
const decided = (old: NodeSpec, declared: NodeSpec, status: Status = "running"): Action =>
  decide({ spec: old, status }, declared);

describe("decide", () => {
  it("creates what is not recorded", () => {
    assert.deepEqual(decide(undefined, be()), { type: "create" });
  });

  it("does nothing to a running node that is as declared", () => {
    assert.deepEqual(decided(be(), be()), { type: "none" });
    assert.deepEqual(decided(fe(), fe()), { type: "none" });
  });

  const effects: readonly { what: string; old: NodeSpec; next: NodeSpec; action: Action }[] = [
    {
      what: "another setting",
      old: be(),
      next: be({ config: { mem_limit: "80%" } }),
      action: { type: "restart", fields: ["mem_limit"] },
    },
    {
      what: "a setting that is no longer declared",
      old: be({ config: { mem_limit: "80%" } }),
      next: be(),
      action: { type: "restart", fields: ["mem_limit"] },
    },
    {
      what: "another port and JDK",
      old: fe(),
      next: fe({ ports: { rpc: 9021 }, javaHome: "/opt/jdk" }),
      action: { type: "restart", fields: ["ports", "javaHome"] },
    },
    {
      what: "one more disk",
      old: be(),
      next: be({ storage: ["/disk1/starrocks", "/disk2/starrocks"] }),
      action: { type: "restart", fields: ["storage"] },
    },
    {
      what: "limits only",
      old: be(),
      next: be({ limits: { start: 60 } }),
      action: { type: "record", fields: ["limits"] },
    },
    {
      what: "leadership of the declaration only",
      old: fe({ role: "follower" }),
      next: fe({ role: "leader" }),
      action: { type: "record", fields: ["role"] },
    },
    {
      what: "adoption only",
      old: be(),
      next: be({ adopt: true }),
      action: { type: "record", fields: ["adopt"] },
    },
    {
      what: "another version",
      old: be(),
      next: be({ release: next }),
      action: { type: "version", from: releases["3.5.6"], to: next, fields: [] },
    },
    {
      what: "another build of the same version",
      old: be(),
      next: be({ release: { id: "3.5.6-cccccccccccc", version: "3.5.6" } }),
      action: {
        type: "version",
        from: releases["3.5.6"],
        to: { id: "3.5.6-cccccccccccc", version: "3.5.6" },
        fields: [],
      },
    },
    {
      what: "another version and another setting, in one restart",
      old: be(),
      next: be({ release: next, config: { mem_limit: "80%" }, limits: { stop: 5 } }),
      action: { type: "version", from: releases["3.5.6"], to: next, fields: ["mem_limit"] },
    },
  ];
  for (const { what, old, next: declared, action } of effects) {
    it(`takes ${what} for: ${action.type}`, () => assert.deepEqual(decided(old, declared), action));
  }

  for (const status of ["failed", "stopped", "unreachable"] as const) {
    it(`repairs a node that is ${status}, and no less when only its limits changed`, () => {
      assert.deepEqual(decided(be(), be(), status), { type: "repair", status });
      assert.deepEqual(decided(be(), be({ limits: { start: 60 } }), status), { type: "repair", status });
    });

    it(`goes on with the change of a node that is ${status}`, () => {
      assert.equal(decided(be(), be({ release: next }), status).type, "version");
      assert.equal(decided(be(), be({ config: { mem_limit: "80%" } }), status).type, "restart");
    });
  }

  it("does not take a default that is spelt out for a change", () => {
    const spelt = fe({
      home: "/opt/starrocks/fe",
      metaDir: "/opt/starrocks/fe/meta",
      ports: { http: 8030 },
      config: {},
    });
    assert.deepEqual(decided(fe(), spelt), { type: "none" });
    assert.deepEqual(decided(be(), be({ storage: [{ path: "/disk1/starrocks" }] })), { type: "none" });
  });

  it("does not take settings in another order for a change", () => {
    const old = be({ config: { a: "1", b: "2" } });
    assert.deepEqual(decided(old, be({ config: { b: "2", a: "1" } })), { type: "none" });
  });
});

describe("stopsNode and changeText", () => {
  const spec = be({ release: next });
  const texts: readonly { action: Action; text: string; stops: boolean }[] = [
    { action: { type: "none" }, text: "", stops: false },
    { action: { type: "record", fields: ["limits"] }, text: "only recorded: limits", stops: false },
    { action: { type: "create" }, text: "first start with 3.5.7", stops: false },
    { action: { type: "repair", status: "stopped" }, text: "repair (was stopped)", stops: false },
    { action: { type: "restart", fields: ["mem_limit", "ports"] }, text: "restart for mem_limit, ports", stops: true },
    {
      action: { type: "version", from: releases["3.5.6"], to: next, fields: [] },
      text: "3.5.6 → 3.5.7",
      stops: true,
    },
    {
      action: { type: "version", from: { id: "3.5.7-cccccccccccc", version: "3.5.7" }, to: next, fields: [] },
      text: "3.5.7, another build (3.5.7-cccccccccccc → 3.5.7-bbbbbbbbbbbb)",
      stops: true,
    },
  ];
  for (const { action, text, stops } of texts) {
    it(`${action.type}: ${text || "nothing to say"}`, () => {
      assert.equal(changeText(action, spec), text);
      assert.equal(stopsNode(action), stops);
    });
  }
});

describe("refusals", () => {
  const anewBe =
    /\. Remove this BE with one `pulumi up` .* declare it with the new `\w+` in the next; where it is the only BE/;
  const anewFe =
    /\. Remove this FE with one `pulumi up` .* declare it with the new `\w+` in the next; where it is the declared/;
  const kept: readonly { field: string; old: NodeSpec; next: NodeSpec; advice: RegExp }[] = [
    {
      field: "cluster",
      old: be(),
      next: be({ cluster: "lab/dev/other" }),
      advice: new RegExp(`declare \`key: "${be().cluster}"\`\\.$`),
    },
    { field: "name", old: be(), next: be({ name: "be-2" }), advice: /another resource .* with `adopt: true`/ },
    { field: "address", old: be(), next: be({ address: "10.0.0.22" }), advice: anewBe },
    { field: "home", old: be(), next: be({ home: "/srv/be" }), advice: anewBe },
    { field: "deployDir", old: fe(), next: fe({ deployDir: "/srv" }), advice: anewFe },
    { field: "metaDir", old: fe(), next: fe({ metaDir: "/data/meta" }), advice: anewFe },
    {
      field: "kind",
      old: be(),
      next: fe({ home: "/opt/starrocks/be", name: "be-1", address: "10.0.0.21" }),
      advice: /Declare another one, and remove this one/,
    },
  ];
  for (const { advice, field, old, next: declared } of kept) {
    it(`names \`${field}\`, what is recorded and what is declared, and what to do instead`, () => {
      const refusal = refusals(old, declared).find(({ property }) => property === field);
      assert.ok(refusal, `no refusal of ${field}`);
      assert.match(refusal.reason, /^cannot change on an existing node \(recorded `.+`, declared `.+`\): /);
      assert.match(refusal.reason, advice);
    });
  }

  const moved: readonly { what: string; old: NodeSpec; next: NodeSpec; fields: readonly string[] }[] = [
    { what: "the default home", old: be(), next: be({ deployDir: "/srv" }), fields: ["deployDir"] },
    { what: "the default metaDir", old: fe(), next: fe({ home: "/srv/fe" }), fields: ["home"] },
    { what: "both", old: fe(), next: fe({ deployDir: "/srv" }), fields: ["deployDir"] },
    {
      what: "a home of another name",
      old: fe(),
      next: fe({ deployDir: "/srv", home: "/srv/frontend" }),
      fields: ["home", "deployDir"],
    },
  ];
  for (const { fields, next: declared, old, what } of moved) {
    it(`says once what moves, with ${what} in it`, () => {
      assert.deepEqual(
        refusals(old, declared).map(({ property }) => property),
        fields,
      );
    });
  }

  it("refuses each folder that is taken away from a BE, by its path", () => {
    const old = be({ storage: ["/disk1/starrocks", "/disk2/starrocks", "/disk3/starrocks"] });
    const found = refusals(old, be({ storage: ["/disk2/starrocks", "/disk4/starrocks"] }));
    assert.deepEqual(
      found.map(({ property, reason }) => [property, reason.split(" ")[0]]),
      [
        ["storage", "/disk1/starrocks"],
        ["storage", "/disk3/starrocks"],
      ],
    );
    assert.match(found[0]?.reason ?? "", /Decommission the BE instead/);
  });

  it("lets the order of folders and their medium change", () => {
    const old = be({ storage: ["/disk1/starrocks", "/disk2/starrocks"] });
    assert.deepEqual(refusals(old, be({ storage: ["/disk2/starrocks,medium:SSD", "/disk1/starrocks"] })), []);
  });

  const ports: readonly { what: string; old: NodeSpec; next: NodeSpec; advice?: RegExp }[] = [
    {
      what: "ports.editLog",
      old: fe(),
      next: fe({ ports: { editLog: 9011 } }),
      advice: /Remove this FE with one `pulumi up`/,
    },
    {
      what: "ports.query",
      old: fe(),
      next: fe({ ports: { query: 9031 } }),
      advice: /Remove this FE with one `pulumi up`/,
    },
    {
      what: "ports.http",
      old: fe(),
      next: fe({ ports: { http: 8031 } }),
      advice: /Remove the other FEs, change it on the only one/,
    },
    { what: "ports.rpc", old: fe(), next: fe({ ports: { rpc: 9021 } }) },
    {
      what: "ports.heartbeat",
      old: be(),
      next: be({ ports: { heartbeat: 9051 } }),
      advice: /Remove this BE with one `pulumi up`/,
    },
    {
      what: "ports.be, http, brpc and starlet",
      old: be(),
      next: be({ ports: { be: 9061, http: 8041, brpc: 8061, starlet: 9071 } }),
    },
  ];
  for (const { what, old, next: declared, advice } of ports) {
    it(`${advice ? "refuses" : "lets"} ${what} of ${declared.kind === "fe" ? "an FE" : "a BE"} ${advice ? "to " : ""}change`, () => {
      const [refusal, ...more] = refusals(old, declared);
      assert.deepEqual(more, []);
      assert.equal(refusal?.property, advice && what);
      assert.match(refusal?.reason ?? "", advice ?? /^$/);
      assert.match(
        refusal?.reason ?? "",
        advice ? /^cannot change on an existing [FB]E \(recorded `\d+`, declared `\d+`\)/ : /^$/,
      );
    });
  }

  it("lets the http port of the only FE change, and no other port by which it is found", () => {
    assert.deepEqual(refusals(fe(), fe({ ports: { http: 8031 } }), true), []);
    assert.equal(refusals(fe(), fe({ ports: { http: 8031, query: 9031 } }), true)[0]?.property, "ports.query");
  });

  const roles = [
    { from: "leader", to: "follower", refused: false },
    { from: "follower", to: "leader", refused: false },
    { from: "follower", to: "observer", refused: true },
    { from: "leader", to: "observer", refused: true },
    { from: "observer", to: "follower", refused: true },
  ];
  for (const { from, to, refused } of roles) {
    it(`${refused ? "refuses" : "allows"} to make a ${from} a ${to}`, () => {
      const found = refusals(fe({ role: from }), fe({ role: to }));
      assert.deepEqual(
        found.map(({ property }) => property),
        refused ? ["role"] : [],
      );
    });
  }

  it("says nothing of what can be done in place", () => {
    const changed = be({ release: next, config: { a: "1" }, ports: { http: 8041 }, limits: { start: 9 }, adopt: true });
    assert.deepEqual(refusals(be(), changed), []);
  });
});
