import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./root.js";
import type { Entry } from "./tar.js";
import { render } from "./template.js";
import { since } from "./versions.js";

export type Part = "fe" | "be";

const TEXTS = join(packageRoot, "test/simulator/scripts");

export const file = (path: string, content: string | Buffer, mode = 0o644): Entry => ({
  type: "file",
  path,
  mode,
  content: Buffer.isBuffer(content) ? content : Buffer.from(content),
});

const fillers = (folder: string, names: readonly string[]): readonly Entry[] =>
  names.map((name) => file(`${folder}/${name}`, `PK\x03\x04 stands for ${name}\n`));

/** Scripts and conf files of a part, as this version ships them. */
const texts = (part: Part, version: string): readonly Entry[] =>
  (["both", part] as const).flatMap((source) =>
    readdirSync(join(TEXTS, source), { withFileTypes: true }).flatMap(({ name: folder }) =>
      readdirSync(join(TEXTS, source, folder)).flatMap((name) => {
        const text = render(readFileSync(join(TEXTS, source, folder, name), "utf8"), version);
        return text === undefined ? [] : [file(`${part}/${folder}/${name}`, text, folder === "bin" ? 0o755 : 0o644)];
      }),
    ),
  );

const jeJar = (version: string): string => {
  const names = {
    "3.4": "starrocks-bdb-je-18.3.20.jar",
    "3.2": "starrocks-bdb-je-18.3.19.jar",
    "3.0": "starrocks-bdb-je-18.3.16.jar",
  };
  return Object.entries(names).find(([line]) => since(version, line))?.[1] ?? "je-7.3.7.jar";
};

const JARS = [
  "commons-lang3-3.9.jar",
  "gson-2.8.9.jar",
  "guava-32.0.1-jre.jar",
  "hadoop-common-3.4.0.jar",
  "hive-apache-3.1.2-22.jar",
  "jackson-core-2.15.2.jar",
  "jackson-databind-2.15.2.jar",
  "libthrift-0.20.0.jar",
  "log4j-api-2.19.0.jar",
  "log4j-core-2.19.0.jar",
  "netty-all-4.1.100.Final.jar",
  "protobuf-java-3.25.5.jar",
  "starrocks-hadoop-ext.jar",
];

/** Which Java a release was compiled for: 61 is 17, 55 is 11, 52 is 8. */
const classFileVersion = (version: string): number => {
  if (since(version, "3.5")) {
    return 61;
  }
  return since(version, "3.3") ? 55 : 52;
};

export interface FrontendPrograms {
  readonly main: Buffer;
  readonly dbGroupAdmin: Buffer | undefined;
}

export const frontend = (version: string, build: string, programs: FrontendPrograms): readonly Entry[] => {
  // Node takes back the SIGHUP that nohup ignores; a real JVM leaves it ignored.
  const head = `// class file version ${classFileVersion(version)}.0\nprocess.on("SIGHUP", () => undefined);\n`;
  const main = Buffer.concat([Buffer.from(head), programs.main]);
  const je = jeJar(version);
  return [
    ...texts("fe", version),
    file("fe/lib/starrocks-fe.jar", main),
    ...(since(version, "4.1") ? [file("fe/lib/fe-core-main.jar", "PK\x03\x04\n")] : []),
    programs.dbGroupAdmin === undefined
      ? file(`fe/lib/${je}`, "PK\x03\x04\n")
      : file(`fe/lib/${je}`, programs.dbGroupAdmin),
    ...fillers("fe/lib", JARS),
    file("fe/lib/build.json", build),
    ...fillers("fe/spark-dpp", ["spark-dpp-1.0.0-jar-with-dependencies.jar"]),
    ...(since(version, "3.3") ? fillers("fe/hive-udf", ["hive-udf-1.0.0.jar"]) : []),
    ...(since(version, "3.4") && !since(version, "4.0")
      ? fillers("fe/bin/async-profiler", ["libasyncProfiler.so"])
      : []),
    file("fe/webroot/index.html", "<html><body>StarRocks</body></html>\n"),
    file("fe/webroot/static/home.css", "body { margin: 0 }\n"),
  ];
};

const jemalloc = (version: string): readonly Entry[] => {
  if (since(version, "4.1")) {
    return [
      ...fillers("be/lib/jemalloc", ["libjemalloc.so.2"]),
      ...fillers("be/lib/jemalloc-dbg", ["libjemalloc.so.2"]),
    ];
  }
  return since(version, "3.4") ? fillers("be/lib", ["libjemalloc.so.2"]) : [];
};

export const backend = (version: string, build: string, main: Buffer, node: string): readonly Entry[] => [
  ...texts("be", version),
  file("be/bin/jeprof", "#!/usr/bin/env perl\n", 0o755),
  file("be/lib/starrocks_be", Buffer.concat([Buffer.from(`#!${node}\n`), main]), 0o755),
  file("be/lib/build.json", build),
  ...jemalloc(version),
  ...fillers("be/lib/hadoop/common", ["hadoop-common-3.4.0.jar"]),
  ...fillers("be/lib/hadoop/common/lib", ["commons-cli-1.5.0.jar"]),
  ...fillers("be/lib/hadoop/hdfs", ["hadoop-hdfs-3.4.0.jar"]),
  ...fillers("be/lib/hadoop/native", ["libhdfs.so"]),
  ...(since(version, "3.0") ? [] : fillers("be/lib/jvm/amd64/server", ["libjvm.so"])),
  ...fillers("be/lib/jni-packages", ["starrocks-jdbc-bridge-jar-with-dependencies.jar", "starrocks-hadoop-ext.jar"]),
  ...(since(version, "3.4") ? [file("be/lib/py-packages/flight_server.py", "import sys\n")] : []),
  file("be/www/index.html", "<html><body>StarRocks BE</body></html>\n"),
];

export const surroundings = (): readonly Entry[] => [
  file("apache_hdfs_broker/bin/start_broker.sh", "#!/usr/bin/env bash\nexit 1\n", 0o755),
  file("apache_hdfs_broker/bin/stop_broker.sh", "#!/usr/bin/env bash\nexit 0\n", 0o755),
  file("apache_hdfs_broker/conf/apache_hdfs_broker.conf", "broker_ipc_port = 8000\n"),
  ...fillers("apache_hdfs_broker/lib", ["apache_hdfs_broker.jar"]),
  file("LICENSE.txt", "Apache License 2.0\n"),
  file("NOTICE.txt", "A simulated release for tests. No StarRocks code is in it.\n"),
];
