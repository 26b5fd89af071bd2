import { realpathSync } from "node:fs";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type JavaVersion = 8 | 11 | 17 | 21;

export interface JdkOptions {
  /** JAVA_HOME; made anew. */
  readonly directory: string;
  readonly version: JavaVersion;
  /** Without `javac`. Default: false. */
  readonly jre?: boolean;
}

interface Build {
  readonly version: string;
  readonly date: string;
  readonly runtime: string;
  /** The newest class files that this Java loads. */
  readonly classFiles: number;
  /** Options of older Javas on which this one does not start. */
  readonly unknownOptions: string;
}

const REMOVED_IN_9 = "PrintGCDateStamps|PrintGCTimeStamps|UseParNewGC|UseMembar";
const REMOVED_IN_15 = `${REMOVED_IN_9}|UseConcMarkSweepGC|CMSClassUnloadingEnabled|CMSParallelRemarkEnabled|CMSInitiatingOccupancyFraction`;

const BUILDS: Readonly<Record<JavaVersion, Build>> = {
  8: { version: "1.8.0_422", date: "", runtime: "1.8.0_422-b05", classFiles: 52, unknownOptions: "" },
  11: { version: "11.0.24", date: " 2024-07-16", runtime: "11.0.24+8", classFiles: 55, unknownOptions: REMOVED_IN_9 },
  17: { version: "17.0.12", date: " 2024-07-16", runtime: "17.0.12+7", classFiles: 61, unknownOptions: REMOVED_IN_15 },
  21: {
    version: "21.0.4",
    date: " 2024-07-16 LTS",
    runtime: "21.0.4+7-LTS",
    classFiles: 65,
    unknownOptions: REMOVED_IN_15,
  },
};

const java = (build: Build): string => `#!/usr/bin/env bash
# A stand-in for java: it knows its version, the options that its like refuses, and how to start the simulated FE.
home=$(cd "$(dirname "$(readlink -f "$0")")/.."; pwd)
refuse() {
    echo "$1"
    echo "Error: Could not create the Java Virtual Machine."
    echo "Error: A fatal exception has occurred. Program will exit."
    exit 1
} >&2
for arg in "$@"; do
    case $arg in
        -XX:+IgnoreUnrecognizedVMOptions) lenient=1 ;;
    esac
done
jar=
while [ $# -gt 0 ]; do
    case $1 in
        -version)
            echo 'openjdk version "${build.version}"${build.date}' >&2
            echo 'OpenJDK Runtime Environment (build ${build.runtime})' >&2
            echo 'OpenJDK 64-Bit Server VM (build ${build.runtime}, mixed mode)' >&2
            exit 0 ;;
        -jar) jar=$2; shift 2; break ;;
        -cp|-classpath|--add-opens) shift 2 ;;
        -XX:*)
            option=$1; option=\${option#-XX:}; option=\${option#[+-]}; option=\${option%%=*}
            if [[ -z $lenient && $option =~ ^(${build.unknownOptions || "-"})$ ]]; then
                refuse "Unrecognized VM option '$option'"
            fi
            shift ;;
        -Xlog:*|--add-opens=*)
            ${build.classFiles === 52 ? 'refuse "Unrecognized option: $1"' : "shift"} ;;
        -*) shift ;;
        *) break ;;
    esac
done
if [ -n "$jar" ]; then
    exec -a "$home/bin/java" "$home/lib/simulator/java" "$jar" "$@"
fi
if [ "$1" != com.starrocks.StarRocksFE ]; then
    echo "Error: Could not find or load main class $1" >&2
    exit 1
fi
jar=$STARROCKS_HOME/lib/starrocks-fe.jar
if [ ! -r "$jar" ]; then
    echo "Error: Could not find or load main class com.starrocks.StarRocksFE" >&2
    echo "Caused by: java.lang.ClassNotFoundException: com.starrocks.StarRocksFE" >&2
    exit 1
fi
class=$(head -n 1 "$jar" | sed -n 's/.*class file version \\([0-9]*\\).*/\\1/p')
if [ "\${class:-0}" -gt ${build.classFiles} ]; then
    echo "Error: LinkageError occurred while loading main class com.starrocks.StarRocksFE" >&2
    echo "	java.lang.UnsupportedClassVersionError: com/starrocks/StarRocksFE has been compiled by a more recent version of the Java Runtime (class file version $class.0), this version of the Java Runtime only recognizes class file versions up to ${build.classFiles}.0" >&2
    exit 1
fi
shift
if [ "$1" = -v ] || [ "$1" = --version ]; then
    build=$(tail -n 1 "$jar" | grep -a '^//# build=' || cat "$STARROCKS_HOME/lib/build.json")
    field() { sed -n 's/.*"'$1'":"\\([^"]*\\)".*/\\1/p' <<<"$build"; }
    echo "Build version: $(field version)"
    echo "Commit hash: $(field commit)"
    echo "Build type: RELEASE"
    echo "Build time: 2025-06-15 15:06:40"
    echo "Build distributor id: ubuntu"
    echo "Build arch: x86_64"
    echo "Build user: StarRocks@localhost"
    echo "Java compile version: openjdk full version \\"${build.version}\\""
    exit 0
fi
exec -a "$home/bin/java" "$home/lib/simulator/java" "$jar" com.starrocks.StarRocksFE "$@"
`;

/** Makes a JAVA_HOME whose `java` is of the given version and runs the simulated FE. */
export const buildJdk = async ({ directory, version, jre = false }: JdkOptions): Promise<string> => {
  const build = BUILDS[version];
  const node = realpathSync(process.execPath);
  await rm(directory, { recursive: true, force: true });
  for (const folder of ["bin", "lib/server", "lib/simulator"]) {
    await mkdir(join(directory, folder), { recursive: true });
  }
  // The kernel names a process after the file that was executed: through this link, `java`.
  await symlink(node, join(directory, "lib/simulator/java"));
  await writeFile(join(directory, "release"), `IMPLEMENTOR="Simulator"\nJAVA_VERSION="${build.version}"\n`);
  await writeFile(join(directory, "lib/server/libjvm.so"), "");
  await writeFile(join(directory, "bin/java"), java(build));
  await chmod(join(directory, "bin/java"), 0o755);
  if (!jre) {
    await writeFile(join(directory, "bin/javac"), `#!/usr/bin/env bash\necho "javac ${build.version}"\n`);
    await chmod(join(directory, "bin/javac"), 0o755);
  }
  return directory;
};
