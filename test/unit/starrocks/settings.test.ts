import assert from "node:assert/strict";
import { checkSettings } from "../../../provider/starrocks/settings.js";

describe("settings", () => {
  const refused: [string, "fe" | "be" | "cn", string, string, RegExp][] = [
    ["an argument's key", "fe", "http_port", "8031", /argument `ports\.http`/],
    ["storage", "be", "storage_root_path", "/d", /argument `storage`/],
    ["meta_dir", "fe", "meta_dir", "/d", /argument `metaDir`/],
    ["PID_DIR", "be", "PID_DIR", "/run", /pid file/],
    ["cluster_id", "fe", "cluster_id", "1", /identity/],
    ["the recovery key", "fe", "bdbje_reset_election_group", "true", /out of its group/],
    ["the old recovery key", "fe", "metadata_failure_recovery", "true", /out of its group/],
    ["a line break", "be", "a", "1\nb = 2", /one line/],
    ["a backslash at the end", "fe", "a", "1\\", /backslash/],
    ["a key with blanks", "fe", "a b", "1", /Expected a key/],
    ["a key that would be a comment", "be", "#a", "1", /Expected a key/],
    ["a command substitution", "fe", "JAVA_OPTS", "-Da=$(id)", /command substitution/],
    ["a quoted command substitution", "fe", "JAVA_OPTS", '"$(id)"', /command substitution/],
    ["backticks", "fe", "JAVA_OPTS", "`id`", /command substitution/],
    ["a command after a semicolon", "fe", "JAVA_OPTS", "-Xmx1g; touch /x", /";"/],
    ["a pipe", "be", "JAVA_OPTS", "-Xmx1g | cat", /"\|"/],
    ["an open quote", "fe", "JAVA_OPTS", '"-Xmx1g', /quotes/],
  ];
  for (const [name, kind, key, value, message] of refused) {
    it(`refuses ${name}`, () => {
      const [problem, ...more] = checkSettings(kind, { [key]: value });
      assert.equal(problem?.key, key);
      assert.match(problem?.message ?? "", message);
      assert.deepEqual(more, []);
    });
  }
  const allowed: [string, string][] = [
    ["priority_networks", "10.0.0.0/24;10.1.0.0/24"],
    ["no_such_key", "$(id) is plain text here"],
    ["JAVA_OPTS", '-Xmx8g -Xlog:gc*:$LOG_DIR/gc.log:time -XX:OnError="kill -9 %p; true"'],
    ["sys_log_level", "INFO"],
    ["toString", "1"],
  ];
  for (const [key, value] of allowed) {
    it(`allows ${key} = ${value}`, () => assert.deepEqual(checkSettings("fe", { [key]: value }), []));
  }
  it("takes other reserved keys", () => {
    assert.equal(checkSettings("fe", { run_mode: "shared_data" }, { run_mode: "runMode" }).length, 1);
  });
});
