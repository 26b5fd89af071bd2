import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { applySettings, drift, ownKeys, parseConf } from "../../../provider/starrocks/conf.js";

const feConf = `# Licensed to somebody
DATE = "$(date +%Y%m%d-%H%M%S)"
JAVA_OPTS="-Xmx8192m -XX:+UseG1GC \${LOG_DIR}/fe.gc.log.$DATE"

# meta_dir = \${STARROCKS_HOME}/meta
http_port = 8030
rpc_port=9020
sys_log_level : INFO
edit_log_port 9010
  mysql_service_nio_enabled = true
`;

describe("conf", () => {
  describe("parseConf", () => {
    const rows: [string, string, [string, string][]][] = [
      ["key = value", "a = 1\n", [["a", "1"]]],
      ["no blanks", "a=1\n", [["a", "1"]]],
      ["a value with equals signs", "JAVA_OPTS = -Da=b -Dc = d\n", [["JAVA_OPTS", "-Da=b -Dc = d"]]],
      [
        "a value with colons",
        "storage_root_path = /d1,medium:SSD;/d2\n",
        [["storage_root_path", "/d1,medium:SSD;/d2"]],
      ],
      [
        "properties with a colon or a blank",
        "a: 1\nb 2\n",
        [
          ["a", "1"],
          ["b", "2"],
        ],
      ],
      [
        "a key without value",
        "a =\nb\n",
        [
          ["a", ""],
          ["b", ""],
        ],
      ],
      ["the last of two", "a = 1\na = 2\n", [["a", "2"]]],
      ["comments of both kinds", "#a = 1\n ! b = 2\nc = 3 # not a comment\n", [["c", "3 # not a comment"]]],
      [
        "a continued line",
        "a = 1 \\\n   2\nb = 3\n",
        [
          ["a", "1 2"],
          ["b", "3"],
        ],
      ],
      [
        "an escaped backslash at the end",
        "a = 1\\\\\nb = 2\n",
        [
          ["a", "1\\\\"],
          ["b", "2"],
        ],
      ],
      [
        "line ends of Windows",
        "a = 1\r\nb = 2\r\n",
        [
          ["a", "1"],
          ["b", "2"],
        ],
      ],
      ["no newline at the end", "a = 1", [["a", "1"]]],
      ["nothing", "", []],
    ];
    for (const [name, text, entries] of rows) {
      it(`reads ${name}`, () => assert.deepEqual([...parseConf(text)], entries));
    }
    it("reads an fe.conf", () => {
      const conf = parseConf(feConf);
      assert.equal(conf.get("sys_log_level"), "INFO");
      assert.equal(conf.get("edit_log_port"), "9010");
      assert.equal(conf.get("mysql_service_nio_enabled"), "true");
      assert.equal(conf.has("meta_dir"), false);
    });
  });

  describe("applySettings", () => {
    it("rewrites a key in its place, keeps the release's line as a comment, and appends new keys", () => {
      const text = applySettings("# head\na = 1\nb = 2\n", { a: "9", c: "3" });
      assert.equal(
        text,
        "# head\n#pulumi-starrocks was: a = 1\na = 9\nb = 2\n\n" +
          "# --- set by pulumi-starrocks ---\nc = 3\n# --- end of pulumi-starrocks ---\n",
      );
    });

    it("changes nothing when all is in effect", () =>
      assert.equal(applySettings(feConf, { http_port: "8030" }), feConf));

    it("changes nothing the second time", () => {
      const settings = { http_port: "18030", JAVA_OPTS: "-Xmx4g", meta_dir: "/data/meta" };
      const once = applySettings(feConf, settings);
      assert.equal(applySettings(once, settings), once);
      assert.deepEqual(drift(once, settings), []);
    });

    it("keeps the release's own line through several changes", () => {
      const twice = applySettings(applySettings("a = 1\n", { a: "2" }), { a: "3" });
      assert.equal(twice, "#pulumi-starrocks was: a = 1\na = 3\n");
    });

    it("adds to its block and rewrites in it", () => {
      const once = applySettings("", { a: "1", b: "2" });
      const conf = applySettings(once, { a: "5", b: "2", c: "3" });
      assert.deepEqual(
        [...parseConf(conf)],
        [
          ["a", "5"],
          ["b", "2"],
          ["c", "3"],
        ],
      );
      assert.equal(conf.match(/set by pulumi-starrocks/g)?.length, 1);
      assert.ok(!conf.includes("was:"));
    });

    it("comments out duplicates, and the one in effect keeps its place", () => {
      assert.equal(applySettings("a = 1\nb = 2\na = 3\n", { a: "3" }), "#pulumi-starrocks off: a = 1\nb = 2\na = 3\n");
    });

    it("replaces all lines of a continued value", () => {
      const text = applySettings("a = 1 \\\n 2\nb = 3\n", { a: "9" });
      assert.deepEqual(
        [...parseConf(text)],
        [
          ["a", "9"],
          ["b", "3"],
        ],
      );
      assert.equal(applySettings(text, {}, { restore: ["a"] }), "a = 1 \\\n 2\nb = 3\n");
    });

    it("ends with a newline, as the scripts skip an unfinished last line", () => {
      assert.equal(applySettings("a = 1", {}), "a = 1\n");
    });

    it("comments out what must not be in effect", () => {
      const text = applySettings(
        "webserver_port = 8040\na = 1\n",
        { be_http_port: "8040" },
        { remove: ["webserver_port"] },
      );
      assert.deepEqual([...parseConf(text).keys()], ["a", "be_http_port"]);
    });

    it("restores what is declared no longer: the release's line, or nothing", () => {
      const settings = { http_port: "18030", meta_dir: "/data/meta", rpc_port: "9020" };
      const restored = applySettings(applySettings(feConf, settings), {}, { restore: Object.keys(settings) });
      assert.deepEqual([...parseConf(restored)], [...parseConf(feConf)]);
    });

    it("does not take a line break for a value", () => {
      assert.throws(() => applySettings("", { a: "1\ncluster_id = 2" }), /line break/);
    });
  });

  describe("ownKeys", () => {
    it("are those that were declared, whether the release had them or not, and no edit of somebody else", () => {
      const edited = `${feConf}audit_log_dir = /audit\n`;
      const declared = applySettings(edited, { http_port: "8031", rpc_port: "9020", ignore_unknown_log_id: "true" });
      assert.deepEqual(ownKeys(edited), []);
      assert.deepEqual([...ownKeys(declared)].sort(), ["http_port", "ignore_unknown_log_id"]);
      assert.deepEqual(parseConf(applySettings(declared, {}, { restore: ownKeys(declared) })), parseConf(edited));
    });
  });

  describe("drift", () => {
    it("names what differs and what is missing", () => {
      assert.deepEqual(drift("a = 1\nb = 2\n", { a: "1 ", b: "3", c: "4" }), [
        { key: "b", declared: "3", found: "2" },
        { key: "c", declared: "4" },
      ]);
    });
  });

  it("is read by the shell of the start scripts as meant", () => {
    const text = applySettings('LOG_DIR = /old\nJAVA_OPTS="-Xmx1g"', {
      LOG_DIR: "/var/log/fe",
      JAVA_OPTS: "\"-Xmx2g -Da='b'\"",
    });
    // export_env_from_conf of StarRocks' bin/common.sh
    const script = `while read line; do
      envline=$(echo $line | sed 's/[[:blank:]]*=[[:blank:]]*/=/g' | sed 's/^[[:blank:]]*//g' | grep -E '^[[:upper:]]([[:upper:]]|_|[[:digit:]])*=')
      envline=$(eval "echo $envline")
      if [[ $envline == *"="* ]]; then eval 'export "$envline"'; fi
    done; echo "$LOG_DIR|$JAVA_OPTS"`;
    assert.equal(
      execFileSync("bash", ["-c", script], { input: text, encoding: "utf8" }),
      "/var/log/fe|-Xmx2g -Da='b'\n",
    );
  });
});
