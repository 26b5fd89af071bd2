import { declaredAnew } from "../plan/node.js";
import type { Role } from "../plan/spec.js";
import type { Frontend } from "../starrocks/show.js";

const named = (role: Role | Frontend["role"]): string => (role === "observer" ? "an observer" : "a follower");

/** Why an FE is not what is declared, for people: its group has it in the other role. A leader is a follower that leads. */
export const roleProblem = (
  { name, role }: { readonly name: string; readonly role: Role },
  row: Frontend | undefined,
): string | undefined =>
  row && row.role !== "unknown" && named(row.role) !== named(role)
    ? `FE ${name} is in its group as ${named(row.role)}, declared is ${named(role)}: StarRocks changes no FE's role. ` +
      declaredAnew("fe", "in the new role")
    : undefined;
