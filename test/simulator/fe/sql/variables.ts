import type { Frontend } from "../frontend.js";
import { versionOf } from "../frontend.js";
import { likePattern } from "../settings/runtime.js";
import type { Session } from "./statement.js";

const standard: Readonly<Record<string, string>> = {
  auto_increment_increment: "1",
  autocommit: "true",
  batch_size: "4096",
  cbo_enable_low_cardinality_optimize: "true",
  character_set_client: "utf8",
  character_set_connection: "utf8",
  character_set_results: "utf8",
  character_set_server: "utf8",
  collation_connection: "utf8_general_ci",
  collation_server: "utf8_general_ci",
  enable_pipeline_engine: "true",
  enable_rewrite_simple_agg_to_meta_scan: "false",
  forward_to_leader: "false",
  init_connect: "",
  interactive_timeout: "3600",
  license: "Apache License 2.0",
  lower_case_table_names: "0",
  max_allowed_packet: "33554432",
  net_buffer_length: "16384",
  net_write_timeout: "60",
  query_timeout: "300",
  sql_mode: "ONLY_FULL_GROUP_BY",
  system_time_zone: "UTC",
  time_zone: "UTC",
  tx_isolation: "REPEATABLE-READ",
  wait_timeout: "28800",
};

const own = (fe: Frontend): Record<string, string> => ({
  version: fe.features.handshakeVersion,
  version_comment: fe.features.versionCommentHasCommit ? versionOf(fe) : `StarRocks version ${fe.build.version}`,
});

/** The alias that 2.x scripts use. */
export const variableName = (name: string): string => {
  const plain = name
    .toLowerCase()
    .replace(/^@@?/, "")
    .replace(/^(global|session|local)\./, "");
  return plain === "forward_to_master" ? "forward_to_leader" : plain;
};

export const allVariables = (fe: Frontend, session: Session): Record<string, string> => ({
  ...standard,
  ...own(fe),
  ...fe.catalog.state.globals,
  ...Object.fromEntries(session.variables),
});

export const variable = (fe: Frontend, session: Session, name: string): string | undefined =>
  allVariables(fe, session)[variableName(name)];

export const variablesLike = (fe: Frontend, session: Session, pattern: string | undefined): [string, string][] => {
  const matcher = likePattern(pattern ?? "%");
  return Object.entries(allVariables(fe, session))
    .filter(([name]) => matcher.test(name))
    .sort(([a], [b]) => a.localeCompare(b));
};
