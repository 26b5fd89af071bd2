import type { Row, Value } from "../data/backends.js";
import { likePattern } from "../settings/runtime.js";
import { SqlError } from "./error.js";
import type { Result } from "./statement.js";
import type { Tokens } from "./tokens.js";

/** Rows of named columns, for the small part of SELECT that we do. */
export interface Relation {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

type Test = (row: Row, column: (name: string) => number) => boolean;

export interface Condition {
  /** `key = value` on this column, if that is all. */
  readonly equal?: { readonly column: string; readonly value: Value };
  readonly test: Test;
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

export const compareValues = (a: Value | undefined, b: Value | undefined): number => {
  const [x, y] = [Number(a), Number(b)];
  if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) {
    return x - y;
  }
  if (String(a) === String(b)) {
    return 0;
  }
  return String(a) < String(b) ? -1 : 1;
};

const columnName = (tokens: Tokens): string => {
  const { name } = tokens.qualified();
  return name;
};

const readTest = (tokens: Tokens): Condition => {
  const column = columnName(tokens);
  const isNot = tokens.accept("NOT");
  if (tokens.accept("LIKE")) {
    const matcher = likePattern(tokens.string());
    return { test: (row, at) => matcher.test(String(row[at(column)])) !== isNot };
  }
  if (tokens.accept("IN")) {
    tokens.expect("(");
    const values = tokens.list(() => tokens.value());
    tokens.expect(")");
    return { test: (row, at) => values.some((value) => compareValues(row[at(column)], value) === 0) !== isNot };
  }
  if (tokens.accept("IS")) {
    const notNull = tokens.accept("NOT");
    tokens.expect("NULL");
    return { test: (row, at) => (row[at(column)] === null) !== notNull };
  }
  const found = ["!=", "<>", "<=", ">=", "=", "<", ">"].find((operator) => tokens.accept(operator));
  const compare = comparisons[found ?? ""];
  if (compare === undefined) {
    throw tokens.error();
  }
  const value = tokens.value();
  const test: Test = (row, at) => compare(compareValues(row[at(column)], value));
  return found === "=" ? { equal: { column, value }, test } : { test };
};

/** `WHERE a = 1 AND b != 'x'` and the like; no OR, no parentheses. */
export const readWhere = (tokens: Tokens): Condition | undefined => {
  if (!tokens.accept("WHERE")) {
    return undefined;
  }
  const tests = [readTest(tokens)];
  while (tokens.accept("AND")) {
    tests.push(readTest(tokens));
  }
  const equal = tests.length === 1 ? tests[0]?.equal : tests.find((test) => test.equal !== undefined)?.equal;
  return { ...(equal === undefined ? {} : { equal }), test: (row, at) => tests.every((one) => one.test(row, at)) };
};

const aggregates = ["COUNT", "MAX", "MIN", "SUM"] as const;

interface Output {
  readonly label: string;
  readonly aggregate?: (typeof aggregates)[number];
  /** `*` for COUNT(*). */
  readonly column: string;
}

export const readOutputs = (tokens: Tokens): readonly Output[] | "*" => {
  if (tokens.accept("*")) {
    return "*";
  }
  return tokens.list(() => {
    const aggregate = aggregates.find((name) => tokens.accept(name, "("));
    if (aggregate !== undefined) {
      tokens.accept("DISTINCT");
    }
    const isStar = aggregate !== undefined && (tokens.accept("*") || tokens.accept("1"));
    const column = isStar ? "*" : columnName(tokens);
    if (aggregate !== undefined) {
      tokens.expect(")");
    }
    const standard = aggregate === undefined ? column : `${aggregate.toLowerCase()}(${column})`;
    const label = tokens.accept("AS") ? tokens.anything() : standard;
    return { label, column, ...(aggregate === undefined ? {} : { aggregate }) };
  });
};

const aggregateOf = (output: Output, rows: readonly Row[], at: (name: string) => number): Value => {
  if (output.column === "*") {
    return rows.length;
  }
  const values = rows.map((row) => row[at(output.column)]).filter((value) => value !== null && value !== undefined);
  const sorted = [...values].sort(compareValues);
  switch (output.aggregate) {
    case "COUNT":
      return values.length;
    case "MAX":
      return sorted.at(-1) ?? null;
    case "MIN":
      return sorted[0] ?? null;
    default:
      return values.length === 0 ? null : values.reduce<number>((sum, value) => sum + Number(value), 0);
  }
};

/** Applies WHERE, GROUP BY (then nothing after it), ORDER BY, LIMIT and the select list. */
export const selectRows = (
  relation: Relation,
  outputs: readonly Output[] | "*",
  where: Condition | undefined,
  tokens: Tokens,
): Result => {
  const at = (name: string): number => {
    const index = relation.columns.findIndex((column) => column.toLowerCase() === name.toLowerCase());
    if (index < 0) {
      throw new SqlError(`Getting analyzing error. Detail message: Column '${name}' cannot be resolved.`);
    }
    return index;
  };
  let rows = relation.rows.filter((row) => where?.test(row, at) ?? true);
  if (tokens.accept("GROUP", "BY")) {
    const keys = tokens.list(() => at(columnName(tokens)));
    tokens.end();
    if (outputs === "*") {
      throw tokens.error();
    }
    const groups = new Map<string, Row[]>();
    for (const row of rows) {
      const key = JSON.stringify(keys.map((index) => row[index]));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const cell = (output: Output, group: readonly Row[]): Value =>
      output.aggregate === undefined ? (group[0]?.[at(output.column)] ?? null) : aggregateOf(output, group, at);
    return {
      columns: outputs.map(({ label }) => label),
      rows: [...groups.values()].map((group) => outputs.map((output) => cell(output, group))),
    };
  }
  if (tokens.accept("ORDER", "BY")) {
    const keys = tokens.list(() => {
      const column = columnName(tokens);
      const descending = tokens.accept("DESC");
      tokens.accept("ASC");
      return { index: at(column), sign: descending ? -1 : 1 };
    });
    rows = [...rows].sort(
      (a, b) => keys.map(({ index, sign }) => sign * compareValues(a[index], b[index])).find(Boolean) ?? 0,
    );
  }
  if (tokens.accept("LIMIT")) {
    rows = rows.slice(0, tokens.integer());
  }
  tokens.end();
  if (outputs === "*") {
    return { columns: relation.columns, rows };
  }
  const columns = outputs.map(({ label }) => label);
  if (outputs.some(({ aggregate }) => aggregate !== undefined)) {
    return { columns, rows: [outputs.map((output) => aggregateOf(output, rows, at))] };
  }
  const indexes = outputs.map(({ column }) => at(column));
  return { columns, rows: rows.map((row) => indexes.map((index) => row[index] ?? null)) };
};
