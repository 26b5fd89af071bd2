import assert from "node:assert/strict";
import { logFiles } from "../../../provider/starrocks/log-files.js";

const home = "/opt/starrocks/fe";
const rows: readonly {
  readonly what: string;
  readonly conf: Readonly<Record<string, string>>;
  readonly log: string;
  readonly out: string;
}[] = [
  { what: "nothing", conf: {}, log: `${home}/log`, out: `${home}/log` },
  {
    what: "the release's own lines",
    conf: { LOG_DIR: `\${STARROCKS_HOME}/log` },
    log: `${home}/log`,
    out: `${home}/log`,
  },
  { what: "LOG_DIR", conf: { LOG_DIR: "/var/log/fe" }, log: `${home}/log`, out: "/var/log/fe" },
  {
    what: "LOG_DIR in a shell's words",
    conf: { LOG_DIR: '"$STARROCKS_HOME/out"' },
    log: `${home}/log`,
    out: `${home}/out`,
  },
  { what: "sys_log_dir", conf: { sys_log_dir: "/var/log/fe" }, log: "/var/log/fe", out: `${home}/log` },
  {
    what: "both, one by the other",
    conf: { LOG_DIR: "/var/log/fe", sys_log_dir: `\${LOG_DIR}/more` },
    log: "/var/log/fe/more",
    out: "/var/log/fe",
  },
  { what: "what only the host knows", conf: { LOG_DIR: `/logs/\${DATE}` }, log: `${home}/log`, out: `${home}/log` },
];

describe("logFiles", () => {
  for (const { what, conf, log, out } of rows) {
    it(`of a conf file with ${what}`, () => {
      const files = logFiles("fe", home, new Map(Object.entries(conf)));
      assert.deepEqual(files, [`${log}/fe.log`, `${log}/fe.warn.log`, `${out}/fe.out`]);
    });
  }

  it("of a BE are glog's and what the start script writes", () => {
    const conf = new Map([["LOG_DIR", "/var/log/be"]]);
    const files = ["/opt/be/log/be.INFO", "/opt/be/log/be.WARNING", "/var/log/be/be.out"];
    assert.deepEqual(logFiles("be", "/opt/be", conf), files);
  });
});
