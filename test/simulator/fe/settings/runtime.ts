import type { Conf } from "./conf.js";

/** One FE configuration item, as ADMIN SHOW FRONTEND CONFIG prints it. */
interface Item {
  readonly key: string;
  readonly aliases: readonly string[];
  readonly type: "int" | "long" | "boolean" | "String" | "double";
  readonly standard: string;
  readonly mutable: boolean;
}

const item = (
  key: string,
  type: Item["type"],
  standard: string,
  mutable = true,
  aliases: readonly string[] = [],
): Item => ({
  key,
  aliases,
  type,
  standard,
  mutable,
});

/** The items that operators of a cluster meet. From 3.1 on the scheduler's have their 2.x names as aliases. */
const items: readonly Item[] = [
  item("http_port", "int", "8030", false),
  item("rpc_port", "int", "9020", false),
  item("query_port", "int", "9030", false),
  item("edit_log_port", "int", "9010", false),
  item("meta_dir", "String", "", false),
  item("priority_networks", "String", "", false),
  item("run_mode", "String", "shared_nothing", false),
  item("edit_log_roll_num", "int", "50000"),
  item("heartbeat_timeout_second", "int", "5", false),
  item("heartbeat_retry_times", "int", "3"),
  item("meta_delay_toleration_second", "int", "300"),
  item("default_replication_num", "int", "3"),
  item("tablet_sched_max_scheduling_tablets", "int", "10000", true, ["max_scheduling_tablets"]),
  item("tablet_sched_max_balancing_tablets", "int", "500", true, ["max_balancing_tablets"]),
  item("tablet_sched_disable_balance", "boolean", "false", true, ["disable_balance"]),
  item("tablet_sched_disable_colocate_balance", "boolean", "false", true, ["disable_colocate_balance"]),
  item("tablet_sched_be_down_tolerate_time_s", "long", "900"),
  item("tablet_sched_repair_delay_factor_second", "long", "60", true, ["tablet_repair_delay_factor_second"]),
  item("tablet_sched_checker_interval_seconds", "int", "20", false),
  item("drop_backend_after_decommission", "boolean", "true"),
  item("max_backend_down_time_second", "int", "3600"),
  item("alter_table_timeout_second", "int", "86400"),
  item("metadata_ignore_unknown_operation_type", "boolean", "false", true, ["ignore_unknown_log_id"]),
  item("min_graceful_exit_time_second", "long", "15"),
  item("max_graceful_exit_time_second", "long", "60"),
  item("history_job_keep_max_second", "int", "604800"),
  item("qe_max_connection", "int", "4096"),
  item("enable_statistic_collect", "boolean", "true"),
];

export const likePattern = (pattern: string): RegExp => {
  const source = [...pattern].map((char) => {
    if (char === "%") {
      return ".*";
    }
    return char === "_" ? "." : char.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`, "i");
};

/** The settings of one running FE: from its conf at start, then from ADMIN SET, forgotten with the process. */
export class RuntimeConfig {
  readonly #values = new Map<string, string>();

  constructor(conf: Conf, metaDir: string) {
    for (const { key, aliases, standard } of items) {
      const given = [key, ...aliases].find(conf.has);
      this.#values.set(key, given === undefined ? standard : conf.text(given, standard));
    }
    this.#values.set("meta_dir", metaDir);
  }

  text(key: string): string {
    return this.#values.get(key) ?? "";
  }

  number(key: string): number {
    return Number(this.text(key));
  }

  flag(key: string): boolean {
    return this.text(key) === "true";
  }

  find(name: string): Item | undefined {
    return items.find(({ key, aliases }) => key === name || aliases.includes(name));
  }

  /** False when there is no such item, or it cannot change. */
  set(name: string, value: string): boolean {
    const found = this.find(name);
    if (found === undefined || !found.mutable) {
      return false;
    }
    this.#values.set(found.key, value);
    return true;
  }

  like(pattern: string | undefined): readonly (Item & { readonly value: string })[] {
    const matcher = likePattern(pattern ?? "%");
    return items
      .filter(({ key, aliases }) => [key, ...aliases].some((name) => matcher.test(name)))
      .map((found) => ({ ...found, value: this.text(found.key) }))
      .sort((a, b) => a.key.localeCompare(b.key));
  }
}
