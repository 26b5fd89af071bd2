import type { Sql } from "./sql.js";
import { atLeast, type Version } from "./versions.js";

/** Settings of an FE by name, as text. */
export type Settings = Readonly<Record<string, string>>;

/**
 * What keeps tablets where they are while nodes restart. The names are those of 2.x, which all lines take: later ones have
 * them for aliases. From 3.1 on only balancing is paused, as a missing BE is waited for and a scheduling limit of 0 would
 * throttle the repair of replicas that missed writes; before, each restart would set off clones (docs: upgrade.md).
 */
export const pausedSettings = (version: Version): Settings => ({
  disable_balance: "true",
  disable_colocate_balance: "true",
  ...(!atLeast(version, "3.1.0") && { max_balancing_tablets: "0", [schedulingLimit]: "0" }),
});

/** How many tablets are repaired at once. */
export const schedulingLimit = "max_scheduling_tablets";

/** Values of the FE asked, which may differ from those of the others; names that it does not know are left out. */
export const frontendSettings = async (sql: Sql, names: readonly string[], limit?: number): Promise<Settings> => {
  const found: Record<string, string> = {};
  for (const name of names) {
    // LIKE finds aliases too, and `_` stands for any character.
    const rows = await sql.query("ADMIN SHOW FRONTEND CONFIG LIKE ?", [name], limit);
    const row = rows.find(({ Key, AliasNames }) => Key === name || aliasesOf(AliasNames).includes(name));
    if (typeof row?.Value === "string") {
      found[name] = row.Value;
    }
  }
  return found;
};

const aliasesOf = (text: string | null | undefined): readonly string[] => (text ?? "").match(/[^[\], ]+/g) ?? [];

/**
 * Sets a value on the FE asked and, by RPC, on the others, in memory only. Up to 3.4 it fails when one of the others is
 * down, although it was set on the rest: look at the values to know.
 */
export const setFrontendSetting = async (sql: Sql, name: string, value: string, limit?: number): Promise<void> => {
  await sql.query("ADMIN SET FRONTEND CONFIG (? = ?)", [name, value], limit);
};
