import { createHash } from "node:crypto";
import { propose } from "../frontend.js";
import { SqlError } from "./error.js";
import { type Context, done, type Result, type Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

export const hashPassword = (password: string): string => {
  const once = createHash("sha1").update(password).digest();
  return password === "" ? "" : createHash("sha1").update(once).digest("hex");
};

/** `'user'`, `'user'@'%'`, `user@host` */
const readUser = (tokens: Tokens): string => {
  const user = tokens.anything();
  if (tokens.accept("@")) {
    tokens.anything();
  } else if (tokens.peek().startsWith("@")) {
    tokens.skip();
  }
  return user;
};

const readPassword = (tokens: Tokens): string => {
  if (tokens.accept("PASSWORD", "(")) {
    const password = tokens.string();
    tokens.expect(")");
    return hashPassword(password);
  }
  const text = tokens.string();
  return /^\*[0-9a-f]{40}$/i.test(text) ? text.slice(1).toLowerCase() : hashPassword(text);
};

const requireUser = ({ fe }: Context, user: string): void => {
  if (fe.catalog.state.users[user] === undefined) {
    throw new SqlError(`Getting analyzing error. Detail message: Unknown user '${user}'@'%'.`);
  }
};

const setPassword = async (context: Context, tokens: Tokens): Promise<Result> => {
  const user = tokens.accept("FOR") ? readUser(tokens) : context.session.user;
  tokens.expect("=");
  const passwordHash = readPassword(tokens);
  tokens.end();
  requireUser(context, user);
  await propose(context.fe, { type: "setPassword", user, passwordHash });
  return done;
};

const readIdentified = (tokens: Tokens): string => {
  if (!tokens.accept("IDENTIFIED")) {
    return "";
  }
  if (tokens.accept("WITH")) {
    tokens.identifier();
  }
  if (!tokens.accept("BY") && !tokens.accept("AS")) {
    return "";
  }
  return readPassword(tokens);
};

const alterUser = async (context: Context, tokens: Tokens): Promise<Result> => {
  const user = readUser(tokens);
  const passwordHash = readIdentified(tokens);
  tokens.end();
  requireUser(context, user);
  await propose(context.fe, { type: "setPassword", user, passwordHash });
  return done;
};

const createUser = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const quietly = tokens.accept("IF", "NOT", "EXISTS");
  const user = readUser(tokens);
  const passwordHash = readIdentified(tokens);
  if (fe.catalog.state.users[user] !== undefined) {
    if (quietly) {
      return done;
    }
    throw new SqlError(`Operation CREATE USER failed for '${user}'@'%' : user already exists`);
  }
  const admin = tokens.accept("DEFAULT", "ROLE") && ["root", "cluster_admin"].includes(tokens.anything());
  await propose(fe, { type: "setPassword", user, passwordHash, admin });
  return done;
};

const dropUser = async (context: Context, tokens: Tokens): Promise<Result> => {
  const quietly = tokens.accept("IF", "EXISTS");
  const user = readUser(tokens);
  if (!quietly) {
    requireUser(context, user);
  }
  await propose(context.fe, { type: "dropUser", user });
  return done;
};

/** Roles of administrators make one; all else is taken note of and means nothing here. */
const grant = async (context: Context, tokens: Tokens): Promise<Result> => {
  const granted: string[] = [];
  while (!tokens.atEnd && !tokens.accept("TO")) {
    granted.push(tokens.peek().toLowerCase());
    tokens.skip();
  }
  tokens.accept("USER");
  const user = readUser(tokens);
  requireUser(context, user);
  const isAdmin = ["cluster_admin", "root", "operate", "node", "all"].some((name) => granted.includes(name));
  if (isAdmin) {
    await propose(context.fe, { type: "grantAdmin", user });
  }
  return done;
};

const showGrants = ({ session }: Context): Result => ({
  columns: ["UserIdentity", "Catalog", "Grants"],
  rows: [[`'${session.user}'@'%'`, null, "GRANT 'root' TO 'root'@'%'"]],
});

export const userStatements: readonly Statement[] = [
  { words: "SET PASSWORD", runsOn: "leader", run: setPassword },
  { words: "ALTER USER", runsOn: "leader", admin: true, run: alterUser },
  { words: "CREATE USER", runsOn: "leader", admin: true, run: createUser },
  { words: "DROP USER", runsOn: "leader", admin: true, run: dropUser },
  { words: "GRANT", runsOn: "leader", admin: true, run: grant },
  { words: "SHOW GRANTS", runsOn: "here", run: showGrants },
];
