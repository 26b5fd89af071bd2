import type { Settings } from "./settings.js";
import { features, type Version } from "./versions.js";

export interface FePorts {
  /** Web pages, health and metadata transfer. The same on every FE of a cluster. */
  readonly http: number;
  readonly rpc: number;
  /** MySQL protocol. */
  readonly query: number;
  /** The metadata group; identity of an FE together with its address, and fixed after the first start. */
  readonly editLog: number;
}

/** Ports of a BE or CN. */
export interface BePorts {
  readonly be: number;
  readonly http: number;
  /** Identity of a BE or CN in the cluster, together with its address. */
  readonly heartbeat: number;
  readonly brpc: number;
  readonly starlet: number;
}

export const feDefaultPorts: FePorts = { http: 8030, rpc: 9020, query: 9030, editLog: 9010 };
export const beDefaultPorts: BePorts = { be: 9060, http: 8040, heartbeat: 9050, brpc: 8060, starlet: 9070 };

/** fe.conf keys of the ports. */
export const fePortKeys = {
  http: "http_port",
  rpc: "rpc_port",
  query: "query_port",
  editLog: "edit_log_port",
} as const satisfies Record<keyof FePorts, string>;

/** be.conf and cn.conf keys of the ports, as this version calls them. */
export const bePortKeys = (version: Version): Readonly<Partial<Record<keyof BePorts, string>>> => ({
  be: "be_port",
  http: features(version).beHttpPortKey,
  heartbeat: "heartbeat_service_port",
  brpc: "brpc_port",
  ...(features(version).starletPort && { starlet: "starlet_port" }),
});

/** Other names of a port's key: a file that says both would leave it to chance which one counts. */
export const bePortAliases = (version: Version): readonly string[] =>
  ["webserver_port", "be_http_port"].filter((key) => key !== features(version).beHttpPortKey);

export const fePortSettings = (ports: FePorts): Settings => ({
  [fePortKeys.http]: String(ports.http),
  [fePortKeys.rpc]: String(ports.rpc),
  [fePortKeys.query]: String(ports.query),
  [fePortKeys.editLog]: String(ports.editLog),
});

export const bePortSettings = (ports: BePorts, version: Version): Settings =>
  Object.fromEntries(
    Object.entries(bePortKeys(version)).map(([name, key]) => [key, String(ports[name as keyof BePorts])]),
  );
