import { setConfigOf } from "../rpc.js";
import { SqlError } from "./error.js";
import { type Context, done, type Result, type Statement } from "./statement.js";
import type { Tokens } from "./tokens.js";

const showConfig = ({ fe }: Context, tokens: Tokens): Result => {
  const pattern = tokens.accept("LIKE") ? tokens.string() : undefined;
  tokens.end();
  const aliases = fe.features.aliasNames;
  return {
    columns: ["Key", ...(aliases ? ["AliasNames"] : []), "Value", "Type", "IsMutable", "Comment"],
    rows: fe.config.like(pattern).map((item) => {
      // In 2.x what is now an alias was the name.
      const key = aliases ? item.key : (item.aliases[0] ?? item.key);
      const names = aliases ? [`[${item.aliases.join(", ")}]`] : [];
      return [key, ...names, item.value, item.type, String(item.mutable), ""];
    }),
  };
};

/** Sets the value here and, by RPC, on the other FEs. None of them remembers it after a restart. */
const setConfig = async ({ fe }: Context, tokens: Tokens): Promise<Result> => {
  const [pair] = Object.entries(tokens.properties());
  if (tokens.accept("WITH", "PERSISTENT") && !fe.features.setConfigPersistent) {
    throw tokens.error();
  }
  tokens.end();
  if (fe.faults.find("denyConfig")) {
    throw new SqlError(
      "Access denied; you need (at least one of) the OPERATE privilege(s) on SYSTEM for this operation.",
    );
  }
  if (pair === undefined) {
    throw new SqlError("config is null");
  }
  const [key, value] = pair;
  if (!fe.config.set(key, value)) {
    throw new SqlError(`Config '${key}' does not exist or is not mutable`);
  }
  const others = fe.catalog.state.frontends.filter(({ name }) => name !== fe.group.self.name);
  const asked = fe.features.setConfigSkipsDead ? others.filter(({ alive }) => alive) : others;
  const results = await Promise.allSettled(asked.map((row) => setConfigOf(fe, row.host, row.rpcPort, key, value)));
  const failed = asked.filter((_, index) => results[index]?.status === "rejected");
  if (failed.length > 0) {
    throw new SqlError(`set frontend config failed on [${failed.map(({ host }) => host).join(", ")}], please check`);
  }
  return done;
};

export const configStatements: readonly Statement[] = [
  { words: "ADMIN SHOW FRONTEND CONFIG", runsOn: "here", admin: true, run: showConfig },
  { words: "ADMIN SET FRONTEND CONFIG", runsOn: "here", admin: true, run: setConfig },
];
