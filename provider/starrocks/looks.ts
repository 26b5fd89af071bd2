/** What only a look at the running cluster tells of a way between versions; `hazard-looks.ts` knows how to look. */
export const looks = [
  "schema changes under way",
  "schema changes in history",
  "decommissions under way",
  "database named starrocks",
  "low cardinality optimization on",
  "batch size above 4096",
  "pipeline engine off",
  "meta scan rewrite on",
] as const;

export type Look = (typeof looks)[number];
