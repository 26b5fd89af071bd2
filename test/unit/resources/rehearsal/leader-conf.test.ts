import assert from "node:assert/strict";
import { inputsOf } from "../../../../provider/resources/rehearsal/inputs.js";
import { leaderConf } from "../../../../provider/resources/rehearsal/leader-conf.js";
import { applySettings, parseConf } from "../../../../provider/starrocks/conf.js";
import { sample } from "../samples.js";

const [leader] = inputsOf(sample("rehearsal")).frontends;
assert.ok(leader);

// Written when JAVA_OPTS and qe_max_connection were declared, and edited by somebody since.
const released = "JAVA_OPTS = -Xmx8g\nhttp_port = 8030\n";
const found = `${applySettings(released, { JAVA_OPTS: "-Xmx9g", qe_max_connection: "9" })}audit_log_modules = slow\n`;

const rows = [
  { what: "the file as it is, where nothing is told", told: {}, JAVA_OPTS: "-Xmx9g", connections: "9" },
  { what: "the release's own, where all is taken back", told: { config: {} }, JAVA_OPTS: "-Xmx8g" },
  { what: "what is declared for all", told: { config: { JAVA_OPTS: "-Xmx4g" } }, JAVA_OPTS: "-Xmx4g" },
  {
    what: "what is declared for it alone, and not for others",
    told: {
      config: { JAVA_OPTS: "-Xmx4g", qe_max_connection: "7" },
      ownConfig: { [leader.name]: { JAVA_OPTS: "-Xmx5g" }, another: { JAVA_OPTS: "-Xmx6g" } },
    },
    JAVA_OPTS: "-Xmx5g",
    connections: "7",
  },
];

describe("the fe.conf that the leader is going to have", () => {
  for (const { connections, told, what, ...said } of rows) {
    it(`says ${what}`, () => {
      const conf = parseConf(leaderConf(found, leader, inputsOf({ ...sample("rehearsal"), ...told })));
      assert.equal(conf.get("JAVA_OPTS"), said.JAVA_OPTS);
      assert.equal(conf.get("qe_max_connection"), connections);
      assert.equal(conf.get("audit_log_modules"), "slow");
      assert.equal(conf.get("query_port"), String(leader.ports.query));
    });
  }
});
