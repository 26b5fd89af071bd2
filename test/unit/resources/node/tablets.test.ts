import assert from "node:assert/strict";
import { isBe, type NodeContext } from "../../../../provider/resources/node/context.js";
import { tabletsAllow } from "../../../../provider/resources/node/tablets.js";
import { RefusedTurn } from "../../../../provider/rollout/turnstile.js";
import { inFolder } from "../../rollout/items.js";
import { localHost } from "../../starrocks/local-host.js";
import { backend, operationOn } from "../local-cluster.js";

/** A BE whose tablets are waited for: nobody tells how they are. */
const waiting = () => {
  const { frontends, nodeOn, run } = operationOn([]);
  run.answers = true;
  frontends.rows = async () => undefined;
  const context: NodeContext = nodeOn(localHost(), backend({ address: "127.0.0.8", home: "/opt/starrocks/be" }));
  if (!isBe(context)) {
    throw new Error("It is a BE");
  }
  return { context, run };
};

describe("tabletsAllow", () => {
  it("ends its wait when the user wants to stop", () =>
    inFolder(async () => {
      const { context, run } = waiting();
      await assert.rejects(
        tabletsAllow(context, () => void run.stop("canceled")),
        (error) =>
          error instanceof RefusedTurn && /BE be-1 was not touched: the operation was canceled/.test(error.message),
      );
    }));

  it("ends its wait when another node has failed", () =>
    inFolder(async () => {
      const { context, run } = waiting();
      await assert.rejects(
        tabletsAllow(context, () => run.close("BE be-2 failed")),
        /BE be-1 was not touched: BE be-2 failed/,
      );
    }));
});
