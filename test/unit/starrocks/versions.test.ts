import assert from "node:assert/strict";
import {
  compareVersions,
  features,
  jdkNeed,
  jump,
  parseVersion,
  runsVersion,
  stopFlags,
  versionOf,
  versionProblem,
} from "../../../provider/starrocks/versions.js";

describe("versions", () => {
  describe("parseVersion", () => {
    for (const text of ["3.5.7", "2.0.0", "3.5.7-rc1", "3.5.7-ee", "3.3.14-ee-5b29ea9", "4.0.0-rc01"]) {
      it(`accepts ${text}`, () => assert.equal(parseVersion(text)?.text, text));
    }
    for (const text of [
      "3.5",
      "latest",
      "v3.5.7",
      "",
      "3.5.7 ",
      "3.5.07",
      "3.5.7-",
      "3.5.7.1",
      "3.5.7-a/b",
      "3.5.7\n",
    ]) {
      it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseVersion(text), undefined));
    }
    it("gives the parts", () => {
      assert.deepEqual(parseVersion("3.10.2-rc1"), {
        text: "3.10.2-rc1",
        major: 3,
        minor: 10,
        patch: 2,
        suffix: "rc1",
      });
    });
  });

  describe("versionProblem", () => {
    const rows: [string, RegExp][] = [
      ["v3.5.7", /without the v: "3\.5\.7"/],
      ["3.5", /such as "3\.5\.0"/],
      ["latest", /Name one release/],
    ];
    for (const [text, problem] of rows) {
      it(`advises on ${text}`, () => assert.match(versionProblem(text) ?? "", problem));
    }
    it("has nothing to say about a version", () => assert.equal(versionProblem("3.5.7"), undefined));
  });

  describe("compareVersions", () => {
    const rows: [string, string, number][] = [
      ["3.3.10", "3.3.9", 1],
      ["3.5.7", "3.5.7", 0],
      ["3.5.7-rc1", "3.5.7", -1],
      ["3.5.7-rc1", "3.5.6", 1],
      ["3.5.7-rc10", "3.5.7-rc9", 1],
      ["3.5.7-rc01", "3.5.7-RC1", 0],
      ["3.5.7-ee", "3.5.7", 0],
      ["3.5.7-ee", "3.5.8", -1],
      ["4.0.0", "3.10.9", 1],
    ];
    for (const [a, b, order] of rows) {
      it(`${a} to ${b} is ${order}`, () => {
        assert.equal(compareVersions(versionOf(a), versionOf(b)), order);
        assert.equal(compareVersions(versionOf(b), versionOf(a)) + order, 0);
      });
    }
  });

  describe("jump", () => {
    const rows: [string, string, string, string][] = [
      ["3.5.7", "3.5.7", "same", "patch"],
      ["3.5.7", "3.5.7-ee", "same", "patch"],
      ["3.5.7", "3.5.8", "up", "patch"],
      ["3.5.7", "3.5.7-rc1", "down", "patch"],
      ["3.4.9", "3.5.0", "up", "minor"],
      ["3.3.0", "3.5.0", "up", "minor"],
      ["4.0.0", "3.5.9", "down", "major"],
    ];
    for (const [from, to, direction, size] of rows) {
      it(`${from} to ${to} is ${direction} by a ${size}`, () =>
        assert.deepEqual(jump(versionOf(from), versionOf(to)), { direction, size }));
    }
  });

  describe("runsVersion", () => {
    const rows: [string | undefined, string, boolean][] = [
      ["3.5.7-d2da301", "3.5.7", true],
      ["3.5.7", "3.5.7", true],
      ["StarRocks version 2.5.0", "2.5.0", true],
      ["3.3.14-ee-5b29ea9", "3.3.14-ee", true],
      ["3.5.7-rc1-d2da301", "3.5.7-rc1", true],
      ["3.5.70-d2da301", "3.5.7", false],
      ["3.5.7-rc1", "3.5.7", false],
      ["3.5.7-rc1-d2da301", "3.5.7", false],
      ["3.3.14-ee-5b29ea9", "3.3.14", false],
      ["3.5.7-d2da30", "3.5.7", false],
      ["8.0.33", "3.5.7", false],
      ["", "3.5.7", false],
      [undefined, "3.5.7", false],
    ];
    for (const [reported, declared, runs] of rows) {
      it(`${reported} ${runs ? "runs" : "does not run"} ${declared}`, () =>
        assert.equal(runsVersion(reported, declared), runs));
    }
  });

  describe("stopFlags", () => {
    const wish = { graceful: true, timeoutSeconds: 59.5 };
    const rows: [string, "fe" | "be" | "cn", string][] = [
      ["2.5.0", "fe", ""],
      ["3.4.1", "fe", ""],
      ["3.4.2", "fe", "--graceful --timeout 60"],
      ["2.3.0", "be", ""],
      ["3.0.9", "be", ""],
      ["3.1.0", "be", "--graceful"],
      ["3.3.5", "be", "--graceful"],
      ["3.4.7", "be", "--graceful --timeout 60"],
      ["3.4.0-rc1", "be", "--graceful --timeout 60"],
      ["3.4.0", "cn", "--graceful"],
      ["3.5.0", "cn", "--graceful --timeout 60"],
    ];
    for (const [version, kind, flags] of rows) {
      it(`passes ${flags || "nothing"} to stop_${kind}.sh of ${version}`, () =>
        assert.equal(stopFlags(versionOf(version), kind, wish).join(" "), flags));
    }
    it("passes nothing that is not wished for", () =>
      assert.deepEqual(stopFlags(versionOf("3.5.7"), "be", { graceful: false }), []));
  });

  describe("features", () => {
    const recovery: [string, string][] = [
      ["2.5.0", "metadata_failure_recovery"],
      ["3.1.9", "metadata_failure_recovery"],
      ["3.1.10", "bdbje_reset_election_group"],
      ["3.2.4", "metadata_failure_recovery"],
      ["3.2.5", "bdbje_reset_election_group"],
      ["3.5.7", "bdbje_reset_election_group"],
    ];
    for (const [version, key] of recovery) {
      it(`knows the recovery key of ${version}`, () => assert.equal(features(versionOf(version)).recoveryKey, key));
    }
    it("knows the BE's HTTP key by line", () => {
      assert.equal(features(versionOf("2.5.0")).beHttpPortKey, "webserver_port");
      assert.equal(features(versionOf("3.1.0")).beHttpPortKey, "be_http_port");
    });
  });

  describe("jdkNeed", () => {
    const rows: [string, string, string][] = [
      ["2.3.0", "8 11", "9 10 17 21"],
      ["3.1.5", "8 11 17 21", "9 10"],
      ["3.3.0", "11 17 21", "8 10"],
      ["3.5.7", "17 21", "8 11"],
    ];
    for (const [version, fits, not] of rows) {
      it(`${version} takes ${fits}, not ${not}`, () => {
        const need = jdkNeed(versionOf(version));
        assert.ok(fits.split(" ").map(Number).every(need.fits));
        assert.ok(!not.split(" ").map(Number).some(need.fits));
      });
    }
  });
});
