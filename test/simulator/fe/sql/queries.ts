import type { Value } from "../data/backends.js";
import { readRows } from "../data/read.js";
import { propose } from "../frontend.js";
import { SqlError } from "./error.js";
import { informationRelation } from "./information.js";
import { readOutputs, readWhere, selectRows } from "./rows.js";
import { type Context, done, type Result, type Statement } from "./statement.js";
import { findDatabase, findTable } from "./tables.js";
import type { Tokens } from "./tokens.js";
import { variable, variableName, variablesLike } from "./variables.js";

const noBackend = (): SqlError => new SqlError("Backend node not found. Check if any backend node is down.backend: ");

/** These run in BE code: without a BE they fail, with one they tell of that BE. */
const askBackend = ({ fe }: Context, name: string): Value => {
  const [node] = fe.catalog.state.nodes.filter(({ alive }) => alive);
  if (node === undefined) {
    throw noBackend();
  }
  return name === "current_version" ? node.version : "";
};

const functionValue = (context: Context, name: string): Value => {
  const { session, fe } = context;
  switch (name.toLowerCase()) {
    case "version":
      return fe.features.handshakeVersion;
    case "connection_id":
      return session.id;
    case "user":
    case "current_user":
      return `'${session.user}'@'%'`;
    case "database":
    case "schema":
      return session.database ?? null;
    case "now":
    case "current_timestamp":
      return new Date().toISOString().slice(0, 19).replace("T", " ");
    case "current_version":
    case "last_query_id":
      return askBackend(context, name.toLowerCase());
    case "sleep":
      return 1;
    default:
      throw new SqlError(`Getting analyzing error. Detail message: No matching function with signature: ${name}().`);
  }
};

const readExpression = (context: Context, tokens: Tokens): { readonly label: string; readonly value: Value } => {
  const text = tokens.peek();
  if (!tokens.atLiteral && text.startsWith("@@")) {
    tokens.skip();
    const value = variable(context.fe, context.session, text);
    if (value === undefined) {
      throw new SqlError(`Unknown system variable '${variableName(text)}', the most similar variables are {}`, 1193);
    }
    return { label: text, value: /^-?\d+$/.test(value) ? Number(value) : value };
  }
  if (tokens.atLiteral) {
    return { label: text, value: tokens.value() };
  }
  const name = tokens.identifier();
  if (!tokens.accept("(")) {
    throw new SqlError(`Getting analyzing error. Detail message: Column '${name}' cannot be resolved.`);
  }
  while (!tokens.accept(")")) {
    tokens.skip();
  }
  return { label: `${name}()`, value: functionValue(context, name) };
};

const selectValues = (context: Context, tokens: Tokens): Result => {
  const cells = tokens.list(() => {
    const { label, value } = readExpression(context, tokens);
    const sum = tokens.accept("+") ? Number(value) + tokens.integer() : value;
    return { label: tokens.accept("AS") ? tokens.anything() : label, value: sum };
  });
  if (tokens.accept("LIMIT")) {
    tokens.integer();
  }
  tokens.end();
  return { columns: cells.map(({ label }) => label), rows: [cells.map(({ value }) => value)] };
};

const selectFrom = async (context: Context, tokens: Tokens): Promise<Result> => {
  const outputs = readOutputs(tokens);
  tokens.expect("FROM");
  const target = tokens.qualified();
  const where = readWhere(tokens);
  if ((target.database ?? context.session.database)?.toLowerCase() === "information_schema") {
    return selectRows(await informationRelation(context, target.name), outputs, where, tokens);
  }
  const { table } = findTable(context, target);
  const columns = table.columns.map(({ name }) => name);
  const isKey = where?.equal?.column.toLowerCase() === columns[0]?.toLowerCase();
  const rows = await readRows(context.fe, table, isKey ? where?.equal?.value : undefined);
  return selectRows({ columns, rows }, outputs, where, tokens);
};

const select = (context: Context, tokens: Tokens): Result | Promise<Result> =>
  /\bfrom\b/i.test(tokens.sql.replace(/'[^']*'|"[^"]*"/g, ""))
    ? selectFrom(context, tokens)
    : selectValues(context, tokens);

const readAssignment = (tokens: Tokens): readonly [name: string, value: string] => {
  if (!tokens.accept("SESSION")) {
    tokens.accept("LOCAL");
  }
  const name = variableName(tokens.identifier());
  if (!tokens.accept(":=")) {
    tokens.expect("=");
  }
  return [name, tokens.anything()];
};

const set = ({ session }: Context, tokens: Tokens): Result => {
  if (tokens.accept("NAMES") || tokens.accept("CHARACTER", "SET") || tokens.accept("ROLE")) {
    return done;
  }
  const changes = tokens.list(() => readAssignment(tokens));
  tokens.end();
  for (const [name, value] of changes) {
    session.variables.set(name, value);
  }
  return done;
};

const setGlobal = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const changes = tokens.list(() => readAssignment(tokens));
  tokens.end();
  for (const [name, value] of changes) {
    await propose(fe, { type: "setGlobal", name, value });
  }
  return done;
};

const showVariables = ({ fe, session }: Context, tokens: Tokens): Result => {
  const pattern = tokens.accept("LIKE") ? tokens.string() : undefined;
  const name = tokens.accept("WHERE", "variable_name", "=") ? tokens.string() : pattern;
  return { columns: ["Variable_name", "Value"], rows: variablesLike(fe, session, name) };
};

const showDatabases = ({ fe }: Context, tokens: Tokens): Result => {
  tokens.end();
  const names = [...fe.catalog.state.databases.map(({ name }) => name), "information_schema", "sys"];
  return { columns: ["Database"], rows: names.sort().map((name) => [name]) };
};

const showTables = (context: Context, tokens: Tokens): Result => {
  const name = tokens.accept("FROM") || tokens.accept("IN") ? tokens.identifier() : undefined;
  const database = findDatabase(context, name);
  return { columns: [`Tables_in_${database.name}`], rows: database.tables.map((table) => [table.name]) };
};

const use = (context: Context, tokens: Tokens): Result => {
  const name = tokens.identifier();
  if (!["information_schema", "sys"].includes(name)) {
    findDatabase(context, name);
  }
  context.session.database = name;
  return done;
};

const empty =
  (...columns: string[]): Statement["run"] =>
  () => ({ columns, rows: [] });
const here = (words: string, run: Statement["run"]): Statement => ({ words, runsOn: "here", run });

export const queryStatements: readonly Statement[] = [
  here("SELECT", select),
  { words: "SET GLOBAL", runsOn: "leader", admin: true, run: setGlobal },
  here("SET", set),
  here("SHOW VARIABLES", showVariables),
  here("SHOW GLOBAL VARIABLES", showVariables),
  here("SHOW SESSION VARIABLES", showVariables),
  here("SHOW DATABASES", showDatabases),
  here("SHOW TABLES", showTables),
  here("SHOW WARNINGS", empty("Level", "Code", "Message")),
  here(
    "SHOW BACKEND BLACKLIST",
    empty("BackendId", "AddBlackListType", "LostConnectionTime", "LostConnectionNumberInPeriod", "CheckTimePeriod(s)"),
  ),
  here(
    "SHOW PROCESSLIST",
    empty("Id", "User", "Host", "Db", "Command", "ConnectionStartTime", "Time", "State", "Info"),
  ),
  here(
    "SHOW FULL PROCESSLIST",
    empty("Id", "User", "Host", "Db", "Command", "ConnectionStartTime", "Time", "State", "Info"),
  ),
  here("USE", use),
];
