// biome-ignore-all lint/suspicious/noTemplateCurlyInString: be.conf has them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { featuresOf } from "../../../simulator/be/settings/build.js";
import { type ConfResult, readConf } from "../../../simulator/be/settings/conf.js";

describe("simulator: be.conf", () => {
  const folder = mkdtempSync(join(tmpdir(), "be-conf-"));
  const read = (text: string, version = "3.5.7"): ConfResult => {
    writeFileSync(join(folder, "be.conf"), text);
    return readConf(join(folder, "be.conf"), { STARROCKS_HOME: "/home/be" }, featuresOf(version));
  };
  const number = (text: string, key: string, version?: string): number | undefined => {
    const result = read(text, version);
    return result.ok ? result.conf.number(key) : undefined;
  };

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("reads both names of the HTTP port, a 2.x BE the old one only", () => {
    assert.equal(number("be_http_port = 1", "be_http_port"), 1);
    assert.equal(number("webserver_port=2", "be_http_port"), 2);
    assert.equal(number("webserver_port=2", "be_http_port", "2.3.0"), 2);
    assert.equal(number("be_http_port = 1", "be_http_port", "2.3.0"), 8040);
  });

  it("warns of unknown and repeated keys from 3.3 on, and takes the last", () => {
    const text = "brpc_prt = 1\nbe_port = 1\nbe_port = 2\nJAVA_HOME = x\n# no = 1\n";
    const now = read(text);
    assert.ok(now.ok);
    assert.deepEqual(now.warnings, ["Ignored unknown config: brpc_prt", "Duplicate configuration item found: be_port"]);
    assert.equal(now.conf.number("be_port"), 2);
    const before = read(text, "3.1.9");
    assert.ok(before.ok && before.warnings.length === 0);
  });

  for (const text of ["be_port = x", "be_port =", "be_port = 99999999999", "storage_root_path = ${NOWHERE}/x"]) {
    it(`refuses \`${text}\``, () => {
      const result = read(text);
      assert.ok(!result.ok && result.message.startsWith("Invalid value of config"));
    });
  }

  it("waits two rounds for fragments from 3.4 on", () => {
    assert.equal(number("", "loop_count_wait_fragments_finish"), 2);
    assert.equal(number("", "loop_count_wait_fragments_finish", "3.3.5"), 0);
  });

  it("changes mutable keys only", () => {
    const result = read("");
    assert.ok(result.ok);
    const { conf } = result;
    assert.equal(conf.text("storage_root_path"), "/home/be/storage");
    assert.deepEqual(conf.update("compact_threads", "8"), { ok: true });
    assert.equal(conf.number("compact_threads"), 8);
    assert.deepEqual(conf.update("be_port", "1"), {
      ok: false,
      message: "Not supported: 'be_port' is not support to modify",
    });
    assert.deepEqual(conf.update("nothing", "1"), { ok: false, message: "Not found: 'nothing' is not found" });
    assert.deepEqual(conf.update("compact_threads", "x"), {
      ok: false,
      message: "Invalid argument: convert 'x' as int32_t failed",
    });
  });
});
