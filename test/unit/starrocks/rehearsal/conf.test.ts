import assert from "node:assert/strict";
import { parseConf } from "../../../../provider/starrocks/conf.js";
import {
  portsOfRehearsal,
  rehearsalConf,
  rehearsalJavaOptions,
  shifted,
} from "../../../../provider/starrocks/rehearsal/conf.js";
import { versionOf } from "../../../../provider/starrocks/versions.js";

const production = `
LOG_DIR = /var/log/starrocks
JAVA_OPTS="-Dlog4j2.formatMsgNoLookups=true -Xms8g -Xmx16g -XX:+UseG1GC -Xlog:gc*:/var/log/gc.log:time"
http_port = 8030
edit_log_port = 9010
https_port = 8443
arrow_flight_port = -1
meta_dir = /data/fe/meta
sys_log_dir = /var/log/starrocks
audit_log_dir = /var/log/audit
PID_DIR = /run/starrocks
priority_networks = 10.0.0.11/32
frontend_address = 10.0.0.11
ssl_keystore_location = /etc/keys/fe.p12
metadata_failure_recovery = true
default_replication_num = 2
`;
const ports = { http: 18_030, rpc: 19_020, query: 19_030, editLog: 19_010 };
const confOf = (version: string, runMode?: string, text = production) =>
  Object.fromEntries(
    parseConf(
      rehearsalConf(text, {
        version: versionOf(version),
        metaDir: "/opt/r/meta",
        ports,
        shift: 10_000,
        clusterId: 77,
        memory: "1g",
        ...(runMode !== undefined && { runMode }),
      }),
    ),
  );

describe("the ports of a rehearsal", () => {
  it("are all that its fe.conf moves, those of no argument too", () => {
    const moved = { version: versionOf("3.5.7"), ports, shift: 10_000 };
    const said = Object.entries(confOf("3.5.7")).filter(([key, value]) => key.endsWith("_port") && value !== "-1");
    assert.deepEqual([...portsOfRehearsal(production, moved)].sort(), said.map(([, value]) => Number(value)).sort());
    assert.ok(portsOfRehearsal(production, moved).includes(16_090), "cloud_native_meta_port");
  });
});

describe("fe.conf of a rehearsal", () => {
  it("is production's with other ports, folders and network, the recovery key and little memory", () => {
    assert.deepEqual(confOf("3.5.7", "shared_nothing"), {
      JAVA_OPTS: '"-Dlog4j2.formatMsgNoLookups=true -XX:+UseG1GC -Xmx1g"',
      http_port: "18030",
      rpc_port: "19020",
      query_port: "19030",
      edit_log_port: "19010",
      https_port: "18443",
      cloud_native_meta_port: "16090",
      arrow_flight_port: "-1",
      meta_dir: "/opt/r/meta",
      priority_networks: "127.0.0.0/8",
      bdbje_reset_election_group: "true",
      run_mode: "shared_nothing",
      default_replication_num: "2",
    });
  });

  const keys = [
    { version: "2.5.22", recovery: "metadata_failure_recovery", clusterId: true },
    { version: "3.1.9", recovery: "metadata_failure_recovery", clusterId: true },
    { version: "3.1.10", recovery: "bdbje_reset_election_group", clusterId: true },
    { version: "3.2.4", recovery: "metadata_failure_recovery", clusterId: true },
    { version: "3.2.5", recovery: "bdbje_reset_election_group", clusterId: true },
    { version: "3.3.0", recovery: "bdbje_reset_election_group", clusterId: false },
    { version: "4.0.1", recovery: "bdbje_reset_election_group", clusterId: false },
  ];
  for (const { version, recovery, clusterId } of keys) {
    it(`has the keys of ${version}, as the wrong ones are silently ignored`, () => {
      const conf = confOf(version);
      const found = ["metadata_failure_recovery", "bdbje_reset_election_group"].filter((key) => key in conf);
      assert.deepEqual(found, [recovery]);
      assert.equal(conf.cluster_id, clusterId ? "77" : undefined);
    });
  }

  it("keeps Java options but those for memory, debuggers and files of production", () => {
    const given =
      "-Xmx8g -Xmn2g -XX:MaxRAMPercentage=70 -agentlib:jdwp=transport=dt_socket,address=*:5005 -Dcom.sun.management.jmxremote.port=9999 -Xlog:gc*:$LOG_DIR/fe.gc.log:time -XX:+UseG1GC";
    assert.equal(rehearsalJavaOptions(given, "512m"), '"-Xlog:gc*:$LOG_DIR/fe.gc.log:time -XX:+UseG1GC -Xmx512m"');
  });

  const memoryKeys = [
    { version: "2.5.22", said: {}, keys: ["JAVA_OPTS", "JAVA_OPTS_FOR_JDK_11"] },
    { version: "3.1.17", said: {}, keys: ["JAVA_OPTS", "JAVA_OPTS_FOR_JDK_11"] },
    { version: "3.1.17", said: { JAVA_OPTS_FOR_JDK_9: '"-Xmx8g"' }, keys: ["JAVA_OPTS", "JAVA_OPTS_FOR_JDK_9"] },
    { version: "3.3.0", said: {}, keys: ["JAVA_OPTS"] },
    { version: "3.5.7", said: { JAVA_OPTS_FOR_JDK_11: '"-Xmx8g"' }, keys: ["JAVA_OPTS", "JAVA_OPTS_FOR_JDK_11"] },
  ];
  for (const { keys: wanted, said, version } of memoryKeys) {
    it(`has its memory wherever ${version} looks for it beside ${Object.keys(said).join() || "nothing"}`, () => {
      const text = Object.entries(said).map(([key, value]) => `${key} = ${value}\n`);
      const conf = Object.entries(confOf(version, undefined, text.join("")));
      const found = conf.filter(([key]) => key.startsWith("JAVA_OPTS"));
      assert.deepEqual(found.map(([key]) => key).sort(), wanted);
      assert.ok(found.every(([, value]) => value.endsWith('-Xmx1g"')));
    });
  }

  it("moves a port up, or down where there is none above", () => {
    assert.deepEqual([shifted(9030, 10_000), shifted(60_000, 10_000)], [19_030, 50_000]);
  });
});
