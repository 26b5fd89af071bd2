import type { Sql } from "./sql.js";
import { pausing } from "./version-rows.js";
import { type Version, valueAt } from "./versions.js";

export { schedulingLimit } from "./version-rows.js";

/** Settings of an FE by name, as text. */
export type Settings = Readonly<Record<string, string>>;

/** What keeps tablets where they are while nodes restart. */
export const pausedSettings = (version: Version): Settings => valueAt(pausing, version);

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
