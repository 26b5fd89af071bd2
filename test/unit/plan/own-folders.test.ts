import assert from "node:assert/strict";
import { nodeProblems } from "../../../provider/plan/node-problems.js";
import type { NodeSpec } from "../../../provider/plan/spec.js";
import { be, fe } from "./specs.js";

const releases = "is in the way of the releases in /opt/starrocks/releases: data needs a folder of its own";

describe("data folders of a node, beside what is its own", () => {
  const table: readonly { what: string; node: NodeSpec; says: string | undefined }[] = [
    { what: "metadata in the home", node: fe({ metaDir: "/opt/starrocks/fe/meta" }), says: undefined },
    { what: "storage in the home", node: be({ storage: ["/opt/starrocks/be/storage"] }), says: undefined },
    {
      what: "a folder that only begins like another",
      node: fe({ metaDir: "/opt/starrocks/fe/logs" }),
      says: undefined,
    },
    { what: "the other node's part", node: fe({ metaDir: "/opt/starrocks/fe/www" }), says: undefined },
    {
      what: "the home itself as metaDir",
      node: fe({ metaDir: "/opt/starrocks/fe" }),
      says: "metaDir: /opt/starrocks/fe is the node's own `home`: data needs a folder of its own",
    },
    {
      what: "the home itself as storage",
      node: be({ home: "/disk1/sr", storage: ["/disk1/sr"] }),
      says: "storage: /disk1/sr is the node's own `home`: data needs a folder of its own",
    },
    {
      what: "storage around the home",
      node: be({ storage: ["/disk1/sr", "/opt"] }),
      says: "storage: /opt holds the node's own `home` (/opt/starrocks/be): data needs a folder of its own",
    },
    ...["bin", "conf", "current", "lib", "log", "previous", "state", "views", "webroot"].map((folder) => ({
      what: `${folder} of the home`,
      node: fe({ metaDir: `/opt/starrocks/fe/${folder}` }),
      says: `metaDir: /opt/starrocks/fe/${folder} is kept for the node's own files (/opt/starrocks/fe/${folder}): data needs a folder of its own`,
    })),
    {
      what: "a folder inside one of the home's",
      node: be({ storage: ["/opt/starrocks/be/log/tablets"] }),
      says: "storage: /opt/starrocks/be/log/tablets is kept for the node's own files (/opt/starrocks/be/log): data needs a folder of its own",
    },
    {
      what: "the folder of all releases",
      node: be({ storage: ["/opt/starrocks/releases"] }),
      says: `storage: /opt/starrocks/releases ${releases}`,
    },
    {
      what: "a folder among the releases",
      node: fe({ metaDir: "/opt/starrocks/releases/meta" }),
      says: `metaDir: /opt/starrocks/releases/meta ${releases}`,
    },
    {
      what: "a folder around the releases",
      node: fe({ home: "/srv/fe", metaDir: "/opt/starrocks" }),
      says: `metaDir: /opt/starrocks ${releases}`,
    },
  ];
  for (const { what, node, says } of table) {
    it(`${says === undefined ? "takes" : "refuses"} ${what}`, () => {
      assert.deepEqual(
        nodeProblems(node).map(({ property, reason }) => `${property}: ${reason}`),
        says === undefined ? [] : [says],
      );
    });
  }
});
