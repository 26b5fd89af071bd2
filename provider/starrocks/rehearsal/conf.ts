import { applySettings, parseConf, type Settings } from "../conf.js";
import { type FePorts, fePortSettings } from "../ports.js";
import { atLeast, features, type Version } from "../versions.js";

export interface MovedPorts {
  readonly version: Version;
  readonly ports: FePorts;
  /** By how much each further port of the file is moved. */
  readonly shift: number;
}

export interface RehearsalConf extends MovedPorts {
  readonly metaDir: string;
  /** What `image/VERSION` of the copy says. */
  readonly clusterId: number;
  readonly runMode?: string;
  /** `-Xmx`. */
  readonly memory: string;
}

/** A port and its like in a rehearsal; beyond the last port it goes the other way. */
export const shifted = (port: number, by: number): number => (port + by > 65_535 ? port - by : port + by);

export const shiftedPorts = (ports: FePorts, by: number): FePorts => ({
  http: shifted(ports.http, by),
  rpc: shifted(ports.rpc, by),
  query: shifted(ports.query, by),
  editLog: shifted(ports.editLog, by),
});

/** Production's places, names and certificates: the rehearsal has its own, or none. */
const productionOnly = /^(?:.+_dir|LOG_DIR|PID_DIR|frontend_address|ssl_.*|enable_https)$/i;

/** Options that fix memory, listen, or write to a place of production's. */
const droppedOption =
  /^-(?:Xm[sxn]|XX:(?:InitialHeapSize|MaxHeapSize|MaxRAM\w*|InitialRAM\w*|MinRAM\w*|HeapDumpPath|ErrorFile|OnOutOfMemoryError|OnError)=|XX:\+AlwaysPreTouch|agentlib:jdwp|Xrunjdwp|Dcom\.sun\.management\.jmxremote|Xloggc:\/|Xlog:[^:]*:(?:file=)?\/)/;

/** Production's Java options with the heap of a rehearsal. */
export const rehearsalJavaOptions = (text: string, memory: string): string => {
  const options = text.replace(/^\s*(["'])(.*)\1\s*$/s, "$2").split(/\s+/);
  return `"${[...options.filter((option) => option !== "" && !droppedOption.test(option)), `-Xmx${memory}`].join(" ")}"`;
};

const plainJavaOptions = "-Dlog4j2.formatMsgNoLookups=true";

/**
 * Where the start scripts look for Java options. On Java 11 and newer those of 3.1 and 3.2 take 8 GB of their own where neither
 * JAVA_OPTS_FOR_JDK_11 nor the one for 9 is there; older ones know only the latter, and do not start without: nor does it here.
 */
const javaKeys = (said: ReadonlyMap<string, string>, version: Version): readonly string[] => {
  const further = [...said.keys()].filter((key) => key.startsWith("JAVA_OPTS_FOR_"));
  const newer = ["JAVA_OPTS_FOR_JDK_11", "JAVA_OPTS_FOR_JDK_9"];
  const builtIn = !atLeast(version, "3.3.0") && !newer.some((key) => said.has(key));
  return ["JAVA_OPTS", ...further, ...(builtIn ? ["JAVA_OPTS_FOR_JDK_11"] : [])];
};

/** All that names a port: those that we know by name, and what else production's file opens. */
const portSettings = (production: ReadonlyMap<string, string>, { version, ports, shift }: MovedPorts): Settings => {
  const known = fePortSettings(ports);
  const declared = [...production].filter(
    ([key, value]) => /_port$/.test(key) && !(key in known) && /^\d+$/.test(value),
  );
  return {
    ...known,
    // The port of shared-data metadata, which listens whatever the file says.
    ...(atLeast(version, "3.0.0") && { cloud_native_meta_port: String(shifted(6090, shift)) }),
    ...Object.fromEntries(declared.map(([key, value]) => [key, String(shifted(Number(value), shift))])),
  };
};

/** Every port on which an FE with such an fe.conf could listen. */
export const portsOfRehearsal = (production: string, moved: MovedPorts): readonly number[] =>
  Object.values(portSettings(parseConf(production), moved)).map(Number);

/** The fe.conf of a rehearsal, from what that of the leader is going to be: alone, on other ports, in its own folders, with little memory. */
export const rehearsalConf = (production: string, options: RehearsalConf): string => {
  const { version, metaDir, clusterId, runMode, memory } = options;
  const said = parseConf(production);
  const { clusterIdKey, recoveryKey } = features(version);
  const java = javaKeys(said, version).map((key) => [
    key,
    rehearsalJavaOptions(said.get(key) ?? plainJavaOptions, memory),
  ]);
  const recoveryKeys = ["metadata_failure_recovery", "bdbje_reset_election_group"].filter((key) => key !== recoveryKey);
  return applySettings(
    production,
    {
      ...portSettings(said, options),
      meta_dir: metaDir,
      // The only address that there is; without this an FE picks ::1.
      priority_networks: "127.0.0.0/8",
      [recoveryKey]: "true",
      ...(clusterIdKey && { cluster_id: String(clusterId) }),
      ...(runMode !== undefined && { run_mode: runMode }),
      ...Object.fromEntries(java),
    },
    { remove: [...[...said.keys()].filter((key) => productionOnly.test(key) && key !== "meta_dir"), ...recoveryKeys] },
  );
};
