import assert from "node:assert/strict";
import type { Row, Sql } from "../../../provider/starrocks/sql.js";

/** A session that answers every statement the same way, and remembers them with their values in place. */
export const session = (answer: readonly Row[] | Error): Sql & { readonly asked: string[] } => {
  const asked: string[] = [];
  return {
    name: "10.0.0.11:9030",
    asked,
    query: async (statement, values = []) => {
      const rest = [...values];
      asked.push(statement.replace(/\?/g, () => `'${rest.shift()}'`));
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    table: () => assert.fail("no statement of somebody else is expected"),
    close: () => undefined,
  };
};
